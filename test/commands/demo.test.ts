import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from '../support/relay/program.ts';

test('demo plays both modes, draws the ladder without colour in a pipe, and ends by itself', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, ['demo']);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.ok(!stdout.includes('\x1b'));
  assert.match(stdout, /^client +relay +server$/m);
  assert.match(stdout, /^PASV +--> PASV$/m);
  assert.match(stdout, /^227 .*\(127,0,0,1,\d+,\d+\).* <-- 227 .*\(127,0,0,2,\d+,\d+\)/m);
  assert.match(stdout, /^PORT 127,0,0,1,(\d+,\d+) +--> PORT 127,0,0,1,(?!\1$)\d+,\d+$/m);
  for (const what of [/pinhole opened: /g, /pinhole taken: /g, /data connection closed: complete/g]) {
    assert.equal(stdout.match(what)?.length, 2, String(what));
  }
  assert.match(
    stdout,
    /welcome\.txt was downloaded twice: (\d+) bytes in passive mode, \1 in active mode\.\n$/,
  );
  assert.ok(!/PASS demo/.test(stdout));
});

test('demo is the same whatever the environment says', async (t) => {
  const { code } = await runProgram(t, ['demo'], { PINHOLE_MAX_SESSIONS: 'many' });
  assert.equal(code, 0);
});
