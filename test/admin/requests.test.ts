import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, AdminStand } from './stand.ts';

test('answers on the unix socket, and makes changes for who says that it is one', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const status = await ask(stand.path, '/v1/status');
  assert.equal(status.status, 200);
  assert.equal((JSON.parse(status.body) as { plane: string }).plane, 'relay');
  assert.equal(
    (await ask(stand.path, '/v1/log-level', { method: 'POST', body: '{"level":"debug"}' })).status,
    403,
  );
  const changed = await ask(stand.path, '/v1/log-level', {
    ...{ method: 'POST', body: '{"level":"debug"}' },
    headers: { 'x-pinhole': '1' },
  });
  assert.deepEqual(JSON.parse(changed.body), { level: 'debug', before: 'info' });
  assert.equal(
    (await ask(stand.path, '/v1/sessions/7/close', { method: 'POST', headers: { 'x-pinhole': '1' } })).status,
    404,
  );
});

test('drains at a request, and ends as after SIGTERM', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const drained = await ask(stand.path, '/v1/drain', { method: 'POST', headers: { 'x-pinhole': '1' } });
  assert.equal(drained.status, 200);
  const { code } = await stand.program.finished();
  assert.equal(code, 0);
});
