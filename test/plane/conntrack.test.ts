import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followConntrack, requireConntrack } from '../../src/plane/conntrack.ts';
import { checkHost, missingSettings } from '../../src/plane/kernel-host.ts';

test('follows connections and lists them where that is allowed, else says why not', async (t) => {
  const listener = { event: () => undefined, missed: () => undefined };
  try {
    await requireConntrack();
    // A mark that nothing bears.
    const conntrack = await followConntrack(0x7e57_7e57, listener);
    t.after(() => {
      conntrack.stop();
    });
    assert.deepEqual(await conntrack.list(), []);
  } catch (error) {
    assert.match(String(error), /^Error: the kernel plane (?:needs|cannot follow connections: )/);
  }
});

test('names the package of a program that is missing', async (t) => {
  const { PATH } = process.env;
  t.after(() => {
    process.env['PATH'] = PATH;
  });
  process.env['PATH'] = '/nonexistent';
  await assert.rejects(
    requireConntrack(),
    /^Error: the kernel plane needs setpriv \(Debian: apt install util-linux\)/,
  );
});

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
