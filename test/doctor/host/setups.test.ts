/** Every setup that was reported: named, its twin not, and each remedy applied to the text that it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, verdictOf, type Finding } from '../../../src/doctor/finding.ts';
import { examineHost } from '../../../src/doctor/host.ts';
import { choicesOf, mended } from '../../support/doctor/mended.ts';
import { notedSets } from '../broken-sets.ts';
import { assertLeftOut } from '../../support/doctor/left-out.ts';
import { setups, setupSources } from '../setups.ts';

const idsOf = (findings: readonly Finding[], level: Finding['level']): string[] =>
  findings
    .filter((finding) => finding.level === level)
    .map(({ id }) => id)
    .sort();

for (const { what, broken, twin, faults, unseen = [], next = [], fillings } of setups) {
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

  if (faults.length > 0)
    test(`each of its remedies, applied, leaves nothing to change: ${what}`, () => {
      for (const followed of choicesOf(examineHost(setupSources(broken)).filter(isFault), fillings)) {
        let texts = mended(broken, followed);
        let after = examineHost(setupSources(texts));
        const lines = followed.flatMap(({ remedies }) => remedies.flatMap((remedy) => remedy.lines));
        assert.deepEqual(idsOf(after, 'fault'), [...next].sort(), lines.join('\n'));
        if (next.length > 0) {
          texts = mended(texts, choicesOf(after.filter(isFault), fillings)[0] ?? []);
          after = examineHost(setupSources(texts));
          assert.deepEqual(idsOf(after, 'fault'), [], lines.join('\n'));
        }
        assert.deepEqual(
          idsOf(after, 'unseen').filter((id) => id !== 'no-server-found'),
          [],
        );
      }
    });
}

for (const { what, broken, notes = [], fillings } of notedSets)
  test(`each remedy of what is no fault, applied, leaves it out, and adds nothing: ${what}`, () => {
    const before = examineHost(setupSources(broken));
    const tried = before.filter(({ id }) => notes.includes(id));
    assert.deepEqual(
      tried.map(({ id }) => id),
      notes,
    );
    for (const followed of choicesOf(tried, fillings)) {
      const after = examineHost(setupSources(mended(broken, followed)));
      assertLeftOut(before, after, notes);
    }
  });
