/** The examination of a server that is healthy but for one thing. The server is a script on loopback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOf, type Finding } from '../../src/doctor/finding.ts';
import { replies } from '../../src/helper/replies.ts';
import { languages, reportJson, reportText } from '../../src/doctor/report.ts';
import { judgePort } from '../../src/doctor/server/check-passive.ts';
import { examineServer } from '../../src/doctor/server.ts';
import { parseAddress } from '../../src/net/address.ts';
import { unlisted } from '../support/doctor/outside-remedies.ts';
import {
  announce227,
  atPinhole,
  fewPorts,
  hangUp,
  listing,
  passTls,
  range,
  seenElsewhere,
  startScriptedServer,
  speakTls,
  speakTlsExpired,
  unlessActive,
  type Script,
} from '../support/doctor/scripted-server.ts';

/** Milliseconds that an answer may take; short where a test waits for that to be over. */
const long = 10_000;
const short = 400;

async function examine(
  port: number,
  { host = '127.0.0.1', idle = 0, timeout = long } = {},
): Promise<Finding[]> {
  const told: Finding[] = [];
  const findings = await examineServer(
    { host, port, user: 'anna', password: 'secret' },
    { timeout, idle, tell: (finding) => told.push(finding) },
  );
  assert.deepEqual(told, findings);
  assert.deepEqual(unlisted(findings), [], 'test/support/doctor/outside-remedies.ts');
  // Every finding has a message in every language that its values fill.
  for (const language of languages) reportText(findings, language);
  return findings;
}

const idsOf = (findings: readonly Finding[], level: Finding['level']): string[] =>
  findings.filter((finding) => finding.level === level).map(({ id }) => id);

test('a healthy server has no fault', async (t) => {
  const findings = await examine(await startScriptedServer(t));
  assert.deepEqual(idsOf(findings, 'fault'), []);
  // Without root nobody connects from port 20.
  assert.deepEqual(idsOf(findings, 'note'), ['active-source-port', 'active-source-port', 'tls-none']);
  assert.deepEqual(idsOf(findings, 'fine'), [
    'control-fine',
    'greeting-fine',
    'login-fine',
    'no-nat',
    'passive-fine',
    'passive-fine',
    'active-fine',
    'active-fine',
    'features-fine',
  ]);
});

