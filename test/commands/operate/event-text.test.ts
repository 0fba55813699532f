import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventText } from '../../../src/commands/operate/event-text.ts';

const facts = { time: '2026-11-28T02:31:07.123Z', session: 12, client: '198.51.100.7:40000', user: 'anna' };

function what(type: string, fields: object): string {
  const text = eventText({ type, fields: { ...facts, ...fields } });
  const [, shown = ''] = /^\d\d:\d\d:\d\d 12 198\.51\.100\.7 anna (.*)$/.exec(text) ?? [];
  return shown;
}

test('says each event in one line', () => {
  const transfer = { command: 'RETR', path: '/a', cause: 'complete', bytes: 2048, seconds: 2 };
  for (const [type, fields, words] of [
    ['session-opened', { server: '10.0.0.1:21' }, /^session opened, to 10\.0\.0\.1:21$/],
    ['session-closed', { reason: 'quit', seconds: 3, error: 'x' }, /^session closed: quit, after 3 s \(x\)$/],
    ['session-user', {}, /^named$/],
    ['login-failed', { code: 530 }, /^login failed: 530$/],
    [
      'session-secured',
      { side: 'client', protocol: 'TLSv1.3', cipher: 'C' },
      /^TLS with the client: TLSv1\.3 C$/,
    ],
    ['command-refused', { reason: 'http', command: 'GET', reply: '421' }, /^refused: http: GET \(421\)$/],
    ['reply-remarked', { reason: 'foreign-address', reply: '227' }, /^remarked: foreign-address: 227$/],
    ['transfer-begun', { command: 'RETR', path: '/a', size: 5 }, /^begun: RETR \/a \(5 B\)$/],
    ['transfer-begun', { command: { verb: 'LIST', path: '' } }, /^begun: LIST$/],
    ['transfer-ended', transfer, /^transfer: RETR \/a: complete, .*, .*\/s$/],
    [
      'transfer-ended',
      { ...transfer, command: undefined, path: undefined, seconds: 0 },
      /^transfer: no command: /,
    ],
    [
      'data-channel-closed',
      { command: 'RETR', path: '/a', cause: 'reset' },
      /^data connection closed: RETR \/a: reset$/,
    ],
    [
      'session-opaque',
      { what: 'session opaque', unavailable: '50003' },
      /^session opaque unavailable=50003$/,
    ],
  ] as const)
    assert.match(what(type, fields), words, type);
});

test('says who was refused where there is no session, and lets no escape sequence through', () => {
  const { time } = facts;
  const refused = { time, from: '[2001:db8::1]:4000', at: '[2001:db8::2]:50000', reason: 'stranger' };
  assert.match(
    eventText({ type: 'pinhole-refused', fields: refused }),
    / 2001:db8::1 - refused: stranger: connection from \[2001:db8::1\]:4000 to \[2001:db8::2\]:50000$/,
  );
  const hostile = { time, client: '192.0.2.1:1', reason: 'server-unreachable', error: '\x1b[2J' };
  assert.doesNotMatch(eventText({ type: 'session-refused', fields: hostile }), /\x1b/);
});
