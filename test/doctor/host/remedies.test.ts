/** No finding about a host has lines to write or to type that the setups do not try. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault } from '../../../src/doctor/finding.ts';
import { examineHost } from '../../../src/doctor/host.ts';
import { root } from '../../support/project.ts';
import { notedSets } from '../broken-sets.ts';
import { setups, setupSources } from '../setups.ts';

/** Findings whose change is said in words: nothing can be written or typed that makes them go away by itself. */
const inWords: readonly string[] = [
  ...['certificate-missing', 'certificate-unreadable', 'certificate-unusable', 'certificate-key-foreign'],
  ...['certificate-expired', 'certificate-expiring', 'firewall-not-seen', 'forwarding-not-known'],
  ...['helper-blind-to-tls', 'helper-not-known', 'ip-forward-not-seen', 'lines-not-understood'],
  ...['listens-on-loopback', 'no-server-found', 'nobody-listens', 'other-program-listens'],
  ...['passive-forwarding-not-known', 'passive-port-taken', 'pinhole-config-refused', 'pinhole-port-taken'],
  ...['pinhole-without-config', 'ports-not-known', 'program-failed', 'program-missing'],
  ...['range-behind-not-known', 'rights-missing', 'settings-incomplete', 'settings-refused'],
  'chain-not-shown',
];

/** As it should be. */
const well: readonly string[] = [
  ...['forwarding-fine', 'helper-loaded', 'modules-line-fine', 'passive-range-open', 'passive-range-set'],
  'somebody-listens',
];

const source = ['host.ts', ...readdirSync(join(root, 'src/doctor/host')).map((name) => `host/${name}`)]
  .map((name) => readFileSync(join(root, 'src/doctor', name), 'utf8'))
  .join('\n');

/** The ids of findings of setups with remedies, all of which are applied. */
const applied = new Set<string>(
  [...setups, ...notedSets].flatMap(({ broken, notes = [] }) =>
    examineHost(setupSources(broken))
      .filter((finding) => isFault(finding) || notes.includes(finding.id))
      .filter(({ remedies }) => remedies.length > 0)
      .map(({ id }) => id),
  ),
);

test('tries a remedy of every finding that has one', () => {
  const text = readFileSync(join(root, 'src/doctor/messages/en.ts'), 'utf8');
  const part = text.slice(text.indexOf('--- this host'), text.indexOf('--- a server'));
  const ids = Array.from(part.matchAll(/^ {4}'([a-z0-9-]+)':/gm), ([, id]) => id);
  assert.deepEqual([...applied, ...inWords, ...well].sort(), ids.sort());
});

test('prints no lines for the findings whose change is said in words', () => {
  for (const id of [...inWords, ...well]) {
    for (const { index } of source.matchAll(new RegExp(`\\b(?:fault|note|unseen|fine)\\(\\s*'${id}'`, 'g')))
      assert.doesNotMatch(callAt(source, index), /remedies|, \w+\)$/, id);
  }
});

/** `fault('id', { ... })` */
function callAt(text: string, from: number): string {
  let depth = 0;
  for (let at = text.indexOf('(', from); at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return text.slice(from, at + 1);
  }
  return text.slice(from);
}