/** What is broken -> the script that breaks it, the finding, and its level where that is not a fault. */
const broken: readonly {
  what: string;
  script: Script;
  finds: string;
  level?: 'note' | 'unseen' | 'fine';
  host?: string;
  idle?: number;
  /** Something does not come. */
  silent?: true;
}[] = [
  { what: 'it says nothing', script: { '': undefined }, finds: 'greeting-missing', silent: true },
  { what: 'it hangs up at once', script: { '': hangUp }, finds: 'greeting-closed' },
  { what: 'it is full', script: { '': '421 Too many users.' }, finds: 'greeting-refused' },
  { what: 'it is an SSH server', script: { '': 'SSH-2.0-OpenSSH_9.2' }, finds: 'greeting-foreign' },
  { what: 'the password is wrong', script: { PASS: '530 Login incorrect.' }, finds: 'login-refused' },
  {
    what: 'it demands TLS and has none',
    script: { PASS: '530 Non-anonymous sessions must use encryption.' },
    finds: 'login-needs-tls',
    level: 'note',
  },
  {
    what: 'it takes one session of an address',
    script: { '': (_, { number }) => (number > 0 ? '421 Too many connections of you.' : '220 Ready.') },
    finds: 'session-refused',
    level: 'unseen',
  },
  {
    what: 'it does not answer another session',
    script: { '': (_, { number }) => (number > 0 ? undefined : '220 Ready.'), EPSV: hangUp },
    finds: 'session-missing',
    silent: true,
  },
  { what: 'it ends the session at a command', script: { EPSV: '421 Too busy.' }, finds: 'session-ended' },
  { what: 'its reply does not end', script: { STAT: '211-more\n'.repeat(3000) }, finds: 'reply-endless' },
  { what: 'its greeting does not end', script: { '': '220-more\n'.repeat(3000) }, finds: 'greeting-endless' },
  {
    what: 'its login is full',
    script: { PASS: '421 Too many users.' },
    finds: 'greeting-refused',
  },
  {
    what: 'it demands TLS of the login and refuses AUTH',
    script: { PASS: '530 Non-anonymous sessions must use encryption.' },
    finds: 'tls-demanded-refused',
  },
  { what: 'it hangs up at a command', script: { EPSV: hangUp }, finds: 'control-lost' },
  { what: 'a command is swallowed', script: { EPSV: undefined }, finds: 'command-unanswered', silent: true },
  { what: 'it does no PASV', script: { PASV: '550 Permission denied.' }, finds: 'passive-refused' },
  { what: 'its 227 has no port', script: { PASV: '227 Passive.' }, finds: 'passive-unreadable' },
  { what: 'its 229 has no port', script: { EPSV: '229 Passive (|||0|)' }, finds: 'passive-unreadable' },
  {
    what: 'it announces no address',
    script: { PASV: async (_, session) => announce227('0.0.0.0', await session.listen()) },
    finds: 'announced-unroutable',
  },
  {
    what: 'nobody listens on the port of its 227',
    script: { PASV: () => announce227('127.0.0.1', 1) },
    finds: 'data-port-closed',
  },
  {
    what: 'only the port of its 229 opens',
    script: { PASV: () => announce227('127.0.0.1', 1) },
    finds: 'helper-knows-only-epsv',
  },
  {
    what: 'only the port of its 227 opens',
    script: { EPSV: '229 Passive (|||1|)' },
    finds: 'helper-knows-only-pasv',
  },
  {
    what: 'it takes no data connection of a proxy',
    script: { NLST: '425 Security: Bad IP connecting.' },
    finds: 'data-refused',
  },
  {
    what: 'it knows neither NLST nor LIST',
    script: { NLST: '502 NLST not implemented.', LIST: '502 LIST not implemented.' },
    finds: 'listing-refused',
    level: 'unseen',
  },
  {
    what: 'its user may not list',
    script: { NLST: '550 Permission denied.', LIST: '550 Permission denied.' },
    finds: 'listing-refused',
    level: 'unseen',
  },
  {
    what: 'it does no NLST, and takes no data connection of a proxy',
    script: { NLST: '502 NLST not implemented.', LIST: '425 Security: Bad IP connecting.' },
    finds: 'data-refused',
  },
  {
    what: 'its listing does not end',
    script: { NLST: '150 Here it comes.' },
    finds: 'data-unfinished',
    silent: true,
  },
  {
    what: 'its listing does not begin',
    script: { NLST: undefined },
    finds: 'data-ignored',
    silent: true,
  },
  {
    what: 'its data has to be encrypted',
    script: { NLST: '522 Data connections must be encrypted.' },
    finds: 'data-needs-tls',
    level: 'note',
  },
  {
    what: 'it has one passive port',
    script: { PASV: fewPorts(() => undefined) },
    finds: 'passive-range-small',
    level: 'note',
  },
  {
    what: 'it has one passive port, and another session waits on it',
    script: { PASV: fewPorts(({ number }) => (number > 0 ? '425 No free port.' : undefined)) },
    finds: 'passive-range-exhausted',
  },
  {
    what: 'it has one passive port, and ends a session that gets none',
    script: {
      PASV: fewPorts((session) => {
        if (session.number > 0) hangUp('', session);
        return undefined;
      }),
    },
    finds: 'passive-range-exhausted',
  },
  {
    what: 'it does no EPSV',
    script: { EPSV: '502 Not implemented.' },
    finds: 'extended-passive-refused',
    level: 'note',
  },
  {
    what: 'it does no EPSV over IPv6',
    script: { EPSV: '502 Not implemented.' },
    host: '::1',
    finds: 'extended-passive-refused-ipv6',
  },
  { what: 'it does no active mode', script: { PORT: '550 Permission denied.' }, finds: 'active-refused' },
  {
    what: 'it does no EPRT',
    script: { EPRT: '501 What?' },
    finds: 'active-extended-refused',
    level: 'note',
  },
  {
    what: 'it refuses the address behind a NAT',
    script: { STAT: seenElsewhere, PORT: '500 Illegal PORT command.' },
    finds: 'active-not-rewritten',
  },
  {
    what: 'it refuses the address behind a NAT, and names the one that it sees',
    script: { PORT: "500 I won't open a connection to 127.0.0.1 (only to 203.0.113.9)" },
    finds: 'active-sees-other',
  },
  {
    what: 'it refuses the address behind a NAT with the one that it sees, in words of its own',
    script: { PORT: '501 PORT: your address is 203.0.113.9.' },
    finds: 'active-sees-other',
  },
  {
    what: 'it refuses PORT, and names only the address of this client',
    script: { PORT: "500 I won't open a connection to 127.0.0.1 (only to 127.0.0.1)" },
    finds: 'active-refused',
  },
  {
    what: 'it cannot connect to the address behind a NAT',
    script: { STAT: seenElsewhere, NLST: unlessActive('425 Failed to establish connection.') },
    finds: 'active-not-rewritten',
  },
  {
    what: 'it sees another address of the client',
    script: { STAT: seenElsewhere },
    finds: 'nat-on-the-way',
    level: 'note',
  },
  {
    what: 'it connects to a client that it sees elsewhere',
    script: { STAT: seenElsewhere },
    finds: 'active-rewritten',
    level: 'note',
  },
  {
    what: 'its active connection is rejected',
    script: { NLST: unlessActive('425 Failed to establish connection.') },
    finds: 'active-blocked',
  },
  {
    what: 'its active connection is lost',
    script: { NLST: unlessActive() },
    finds: 'active-silent',
    silent: true,
  },
  {
    what: 'it says 150 and no active connection comes',
    script: { NLST: unlessActive('150 Here it comes.\n425 Failed.') },
    finds: 'active-blocked',
    silent: true,
  },
  {
    what: 'its active connection comes from another address',
    script: { NLST: (_, session) => listing(session, { from: '127.0.0.2' }) },
    finds: 'active-source-address',
    level: 'note',
  },
  {
    what: 'its active connection is cut',
    script: { NLST: (_, session) => listing(session, { activeEnd: '426 Cut.' }) },
    finds: 'active-unfinished',
  },
  {
    what: 'its active connection comes after PORT alone',
    script: {
      EPRT: (_, session) => {
        session.data = undefined;
        return '200 Fine.';
      },
    },
    finds: 'helper-knows-only-port',
  },
  { what: 'it has no SIZE', script: { SIZE: '502 No.' }, finds: 'size-missing', level: 'note' },
  { what: 'it has no MDTM', script: { MDTM: '500 No.' }, finds: 'mdtm-missing', level: 'note' },
  { what: 'it has no REST', script: { REST: '502 No.' }, finds: 'rest-missing', level: 'note' },
  { what: 'it has no ABOR', script: { ABOR: '502 No.' }, finds: 'abor-missing', level: 'note' },
  {
    what: 'it denies SIZE',
    script: { SIZE: '550 Permission denied.' },
    finds: 'size-missing',
    level: 'note',
  },
  {
    what: 'it denies REST',
    script: { REST: '550 Permission denied.' },
    finds: 'rest-missing',
    level: 'note',
  },
  {
    what: 'it denies ABOR',
    script: { ABOR: '550 Permission denied.' },
    finds: 'abor-missing',
    level: 'note',
  },
  {
    what: 'its TLS ends at once',
    script: {
      AUTH: (_, { socket }) => {
        socket.end('234 Go on.\r\n');
        return undefined;
      },
    },
    finds: 'tls-handshake-failed',
  },
  {
    what: 'its TLS says nothing',
    script: { AUTH: '234 Go on.' },
    finds: 'tls-handshake-failed',
    silent: true,
  },
  { what: 'it has TLS', script: { AUTH: speakTls }, finds: 'tls-fine', level: 'fine' },
  {
    what: 'its certificate is its own',
    script: { AUTH: speakTls },
    finds: 'tls-certificate',
    level: 'note',
  },
  {
    what: 'its certificate has expired',
    script: { AUTH: speakTlsExpired },
    finds: 'tls-certificate-expired',
  },
  {
    what: 'it takes no data connection over TLS',
    script: { AUTH: speakTls, NLST: (_, session) => listing(session, { refuses: '425 No.' }) },
    finds: 'tls-data-refused',
  },
  {
    what: 'it takes only data connections that resume the TLS session',
    script: {
      AUTH: speakTls,
      NLST: (_, session) => {
        const isSecond = session.isSecured && session.listings++ > 0;
        return listing(session, isSecond ? { refuses: '522 Session reuse required.' } : {});
      },
    },
    finds: 'tls-reuse-demanded',
    level: 'note',
  },
  {
    what: 'its listing is short',
    script: { NLST: (_, session) => listing(session, { names: 'file\r\n' }) },
    finds: 'large-not-seen',
    level: 'unseen',
  },
  {
    what: 'its listing is said to be done and never ends',
    script: {
      NLST: async (_, { data, socket }) => {
        if (data && 'taken' in data) await data.taken;
        socket.write('150 Here it comes.\r\n');
        return '226 Done.';
      },
    },
    finds: 'data-unfinished',
    silent: true,
  },
  {
    what: 'it demands TLS, and its certificate is its own',
    script: {
      AUTH: speakTls,
      PASS: (_, { isSecured }) => (isSecured ? '230 Welcome.' : '503 Use AUTH first.'),
    },
    finds: 'tls-certificate',
    level: 'note',
  },
  {
    what: 'it lets nobody in over TLS',
    script: {
      AUTH: speakTls,
      PASS: (_, { isSecured }) => (isSecured ? '530 Not over TLS.' : '230 Welcome.'),
    },
    finds: 'tls-login-refused',
  },
  {
    what: 'over TLS it announces an address of the inside',
    script: {
      AUTH: speakTls,
      PASV: async (_, session) =>
        announce227(session.isSecured ? '10.0.0.5' : '127.0.0.1', await session.listen()),
    },
    finds: 'tls-blinds-address',
  },
  {
    what: 'over TLS its passive port does not open',
    script: {
      AUTH: speakTls,
      PASV: async (_, session) => announce227('127.0.0.1', session.isSecured ? 1 : await session.listen()),
    },
    finds: 'tls-blinds-port',
  },
  {
    what: 'over TLS it refuses PASV',
    script: {
      AUTH: speakTls,
      PASV: async (_, session) =>
        session.isSecured ? '502 Not over TLS.' : announce227('127.0.0.1', await session.listen()),
    },
    finds: 'tls-passive-refused',
  },
  { what: 'Pinhole answers', script: atPinhole(), finds: 'pinhole-here', level: 'fine' },
  {
    what: 'it sees the address of Pinhole',
    script: atPinhole({ STAT: seenElsewhere }),
    finds: 'pinhole-seen',
    level: 'fine',
  },
  {
    what: 'Pinhole reaches no server',
    script: { '': replies.serverUnreachable },
    finds: 'greeting-refused-by-pinhole',
  },
  {
    what: "Pinhole's passive ports are closed",
    script: atPinhole({ PASV: () => announce227('127.0.0.1', 1), EPSV: '229 (|||1|)' }),
    finds: 'pinhole-passive-closed',
  },
  {
    what: 'Pinhole announces an address that leads nowhere',
    script: atPinhole({ PASV: async (_, session) => announce227('0.0.0.0', await session.listen()) }),
    finds: 'pinhole-announces-other',
  },
  {
    what: 'Pinhole does not reach the passive port of the server',
    script: atPinhole({ NLST: replies.noPinhole }),
    finds: 'pinhole-data-refused',
  },
  {
    what: 'Pinhole does not reach the client',
    script: atPinhole({ NLST: unlessActive(replies.clientUnreachable) }),
    finds: 'pinhole-active-failed',
  },
  {
    what: 'the server does not reach Pinhole',
    script: atPinhole({ STAT: seenElsewhere, NLST: unlessActive() }),
    finds: 'pinhole-active-failed',
    silent: true,
  },
  {
    what: 'Pinhole is told another address than that of the client',
    script: atPinhole({ PORT: replies.notDialled('PORT') }),
    finds: 'active-not-rewritten',
  },
  {
    what: 'Pinhole refuses TLS, which the server demands',
    script: atPinhole({ PASS: '530 Use TLS.', AUTH: replies.tlsRefused }),
    finds: 'pinhole-refuses-tls',
  },
  {
    what: 'Pinhole refuses TLS',
    script: atPinhole({ AUTH: replies.tlsRefused }),
    finds: 'tls-none-at-pinhole',
    level: 'note',
  },
  {
    what: 'Pinhole passes TLS, and the server announces its inside',
    script: atPinhole({
      AUTH: passTls,
      PASV: async (_, session) =>
        announce227(session.isSecured ? '10.0.0.5' : '127.0.0.1', await session.listen()),
    }),
    finds: 'tls-passes-pinhole',
  },
  {
    what: 'Pinhole ends TLS, and its port is closed there',
    script: atPinhole({
      AUTH: speakTls,
      PASV: async (_, session) => announce227('127.0.0.1', session.isSecured ? 1 : await session.listen()),
    }),
    finds: 'pinhole-passive-closed',
  },
  { what: 'it lives after a silence', script: {}, idle: 100, finds: 'idle-fine', level: 'fine' },
  {
    what: 'it ends idle sessions',
    script: {
      PASS: (_, { number, socket }) => {
        if (number === 1) {
          setTimeout(() => {
            socket.end('421 Timeout.\r\n');
          }, 50);
        }
        return '230 Welcome.';
      },
    },
    idle: 5000,
    finds: 'idle-timeout',
  },
  { what: 'idle sessions are reset', script: { NOOP: hangUp }, idle: 100, finds: 'idle-closed' },
  {
    what: 'idle sessions are forgotten',
    script: { NOOP: undefined },
    idle: 100,
    finds: 'idle-silent',
    silent: true,
  },
];

