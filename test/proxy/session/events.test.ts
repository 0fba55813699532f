import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../src/events.ts';
import { parseCommand } from '../../../src/ftp/command.ts';
import { Secrets } from '../../../src/helper/redact.ts';
import { SessionEvents } from '../../../src/proxy/session/events.ts';
import { address } from '../../data/sessions.ts';

const endpoint = { address: address('192.0.2.1'), port: 21 };
const own = { client: endpoint.address, server: endpoint.address };
const endpoints = { client: endpoint, reached: endpoint, server: endpoint, inside: endpoint, own };

/** Reads what is made when it is read. */
function textsOf(event: Event | undefined): object {
  assert.ok(event?.type === 'command' || event?.type === 'reply');
  const { type, session, received, sent } = event;
  return { type, session, received, sent };
}

test('makes the text of the dialogue for who reads it, once, and as it was when it was said', (t) => {
  const hide = t.mock.method(Secrets.prototype, 'hide');
  const told: Event[] = [];
  const events = new SessionEvents(1, endpoints, (event) => told.push(event));
  const say = (line: string): void => {
    events.forwarded(parseCommand(line), line);
  };
  say('PASS s3cret');
  events.passed('230 s3cret is right', '230 s3cret is right', 'PASS');
  for (let n = 0; n < 9; n++) say(`PASS other-${n}`);
  events.passed('227 a', '227 b', 'PASV');
  say('CWD s3cret-or-not');
  assert.equal(hide.mock.callCount(), 0);
  const [pass, welcome] = told;
  assert.deepEqual(textsOf(pass), { type: 'command', session: 1, received: 'PASS ****', sent: 'PASS ****' });
  assert.deepEqual(textsOf(welcome), {
    ...{ type: 'reply', session: 1 },
    ...{ received: '230 **** is right', sent: '230 **** is right' },
  });
  assert.equal(hide.mock.callCount(), 1);
  assert.deepEqual(textsOf(told.at(-2)), { type: 'reply', session: 1, received: '227 a', sent: '227 b' });
  assert.deepEqual(textsOf(told.at(-1)), {
    ...{ type: 'command', session: 1 },
    ...{ received: 'CWD s3cret-or-not', sent: 'CWD s3cret-or-not' },
  });
});
