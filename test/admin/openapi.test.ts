/** The OpenAPI file says what is served, and answers are as it says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import openApi from '../../src/admin/openapi.json' with { type: 'json' };
import { ask, AdminStand } from './stand.ts';

type Responses = Readonly<Record<string, { readonly content?: Record<string, { readonly schema: object }> }>>;
type Operations = Readonly<
  Record<
    string,
    { readonly get?: { readonly responses: Responses }; readonly post?: { readonly responses: Responses } }
  >
>;

const paths = openApi.paths as unknown as Operations;
const ajv = new Ajv2020({
  strict: false,
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
});
ajv.addSchema(openApi, 'openapi');

/** Has the answer as the description has it. */
function check(path: string, method: 'get' | 'post', status: number, body: string): void {
  const response = paths[path]?.[method]?.responses[status];
  assert.ok(response, `${method} ${path} ${status} is described`);
  const pointer = [path, method, 'responses', String(status), 'content', 'application/json', 'schema']
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/');
  const validate = ajv.getSchema(`openapi#/paths/${pointer}`);
  assert.ok(validate, `${path} ${status} has a schema`);
  assert.ok(validate(JSON.parse(body)), `${path}: ${ajv.errorsText(validate.errors)}\n${body}`);
}

test('every answer is as its description says, while sessions, pinholes and transfers are there', async (t) => {
  const stand = new AdminStand(t);
  await stand.stalled(await stand.login());
  await stand.announced(await stand.login());
  const { sessions } = await stand.get<{ sessions: object[] }>('/v1/sessions');
  assert.equal(sessions.length, 2);
  for (const [path, { get }] of Object.entries(paths)) {
    if (!get || path === '/v1/events') continue;
    const { status, headers, body } = await ask(stand.path, path);
    assert.equal(status, 200, path);
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    assert.ok(get.responses['200']?.content?.[type], `${path}: ${type} is described`);
    if (type === 'application/json') check(path, 'get', 200, body);
  }
  for (const [path, body] of [
    ['/v1/log-level', { level: 'warn' }],
    ['/v1/reload', undefined],
    ['/v1/drain', { grace: 0 }],
  ] as const) {
    const answered = await stand.change(path, body);
    check(path, 'post', answered.status, answered.body);
    assert.equal(answered.status, 200, path);
  }
});

test('tells a transfer under way with its user, its path, its size and what has moved', async (t) => {
  const stand = new AdminStand(t);
  await stand.stalled(await stand.login());
  const { data } = await stand.get<{ data: Record<string, unknown>[] }>('/v1/data');
  const [transfer = {}] = data;
  assert.deepEqual(
    [transfer['user'], transfer['command'], transfer['path'], transfer['direction'], transfer['relative']],
    ['demo', 'RETR', '/pub/zeros.bin', 'download', false],
  );
  assert.ok(Number(transfer['downloaded']) > 0);
});

test('describes every refusal', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  check('/v1/sessions/{id}/close', 'post', 404, (await stand.change('/v1/sessions/5/close')).body);
  check('/v1/drain', 'post', 400, (await stand.change('/v1/drain', { grace: -1 })).body);
  check('/v1/drain', 'post', 403, (await ask(stand.path, '/v1/drain', { method: 'POST' })).body);
});