for (const { what, script, finds, level = 'fault', host, idle, silent } of broken) {
  test(`${finds}: ${what}`, async (t) => {
    const port = await startScriptedServer(t, script, host);
    const findings = await examine(port, {
      ...(host !== undefined && { host }),
      ...(idle !== undefined && { idle }),
      ...(silent && { timeout: short }),
    });
    const found = findings.find(({ id }) => id === finds);
    assert.equal(found?.level, level, JSON.stringify(findings, undefined, 1));
  });
}

test('behind Pinhole a healthy server has no fault, and the note on TLS says that Pinhole can end it', async (t) => {
  const port = await startScriptedServer(t, atPinhole({ STAT: seenElsewhere, AUTH: replies.tlsRefused }));
  const findings = await examine(port);
  assert.deepEqual(idsOf(findings, 'fault'), []);
  assert.deepEqual(idsOf(findings, 'note'), [
    'active-source-port',
    'active-source-port',
    'tls-none-at-pinhole',
  ]);
  for (const language of languages) assert.match(reportText(findings, language), /--tls terminate/);
});

/** What is wrong with data connections, of any kind. */
const withoutData: readonly Script[] = [
  { PASV: () => announce227('127.0.0.1', 1), EPSV: '229 (|||1|)' },
  { NLST: unlessActive('425 Failed to establish connection.') },
  { STAT: seenElsewhere, PORT: '500 Illegal PORT command.' },
  { STAT: seenElsewhere, NLST: unlessActive('425 Failed to establish connection.') },
  { PASV: async (_, session) => announce227('10.0.0.5', await session.listen()) },
  { AUTH: passTls, PASV: async (_, s) => announce227('127.0.0.1', s.isSecured ? 1 : await s.listen()) },
  range(2),
  range(2, true),
];

