/** Of a range that is blocked in part, the ports that are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../../src/doctor/finding.ts';
import { examineHost } from '../../../src/doctor/host.ts';
import type { HostSources } from '../../../src/doctor/host-sources.ts';
import { kernelPlane, relay, server, sourcesOf } from '../host-sets.ts';

function changed(text: string, old: string, young: string): string {
  assert.ok(text.includes(old), old);
  return text.replace(old, () => young);
}

/** The ids of faults, with the ports that they name and the range. */
function faultsOf(sources: HostSources): string[] {
  return examineHost(sources)
    .filter(isFault)
    .map(({ id, values }) => `${id}: ${values['ports']} of ${values['range']}`);
}

for (const [what, sources, fault] of [
  [
    'the passive range, where RELATED is accepted',
    (ports: string) => ({ ...server, iptables: changed(server.iptables, '50000:50099', ports) }),
    'related-without-helper: 50006-50099 of 50000-50099',
  ],
  [
    "Pinhole's active ports",
    (ports: string) => ({
      ...relay,
      nftables: changed(relay.nftables, '51000-51999', ports.replace(':', '-').replace('50099', '51999')),
    }),
    'active-range-closed: 51000-51999 of 51000-51999',
  ],
  [
    'the ports of the kernel plane',
    (ports: string) => ({
      ...kernelPlane,
      iptables: changed(
        kernelPlane.iptables,
        '-m connmark',
        `-p tcp --dport ${ports.replace('50099', '50999')} -m connmark`,
      ),
    }),
    'forward-drops-pinhole: 50006-50999 of 50000-50999',
  ],
] as const) {
  test(`names the ports that are blocked: ${what}`, () => {
    assert.deepEqual(faultsOf(sourcesOf(sources('50000:50005'))), [fault]);
  });
}

test('finds nothing where all of the ports are open', () => {
  for (const texts of [server, relay, kernelPlane]) assert.deepEqual(faultsOf(sourcesOf(texts)), []);
});

test('says that it is not known whether the kernel plane passes, where a rule is not understood', () => {
  const iptables = changed(kernelPlane.iptables, '-m connmark', '-m set --match-set a src -m connmark');
  const findings = examineHost(sourcesOf({ ...kernelPlane, iptables }));
  assert.deepEqual(
    findings.filter(({ level }) => level === 'unseen').map(({ id, values }) => `${id}: ${values['ports']}`),
    ['ports-not-known: 50000-50999'],
  );
});
