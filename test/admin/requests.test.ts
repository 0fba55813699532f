import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, AdminStand } from './stand.ts';

const change = { method: 'POST', headers: { 'x-pinhole': '1' } };

test('answers on the unix socket, and makes changes for who says that it is one', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const { plane, logLevel } = await stand.get<{ plane: string; logLevel: string }>('/v1/status');
  assert.deepEqual([plane, logLevel], ['relay', 'info']);
  const body = '{"level":"debug"}';
  assert.equal((await ask(stand.path, '/v1/log-level', { method: 'POST', body })).status, 403);
  const changed = await stand.change('/v1/log-level', { level: 'debug' });
  assert.deepEqual(JSON.parse(changed.body), { level: 'debug', before: 'info' });
  assert.equal((await stand.get<{ logLevel: string }>('/v1/status')).logLevel, 'debug');
});

test('drains at a request, and ends as after SIGTERM', async (t) => {
  const stand = new AdminStand(t);
  const control = await stand.login();
  await stand.stalled(control);
  const { status } = await stand.change('/v1/drain', { grace: 0.2 });
  assert.equal(status, 200);
  assert.equal((await ask(stand.path, '/healthz')).status, 503);
  // The server may still say of its transfer that it was cut.
  let reply = await control.reply();
  if (reply.startsWith('426')) reply = await control.reply();
  assert.match(reply, /^421 /);
  assert.equal((await stand.program.finished()).code, 0);
});

test('closes a session with its transfer, which the client and the log hear of', async (t) => {
  const stand = new AdminStand(t);
  const control = await stand.login();
  const data = await stand.stalled(control);
  const closing = new Promise((resolve) => data.on('error', () => undefined).once('close', resolve));
  const closed = await stand.change('/v1/sessions/1/close');
  assert.deepEqual(JSON.parse(closed.body), { closed: 1, dataConnectionsLeft: 0 });
  assert.equal(await control.expect(421), '421 Closed by the administrator.');
  data.resume();
  await closing;
  assert.equal((await stand.program.logged('transfer'))['cause'], 'closed-by-administrator');
  assert.equal((await stand.program.logged('session closed'))['reason'], 'closed-by-administrator');
  assert.equal((await stand.change('/v1/sessions/1/close')).status, 404);
});

test('says what a reload has changed, and changes nothing where the configuration is wrong', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const reloaded = await stand.change('/v1/reload');
  assert.deepEqual(JSON.parse(reloaded.body), { changed: [] });
});

test('says whether the server answers', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const ready = await ask(stand.path, '/readyz');
  assert.equal(ready.status, 200);
  assert.match(ready.body, /^The server 127\.0\.0\.2 port \d+ answers 220 /);
  const dead = new AdminStand(t, ['--server', '127.0.0.1:1', '--listen', '127.0.0.1:0']);
  await dead.program.relay();
  const not = await ask(dead.path, '/readyz');
  assert.equal(not.status, 503);
  assert.match(not.body, /refuses the connection \(ECONNREFUSED\)/);
});

for (const [what, target, options, status, words] of [
  ['a path that is not served', '/v2/x', {}, 404, /^\/v2\/x is not served; allowed: \/v1\/status/],
  ['a target that is no path', 'http://[', {}, 400, /not a path/],
  ['another method', '/v1/status', { method: 'DELETE' }, 405, /allowed: GET, HEAD$/],
  ['a change by GET', '/v1/drain', {}, 405, /allowed: POST$/],
  ['a change without the header', '/v1/drain', { method: 'POST' }, 403, /x-pinhole: 1$/],
  ['a page of another site', '/v1/status', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, /sites/],
  ['another origin', '/v1/status', { headers: { origin: 'http://evil.example' } }, 403, /origins/],
  ['a body that is not JSON', '/v1/drain', { ...change, body: '{' }, 400, /not JSON$/],
  [
    'a level that is none',
    '/v1/log-level',
    { ...change, body: '{"level":"loud"}' },
    400,
    /trace, debug, info/,
  ],
  ['a grace that is none', '/v1/drain', { ...change, body: '{"grace":"now"}' }, 400, /0 to 604800/],
  ['a body too long', '/v1/drain', { ...change, body: 'x'.repeat(5000) }, 413, /4096 bytes$/],
  ['a session that is not there', '/v1/sessions/9/close', change, 404, /^there is no session 9$/],
  ['a filter that is none', '/v1/events?client=evil', {}, 400, /^client: an IPv4 or IPv6 address/],
] as const)
  test(`refuses ${what}, and says what is allowed`, async (t) => {
    const stand = new AdminStand(t);
    await stand.program.relay();
    const answered = await ask(stand.path, target, options);
    assert.equal(answered.status, status);
    assert.match((JSON.parse(answered.body) as { error: string }).error, words);
    // And it serves on.
    assert.equal((await ask(stand.path, '/healthz')).body, 'serving\n');
  });