for (const [index, script] of withoutData.entries()) {
  test(`no remedy attaches the kernel's helper beside Pinhole, and no other names Pinhole as unable: ${index}`, async (t) => {
    const findings = await examine(await startScriptedServer(t, atPinhole(script)));
    assert.ok(idsOf(findings, 'fine').includes('pinhole-here'));
    const lines = findings.flatMap(({ remedies }) => remedies.flatMap((remedy) => remedy.lines));
    assert.doesNotMatch(lines.join('\n'), /ct helper|CT --helper|nf_nat_ftp/);
    assert.doesNotMatch(lines.join('\n'), /pasv_promiscuous|AllowForeignAddress|AllowUserFXP/);
  });
}

test("beside what is not Pinhole the remedy for a client's firewall says where the helper must not be", async (t) => {
  const port = await startScriptedServer(t, { NLST: unlessActive('425 Failed to establish connection.') });
  const findings = await examine(port);
  const helpers = findings
    .flatMap(({ remedies }) => remedies)
    .filter(({ lines }) => lines.some((line) => /ct helper|CT --helper/.test(line)));
  assert.equal(helpers.length, 2);
  for (const { lines } of helpers)
    assert.equal(lines[0], `# not on a host where Pinhole serves port ${port}`);
});

test('over TLS, where Pinhole may pass it on unread, no remedy attaches the helper', async (t) => {
  const port = await startScriptedServer(t, {
    AUTH: speakTls,
    PASS: (_, { isSecured }) => (isSecured ? '230 Welcome.' : '530 Use TLS.'),
    PASV: () => announce227('127.0.0.1', 1),
    NLST: unlessActive('425 Failed to establish connection.'),
  });
  const findings = await examine(port);
  assert.ok(idsOf(findings, 'fault').length > 1);
  assert.doesNotMatch(JSON.stringify(findings), /ct helper|CT --helper/);
});

