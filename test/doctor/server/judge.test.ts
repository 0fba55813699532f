/** What the doctor concludes from what it saw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivate, isUnroutable } from '../../../src/doctor/addresses.ts';
import { addressSeenIn } from '../../../src/doctor/server/check-active.ts';
import { clientAddressIn } from '../../../src/doctor/server/check-way.ts';
import { judgeConnect, judgeGreeting } from '../../../src/doctor/server/check-control.ts';
import { demandsTls } from '../../../src/doctor/server/check-login.ts';
import {
  endpointIn,
  judgeAnnouncement,
  judgePair,
  judgePort,
} from '../../../src/doctor/server/check-passive.ts';
import { judgeRange } from '../../../src/doctor/server/check-range.ts';
import { judgeTls } from '../../../src/doctor/server/check-tls.ts';
import { en as english } from '../../../src/doctor/messages/en.ts';
import type { Catalogue } from '../../../src/doctor/messages/message.ts';
import { zh } from '../../../src/doctor/messages/zh.ts';
import { failureOf } from '../../../src/doctor/server/port.ts';
import { textOf, type Reply } from '../../../src/ftp/whole-replies.ts';
import { parseAddress, type Address } from '../../../src/net/address.ts';
import { NoAnswerError } from '../../../src/net/dial.ts';

const en: Catalogue = english;
const address = (text: string): Address => parseAddress(text) ?? assert.fail(text);
const reply = (...lines: string[]): Reply => ({ code: Number(lines[0]?.slice(0, 3)), lines });
const reached = address('203.0.113.1');
const at = { address: reached, port: 21, timeout: 10_000 };

test('a 227 is judged by the address that was reached', () => {
  const cases = [
    ['203.0.113.1', '203.0.113.1', undefined],
    ['10.77.0.2', '10.77.0.2', undefined],
    ['203.0.113.1', '10.77.0.2', 'announced-private'],
    ['203.0.113.1', '192.168.1.5', 'announced-private'],
    ['203.0.113.1', '172.31.0.1', 'announced-private'],
    ['203.0.113.1', '100.64.0.1', 'announced-private'],
    ['203.0.113.1', '172.32.0.1', 'announced-other'],
    ['203.0.113.1', '203.0.113.2', 'announced-other'],
    ['192.168.1.1', '10.77.0.2', 'announced-other'],
    ['203.0.113.1', '127.0.0.1', 'announced-unroutable'],
    ['203.0.113.1', '0.0.0.0', 'announced-unroutable'],
    ['203.0.113.1', '169.254.1.1', 'announced-unroutable'],
    ['203.0.113.1', '240.0.0.1', 'announced-unroutable'],
    ['127.0.0.1', '127.0.0.1', undefined],
    // As servers and Pinhole write it for a client over IPv6.
    ['2001:db8::1', '0.0.0.0', undefined],
  ] as const;
  for (const [from, announced, id] of cases) {
    const finding = judgeAnnouncement(address(from), { address: address(announced), port: 50_000 });
    assert.equal(finding?.id, id, `${from} ${announced}`);
  }
});

test('the remedy for a wrong 227 is the address that was reached', () => {
  const finding = judgeAnnouncement(reached, { address: address('10.0.0.5'), port: 50_000 });
  const lines = finding?.remedies.flatMap(({ lines: each }) => each);
  assert.deepEqual(lines, [
    'pasv_address=203.0.113.1',
    'MasqueradeAddress 203.0.113.1',
    'ForcePassiveIP 203.0.113.1',
    '-P 203.0.113.1',
    '--public-address 203.0.113.1',
  ]);
});

test('private and unroutable addresses of both families are known', () => {
  assert.ok(isPrivate(address('fd77::2')));
  assert.ok(!isPrivate(address('2001:db8::2')));
  assert.ok(!isPrivate(address('100.128.0.1')));
  assert.ok(isUnroutable(address('::1')));
  assert.ok(isUnroutable(address('fe80::1')));
  assert.ok(!isUnroutable(address('2001:db8::2')));
});

test('a port is read from a 227 or 229 of any form', () => {
  assert.deepEqual(endpointIn('PASV', reply('227 Entering Passive Mode (10,0,0,5,200,13).'), reached), {
    address: '10.0.0.5',
    port: 51_213,
  });
  assert.deepEqual(endpointIn('EPSV', reply('229 Extended (|||6446|)'), reached), {
    address: reached,
    port: 6446,
  });
  assert.equal(endpointIn('PASV', reply('227 1,2,3,4,5'), reached), undefined);
});

test('whom the server sees is read from STAT as servers write it', () => {
  const cases = [
    ['     Connected to 198.51.100.10', '198.51.100.10'],
    ['     Connected to ::ffff:198.51.100.10', '198.51.100.10'],
    [' Connected from gate.example (198.51.100.10)', '198.51.100.10'],
    [' Connected from 2001:db8::1 (2001:db8::1)', '2001:db8::1'],
    // pyftpdlib tells its own address.
    [' Connected to: 10.77.0.2:21', undefined],
    ['211 http://www.pureftpd.org/', undefined],
  ] as const;
  for (const [line, seen] of cases)
    assert.equal(clientAddressIn(['211-Status', line, '211 End']), seen, line);
});

test('a refusal of PORT says whom the server sees', () => {
  const own = address('10.0.0.5');
  const cases = [
    ["500 I won't open a connection to 10.0.0.5 (only to 198.51.100.9)", '198.51.100.9'],
    ["500 I won't open a connection to 10.9.9.9 (only to 198.51.100.9)", '198.51.100.9'],
    ["500 I won't open a connection to fd00::5 (only to 2001:db8::9)", '2001:db8::9'],
    ["500 I won't open a connection to 10.9.9.9 (only to 10.0.0.5)", undefined],
    ['501 You are 198.51.100.9, not 10.0.0.5.', '198.51.100.9'],
    ['500 203.0.113.1: Illegal PORT command from 10.0.0.5', undefined],
    ['500 Illegal PORT command.', undefined],
    ['501 Not 10.1.1.1, not 10.2.2.2.', undefined],
  ] as const;
  for (const [text, seen] of cases) assert.equal(addressSeenIn(text, own, reached), seen, text);
});

test('a connection fails in three ways', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code });
  assert.deepEqual(failureOf(system('ECONNREFUSED')), { how: 'closed' });
  assert.deepEqual(failureOf(system('ETIMEDOUT')), { how: 'filtered' });
  assert.deepEqual(failureOf(new NoAnswerError('no answer')), { how: 'filtered' });
  assert.deepEqual(failureOf(system('EHOSTUNREACH')), { how: 'rejected', code: 'EHOSTUNREACH' });
  assert.deepEqual(failureOf(new Error('what?')), { how: 'rejected', code: 'UNKNOWN' });

  assert.equal(judgeConnect({ how: 'closed' }, at).id, 'control-refused');
  assert.equal(judgeConnect({ how: 'filtered' }, at).id, 'control-silent');
  assert.equal(judgeConnect({ how: 'rejected', code: 'EHOSTUNREACH' }, at).id, 'control-unreachable');
  assert.equal(judgePort('PASV', { how: 'closed' }, at, at).id, 'data-port-closed');
  assert.equal(judgePort('PASV', { how: 'filtered' }, at, at).id, 'data-port-filtered');
  assert.equal(judgePort('PASV', { how: 'rejected', code: 'EACCES' }, at, at).id, 'data-port-rejected');
});

test('a greeting is slow from two seconds on', () => {
  const fast = judgeGreeting(reply('220 Ready.'), 300, at);
  assert.deepEqual([fast.id, fast.values], ['greeting-fine', { seconds: 0.3 }]);
  const slow = judgeGreeting(reply('220 Ready.'), 5030, at);
  assert.deepEqual([slow.id, slow.level, slow.values], ['greeting-slow', 'note', { seconds: 5 }]);
});

test('a login that needs TLS is distinguished from one that failed', () => {
  assert.ok(demandsTls(reply('530 Non-anonymous sessions must use encryption.')));
  assert.ok(demandsTls(reply('550 SSL/TLS required on the control channel')));
  assert.ok(
    demandsTls(
      reply(
        '421-Sorry, cleartext sessions and weak ciphers are not accepted on this server.',
        '421 Please reconnect using TLS security mechanisms.',
      ),
    ),
  );
  assert.ok(!demandsTls(reply('530 Login incorrect.')));
});

test('a range is small where few ports come again and again', () => {
  const port = (index: number): number => 50_000 + index;
  const repeated = (count: number): number[] => Array.from({ length: 12 }, (_, index) => port(index % count));
  assert.deepEqual(judgeRange(repeated(4))?.values, { count: 12, ports: '50000, 50001, 50002, 50003' });
  assert.equal(judgeRange(repeated(5)), undefined);
  assert.equal(judgeRange(repeated(1).slice(1)), undefined, 'too few to tell');
});

test('a failing passive command points to a helper only if the other one works', () => {
  assert.equal(judgePair({ port: 'open' }, { port: 'filtered' })?.id, 'helper-knows-only-pasv');
  assert.equal(judgePair({ port: 'closed' }, { port: 'open' })?.id, 'helper-knows-only-epsv');
  assert.equal(judgePair({ port: 'filtered' }, { port: 'filtered' }), undefined);
  assert.equal(judgePair({ port: 'open' }, { port: 'none' }), undefined);
});

test('where TLS blinds a helper, Pinhole that ends it is a remedy', () => {
  const inside = { address: address('10.77.0.2'), port: 50_000 };
  const outside = { address: reached, port: 50_000 };
  const findings = judgeTls(
    { port: 'open', announced: outside },
    { port: 'filtered', announced: inside },
    { reached },
  );
  assert.equal(findings.length, 2);
  for (const { id, remedies } of findings) {
    assert.ok(
      remedies.some(
        ({ target, lines }) =>
          target === 'pinhole' && lines.some((line) => line.startsWith('--tls terminate')),
      ),
      id,
    );
    for (const { findings: messages } of [en, zh]) {
      assert.match(messages[id].change ?? '', /--tls terminate.*docs\/ftps\.md/);
    }
  }
});

test('what TLS hides is what worked without it', () => {
  const inside = { address: address('10.77.0.2'), port: 50_000 };
  const outside = { address: reached, port: 50_000 };
  const ids = (...outcomes: Parameters<typeof judgeTls>): string[] =>
    judgeTls(...outcomes).map(({ id }) => id);
  assert.deepEqual(
    ids({ port: 'open', announced: outside }, { port: 'open', announced: outside }, { reached }),
    ['tls-fine'],
  );
  assert.deepEqual(
    ids({ port: 'open', announced: outside }, { port: 'filtered', announced: inside }, { reached }),
    ['tls-blinds-address', 'tls-blinds-port'],
  );
  assert.deepEqual(
    ids({ port: 'filtered', announced: outside }, { port: 'filtered', announced: outside }, { reached }),
    [],
  );
});

test('a reply is shown without what a terminal would act on', () => {
  assert.equal(textOf(reply('220 \x1b[2J\x07Gr\xc3\xbc\xc3\x9fe')), '220 [2JGrüße');
  assert.equal(textOf(reply(`220 ${'x'.repeat(500)}`)).length, 200);
});
