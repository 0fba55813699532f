import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHost, missingSettings } from '../../src/plane/kernel-host.ts';

test('says what this host lacks for the kernel plane, or what is off', async () => {
  try {
    assert.deepEqual(
      await checkHost({ table: 'pinhole', mark: 1, what: 'the test', forwards: true }),
      missingSettings(),
    );
  } catch (error) {
    assert.match(String(error), /the kernel plane (?:needs|cannot)|nftables/);
  }
  for (const line of missingSettings())
    assert.match(line, /^[^\n]+ while (net\.[a-z0-9_.]+) is 0: sysctl -w \1=1$/);
});