for (const [at, lines] of [
  [50_299, ['nft insert rule inet filter input tcp dport 50000-50999 accept']],
  [30_000, ['nft insert rule inet filter input tcp dport FIRST-LAST accept']],
] as const) {
  test(`the remedy for Pinhole's closed port ${at} is to open its passive ports`, () => {
    const reached = parseAddress('203.0.113.1') ?? assert.fail();
    const visit = { timeout: long, port: 21, pinhole: 'here' } as const;
    const finding = judgePort('PASV', { how: 'filtered' }, { address: reached, port: at }, visit);
    assert.equal(finding.id, 'pinhole-passive-closed');
    assert.equal(finding.values['code'], 'ETIMEDOUT');
    assert.deepEqual(finding.remedies[0], { target: 'nftables', lines });
    assert.match(reportText([finding], 'en'), /passive-ports/);
  });
}

for (const reply of ['502 NLST not implemented.', '500 Unknown command.', '550 No files found.']) {
  test(`a server that answers NLST with ${reply} and carries out LIST is examined with LIST`, async (t) => {
    const findings = await examine(await startScriptedServer(t, { NLST: reply }));
    assert.deepEqual(idsOf(findings, 'fault'), []);
    assert.deepEqual(idsOf(findings, 'note'), ['active-source-port', 'active-source-port', 'tls-none']);
    assert.equal(idsOf(findings, 'fine').filter((id) => /^(?:passive|active)-fine$/.test(id)).length, 4);
  });
}

