/** Every setup that was reported: named, its twin not, and each remedy applied to the text that it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, verdictOf, type Finding } from '../../../src/doctor/finding.ts';
import { examineHost } from '../../../src/doctor/host.ts';
import { mended } from '../../support/doctor/mended.ts';
import { setups, setupSources } from '../setups.ts';

const idsOf = (findings: readonly Finding[], level: Finding['level']): string[] =>
  findings
    .filter((finding) => finding.level === level)
    .map(({ id }) => id)
    .sort();

for (const { what, broken, twin, faults, unseen = [], isMendedElsewhere } of setups) {
  test(`names what is wrong: ${what}`, () => {
    const findings = examineHost(setupSources(broken));
    assert.deepEqual(idsOf(findings, 'fault'), [...faults].sort());
    assert.deepEqual(idsOf(findings, 'unseen'), [...unseen].sort());
    assert.notEqual(verdictOf(findings), 'healthy');
  });

  test(`finds nothing in its twin: ${what}`, () => {
    const findings = examineHost(setupSources(twin));
    assert.deepEqual(idsOf(findings, 'fault'), []);
    assert.deepEqual(idsOf(findings, 'unseen'), []);
    assert.equal(verdictOf(findings), 'healthy');
  });

  if (faults.length > 0 && isMendedElsewhere !== true)
    test(`its remedy, applied, leaves nothing to change: ${what}`, () => {
      const before = examineHost(setupSources(broken));
      const after = examineHost(setupSources(mended(broken, before.filter(isFault))));
      assert.deepEqual(idsOf(after, 'fault'), []);
      assert.deepEqual(
        idsOf(after, 'unseen').filter((id) => id !== 'no-server-found'),
        [],
      );
    });
}
