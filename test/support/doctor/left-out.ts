import assert from 'node:assert/strict';
import { isFault, isUnseen, type Finding } from '../../../src/doctor/finding.ts';

/** These findings are there no more, and there is no fault or doubt that was not there. */
export function assertLeftOut(
  before: readonly Finding[],
  after: readonly Finding[],
  ids: readonly string[],
): void {
  const serious = (findings: readonly Finding[]): string[] =>
    findings.filter((finding) => isFault(finding) || isUnseen(finding)).map(({ id }) => id);
  const known = new Set<string>([...serious(before), ...ids]);
  assert.deepEqual(
    after.filter(({ id }) => ids.includes(id)),
    [],
  );
  assert.deepEqual(
    serious(after).filter((id) => !known.has(id)),
    [],
  );
}