for (const [ports, keeps, finds] of [
  [2, false, [['passive-range-few', 'note', 2]]],
  [6, false, [['passive-range-few', 'note', 6]]],
  [8, false, [['passive-range-few', 'note', 8]]],
  [9, false, []],
  [100, false, []],
  [2, true, [['passive-range-refused', 'fault', 2]]],
  [6, true, [['passive-range-refused', 'fault', 6]]],
  [12, true, [['passive-range-refused', 'fault', 12]]],
  [100, true, []],
] as const) {
  const of = keeps ? 'which a session keeps though it used none' : 'which it takes back';
  test(`a server with ${ports} passive ports, ${of}, is told how many it gave`, async (t) => {
    const findings = await examine(await startScriptedServer(t, range(ports, keeps)));
    const about = findings.filter(({ id }) => id.startsWith('passive-range-'));
    assert.deepEqual(
      about.map(({ id, level, values }) => [id, level, values['count']]),
      finds,
    );
    for (const { remedies, values } of about) {
      assert.match(String(values['reply']), /^425 No free port/);
      assert.ok(remedies.some(({ lines }) => lines.includes('pasv_max_port=50999')));
    }
    assert.deepEqual(
      idsOf(findings, 'fault').filter((id) => id !== 'passive-range-refused'),
      [],
    );
  });
}

