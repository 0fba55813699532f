import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorFromOutput } from '../../../src/linux/nftables/error.ts';

const outputs = [
  ['no-permission', 'netlink: Error: cache initialization failed: Operation not permitted\n'],
  ['no-permission', 'internal:0:0-0: Error: Could not process rule: Operation not permitted\n'],
  ['no-table', '/dev/stdin:1:26-32: Error: No such file or directory\nadd element inet pinhole to4 { }\n'],
  ['full', 'Error: Could not process rule: Too many open files in system\nadd element ...\n^^^\n'],
  ['exists', 'Error: Could not process rule: File exists\n'],
  ['other', 'Error: syntax error, unexpected newline\n'],
  ['other', ''],
] as const;

for (const [kind, output] of outputs) {
  test(`tells ${kind} from ${JSON.stringify(output.slice(0, 60))}`, () => {
    const error = errorFromOutput(output);
    assert.equal(error.kind, kind);
    assert.match(error.message, /^nftables: [^\n]+$/);
  });
}