test('a server with six passive ports that allows four sessions is told of both', async (t) => {
  const findings = await examine(
    await startScriptedServer(t, {
      '': (_, { number }) => (number === 4 ? '421 Too many connections of you.' : '220 Ready.'),
      ...range(6),
    }),
  );
  assert.deepEqual(idsOf(findings, 'fault'), []);
  const notes = idsOf(findings, 'note');
  assert.deepEqual(
    notes.filter((id) => /range|session/.test(id)),
    ['passive-range-few-sessions'],
  );
});

test('a server that refuses a listing is not told to give up a check', async (t) => {
  const no = '550 Permission denied.';
  const findings = await examine(await startScriptedServer(t, { NLST: no, LIST: no }));
  assert.deepEqual(idsOf(findings, 'fault'), []);
  const refused = findings.filter(({ id }) => id === 'listing-refused');
  assert.deepEqual(
    refused.map(({ values }) => values['command']),
    ['PASV', 'EPSV', 'PORT'],
  );
  assert.ok(refused.every(({ remedies }) => remedies.length === 0));
  assert.deepEqual(
    idsOf(findings, 'fine').filter((id) => /^(?:passive|active)-fine$/.test(id)),
    [],
  );
});

test('a server that demands TLS is examined over TLS', async (t) => {
  const onlyOverTls = '530 Non-anonymous sessions must use encryption.';
  const port = await startScriptedServer(t, {
    AUTH: speakTls,
    PASS: (_, { isSecured }) => (isSecured ? '230 Welcome.' : onlyOverTls),
  });
  const findings = await examine(port);
  assert.deepEqual(idsOf(findings, 'fault'), []);
  assert.ok(idsOf(findings, 'note').includes('login-needs-tls'));
  const fine = idsOf(findings, 'fine');
  for (const id of ['login-fine', 'passive-fine', 'active-fine', 'features-fine'])
    assert.ok(fine.includes(id), id);
});

test('a server that demands TLS and whose TLS fails gives the reason', async (t) => {
  const port = await startScriptedServer(t, { PASS: '530 Use TLS.', AUTH: '234 Go on.' });
  const findings = await examine(port, { timeout: short });
  assert.deepEqual(idsOf(findings, 'fault'), ['tls-handshake-failed']);
});

test('the remedies stand under the first finding of a kind', async (t) => {
  const port = await startScriptedServer(t, { PASV: () => announce227('127.0.0.1', 1), EPSV: '229 (|||1|)' });
  const closed = (await examine(port)).filter(({ id }) => id === 'data-port-closed');
  assert.deepEqual(
    closed.map(({ remedies }) => remedies.length > 0),
    [true, false],
  );
});

test('what shows in each mode is one fault', async (t) => {
  const port = await startScriptedServer(t, { PASV: () => announce227('127.0.0.1', 1), EPSV: '229 (|||1|)' });
  const findings = await examine(port);
  assert.deepEqual(idsOf(findings, 'fault'), ['data-port-closed', 'data-port-closed']);
  const text = reportText(findings, 'en');
  assert.match(text, /✘ EPSV announced port 1, and [^\n]*\n {4}\(data-port-closed: as above\)\n/);
  assert.match(text, /\nOne fault\.\n$/);
});

test('what was refused is listed once among what is not known', async (t) => {
  const no = '550 Permission denied.';
  const findings = await examine(await startScriptedServer(t, { NLST: no, LIST: no }));
  const [, list = ''] = reportText(findings, 'en').split('\nNot known:\n');
  assert.equal(list, '  ? PASV: the server refuses NLST and LIST: 550 Permission denied.\n');
  assert.equal(verdictOf(findings), 'as-far-as-seen');
});

test('anonymous-refused: a server without anonymous users is not said to be broken', async (t) => {
  const port = await startScriptedServer(t, { PASS: '530 Login incorrect.' });
  const target = { host: '127.0.0.1', port, user: 'anonymous', password: 'pinhole@' };
  const findings = await examineServer(target, { timeout: long, idle: 0 });
  assert.equal(findings.at(-1)?.id, 'anonymous-refused');
  assert.equal(verdictOf(findings), 'as-far-as-seen');
});

test('an examination that was interrupted is not healthy', () => {
  const findings = [{ id: 'examination-interrupted', level: 'unseen', values: {}, remedies: [] }] as const;
  assert.match(reportJson(findings, 'en'), /"healthy": false/);
});

test('control-refused: nobody listens', async () => {
  assert.deepEqual(idsOf(await examine(1), 'fault'), ['control-refused']);
});

test('name-unknown: a name that cannot be one', async () => {
  assert.deepEqual(idsOf(await examine(21, { host: 'x'.repeat(300) }), 'fault'), ['name-unknown']);
});

test('a name leads to the first of its addresses that answers', async (t) => {
  const findings = await examine(await startScriptedServer(t), { host: 'localhost' });
  assert.deepEqual(idsOf(findings, 'fault'), []);
  assert.equal(findings.find(({ id }) => id === 'control-fine')?.values['address'], '127.0.0.1');
});

test('a password is in no finding', async (t) => {
  const findings = await examine(await startScriptedServer(t, { PASS: undefined }), { timeout: short });
  assert.deepEqual(findings.at(-1)?.values, { command: 'PASS', seconds: 0.4 });
});

test('a password that the server repeats is not said again', async (t) => {
  const script = { PASS: "500 'PASS secret': command not understood" };
  const findings = await examine(await startScriptedServer(t, script));
  assert.deepEqual(idsOf(findings, 'fault'), ['login-refused']);
  assert.match(reportText(findings, 'en'), /500 'PASS \*\*\*': command/);
  assert.doesNotMatch(JSON.stringify(findings), /secret/);
});

test('a server that does not stop replying is left', async (t) => {
  const flood = '220 more\r\n'.repeat(1000) + '220 more';
  const findings = await examine(await startScriptedServer(t, { NOOP: flood, STAT: flood }), {
    timeout: short,
  });
  assert.ok(findings.length > 0);
});

test('an examination that takes too long is ended, and reports that after its findings', async (t) => {
  const port = await startScriptedServer(t, { USER: undefined });
  const target = { host: '127.0.0.1', port, user: 'anna', password: 'secret' };
  const findings = await examineServer(target, { timeout: 2 * long, idle: 0, limit: short });
  assert.equal(findings.at(-1)?.id, 'examination-too-long');
  assert.deepEqual(idsOf(findings, 'fault'), ['examination-too-long']);
  reportText(findings, 'zh');
});

test('an examination that is interrupted returns what is known', async (t) => {
  const port = await startScriptedServer(t, { USER: undefined });
  const interruption = new AbortController();
  const findings = await examineServer(
    { host: '127.0.0.1', port, user: 'anna', password: 'secret' },
    {
      timeout: long,
      idle: 0,
      signal: interruption.signal,
      tell: ({ id }) => {
        if (id === 'greeting-fine') interruption.abort();
      },
    },
  );
  assert.deepEqual(
    findings.map(({ id }) => id),
    ['control-fine', 'greeting-fine', 'examination-interrupted'],
  );
  reportText(findings, 'zh');
});
