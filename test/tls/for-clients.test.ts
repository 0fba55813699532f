import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import type { TlsChannel } from '../../src/net/channel.ts';
import { ClientTlsSession, TlsForClients, type ClientTlsOptions } from '../../src/tls/for-clients.ts';
import { selfSigned, type Credentials } from '../support/certificates.ts';
import { hosts } from '../support/relay/hosts.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { ca } from '../support/relay/tls-lab.ts';
import { identityOf, link, peerOf, type SecuredLink } from '../support/relay/tls-link.ts';
import type { Pace } from '../../src/tls/wire.ts';
import { secureAsClient, type Ticket, type TlsPeer } from '../support/relay/tls-peer.ts';
import { turns, within } from '../support/relay/within.ts';

const soon = 100;
const ftp = ca.issue({ name: 'ftp', hosts: ['ftp.example'] });
const wild = ca.issue({ name: 'wild', hosts: ['*.site.example'] });

function optionsWith(changes: Partial<ClientTlsOptions> = {}): ClientTlsOptions {
  return {
    identities: [identityOf(ftp), identityOf(wild)],
    clientAuthorities: undefined,
    minVersion: 'TLSv1.2',
    isNameStrict: false,
    requiresReuse: false,
    handshakeTimeout: 5000,
    ...changes,
  };
}

type ClientOptions = ConnectionOptions & { readonly ticket?: Ticket };

/** `upload`: a data channel of which it is known that the client sends. */
type Which = 'control' | 'data' | 'upload';

function answer(session: ClientTlsSession, near: Socket, which: Which): Promise<TlsChannel> {
  return which === 'control' ? session.control(near) : session.data(near, 5000, () => which === 'upload');
}

/** A client's control channel or data channel. */
async function open(
  t: TestContext,
  session: ClientTlsSession,
  options: ClientOptions = {},
  which: Which = 'control',
): Promise<SecuredLink> {
  const { near, far } = await link(t);
  const answering = answer(session, near, which);
  const [channel, secured] = await Promise.all([answering, secureAsClient(far, options)]);
  return { channel, socket: near, far: secured };
}

/** What is said of the handshake of a channel that comes to nothing. */
async function refusal(
  t: TestContext,
  session: ClientTlsSession,
  options: ClientOptions = {},
  which: Which = 'control',
): Promise<string> {
  const { near, far } = await link(t);
  const answering = answer(session, near, which);
  const failed = answering.then<never, Error>(
    () => assert.fail('the handshake came to an end'),
    (error: unknown) => error as Error,
  );
  // Of TLS 1.3 the client is told later: its own part is done before it is judged.
  secureAsClient(far, options).catch(() => undefined);
  const { name, message } = await within(failed, 'the end of the handshake');
  assert.equal(name, 'HandshakeError');
  return message;
}

const newSession = (changes: Partial<ClientTlsOptions> = {}): ClientTlsSession =>
  new TlsForClients(optionsWith(changes)).newSession();

test('shows the chain behind its certificate, which leads to whom the client trusts', async (t) => {
  const between = ca.intermediate('Between');
  const leaf = between.issue({ hosts: ['ftp.example'] });
  for (const [cert, isTrusted] of [
    [leaf.cert + between.cert, true],
    [leaf.cert, false],
  ] as const) {
    const session = newSession({ identities: [identityOf({ cert, key: leaf.key })] });
    const { far } = await open(t, session, { ca: ca.cert, servername: 'ftp.example' });
    assert.equal(far.stream.authorized, isTrusted);
  }
});

for (const isNameStrict of [false, true]) {
  for (const [servername, expected] of [
    ['ftp.example', 'ftp'],
    ['FTP.Example', 'ftp'],
    ['a.site.example', 'wild'],
    ['', 'ftp'],
    ['a.b.site.example', isNameStrict ? undefined : 'ftp'],
    ['site.example', isNameStrict ? undefined : 'ftp'],
    ['nobody.example', isNameStrict ? undefined : 'ftp'],
  ] as const) {
    const how = `a client that asks for ${servername || 'no name'}${isNameStrict ? ', strict' : ''}`;

    test(`${expected ? `shows its certificate '${expected}' to` : 'refuses'} ${how}`, async (t) => {
      const session = newSession({ isNameStrict });
      if (expected === undefined) {
        const message = `no certificate matches the name ${servername} that the client asked for`;
        assert.equal(await refusal(t, session, { servername }), message);
        return;
      }
      const { channel, far } = await open(t, session, { servername });
      assert.equal(far.stream.getPeerCertificate().subject.CN, expected);
      assert.equal(channel.facts.serverName, servername || undefined);
    });
  }
}

for (const [which, offered, expected] of [
  ['control', [], false],
  ['control', ['ftp'], 'ftp'],
  ['control', ['h2', 'ftp'], 'ftp'],
  ['control', ['h2', 'http/1.1'], undefined],
  ['control', ['ftp-data'], undefined],
  ['data', [], false],
  ['data', ['ftp'], 'ftp'],
  ['data', ['ftp-data'], 'ftp-data'],
  ['data', ['imap'], undefined],
] as const) {
  const name = offered.join(' and ') || 'nothing';
  test(`${expected === undefined ? 'refuses' : 'takes'} a client that offers ${name} by ALPN for ${which}`, async (t) => {
    const session = newSession();
    const options = { ALPNProtocols: [...offered] };
    if (expected === undefined) {
      assert.match(await refusal(t, session, options, which), /no application protocol/);
    } else {
      const { far } = await open(t, session, options, which);
      assert.equal(far.stream.alpnProtocol, expected);
    }
  });
}

test('refuses an older version of TLS than the least', async (t) => {
  const session = newSession({ minVersion: 'TLSv1.3' });
  assert.match(await refusal(t, session, { maxVersion: 'TLSv1.2' }), /unsupported protocol/);
  const { channel } = await open(t, session);
  assert.equal(channel.facts.protocol, 'TLSv1.3');
});

// ---- Limits ----

test('waits for the first word on a data channel as long as it is told, and for the rest as long as for any', async (t) => {
  const session = newSession({ handshakeTimeout: soon });
  const silent = await link(t);
  await assert.rejects(
    session.data(silent.near, 2 * soon, () => false),
    { message: 'no TLS handshake within 0.2 s' },
  );
  const stalled = await link(t);
  stalled.far.send(Buffer.of(0x16, 3, 1));
  await assert.rejects(
    session.data(stalled.near, 5000, () => false),
    {
      message: 'the TLS handshake took longer than 0.1 s',
    },
  );
});

test('waits for the first word on a control channel no longer than for a handshake', async (t) => {
  const { near } = await link(t);
  await assert.rejects(newSession({ handshakeTimeout: soon }).control(near), {
    message: 'no TLS handshake within 0.1 s',
  });
});

// ---- Certificates that change ----

test('shows new certificates to new sessions, and the old ones to those that are live', async (t) => {
  const tls = new TlsForClients(optionsWith());
  const live = tls.newSession();
  await open(t, live);
  tls.configure(optionsWith({ identities: [identityOf(ca.issue({ name: 'renewed' }))] }));
  const shown = async (session: ClientTlsSession, which: 'control' | 'data'): Promise<unknown> => {
    const { far } = await open(t, session, {}, which);
    return far.stream.getPeerCertificate().subject.CN;
  };
  assert.equal(await shown(live, 'data'), 'ftp');
  assert.equal(await shown(tls.newSession(), 'control'), 'renewed');
});

const weak = selfSigned({ rsaBits: 512 });
const brokenChain: Credentials = {
  ...ftp,
  cert: `${ftp.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
};

for (const [what, credentials] of [
  ['whose key is too weak for OpenSSL', weak],
  ['with something else in its chain', brokenChain],
] as const) {
  test(`keeps the old certificates where there is a new one ${what}, and names its file`, async (t) => {
    const bad = optionsWith({ identities: [identityOf(wild), identityOf(credentials, 'bad.pem')] });
    const expected = { name: 'IdentityError', message: /^tls-cert: bad\.pem cannot be used: / };
    assert.throws(() => new TlsForClients(bad), expected);
    const tls = new TlsForClients(optionsWith());
    assert.throws(() => {
      tls.configure(bad);
    }, expected);
    const { far } = await open(t, tls.newSession());
    assert.equal(far.stream.getPeerCertificate().subject.CN, 'ftp');
  });
}

// ---- Sessions of TLS that are resumed ----

const noTickets = { secureOptions: constants.SSL_OP_NO_TICKET };
const ways: readonly (readonly [string, ClientOptions])[] = [
  ['a ticket of TLS 1.3', { minVersion: 'TLSv1.3' }],
  ['a ticket of TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['an id of TLS 1.2', { maxVersion: 'TLSv1.2', ...noTickets }],
];

/** Where reuse is required, TLS is 1.3 only if that is the least. */
const least = ({ minVersion }: ClientOptions): Pick<ClientTlsOptions, 'minVersion'> => ({
  minVersion: minVersion ?? 'TLSv1.2',
});

/** The control channel of a session, with what resumes it. */
async function control(
  t: TestContext,
  session: ClientTlsSession,
  options: ClientOptions,
): Promise<{ readonly channel: TlsChannel; readonly ticket: Ticket }> {
  const ticket: Ticket = {};
  const ends = await open(t, session, { ...options, ticket });
  // With TLS 1.3 it comes behind the handshake.
  peerOf(ends).send('.');
  await ends.far.expect('.');
  assert.ok(ticket.session, 'nothing to resume came');
  return { channel: ends.channel, ticket };
}

for (const [how, options] of ways) {
  for (const requiresReuse of [false, true]) {
    const what = `${how}${requiresReuse ? ', where that is required' : ''}`;

    test(`resumes the control channel's session on data channels by ${what}`, async (t) => {
      const session = newSession({ requiresReuse, ...least(options) });
      const { channel, ticket } = await control(t, session, options);
      assert.equal(channel.facts.isResumed, false);
      const resumed = { ...options, ticket: { session: ticket.session } as Ticket };
      for (let n = 0; n < 3; n++) {
        const data = await open(t, session, resumed, 'data');
        assert.equal(data.channel.facts.isResumed, true);
        data.far.end('a file');
        assert.equal(await peerOf(data).rest(), 'a file');
      }
    });
  }

  test(`takes a data channel with a new session, and says so, where no reuse is required: ${how}`, async (t) => {
    const session = newSession();
    await control(t, session, options);
    const { channel } = await open(t, session, options, 'data');
    assert.equal(channel.facts.isResumed, false);
  });

  test(`takes nobody else's session where reuse is required: ${how}`, async (t) => {
    const tls = new TlsForClients(optionsWith({ requiresReuse: true, ...least(options) }));
    const { ticket } = await control(t, tls.newSession(), options);
    const session = tls.newSession();
    await control(t, session, options);
    assert.equal(
      await refusal(t, session, { ...options, ticket }, 'data'),
      'the TLS session of the control connection was not resumed',
    );
  });

  test(`knows the client's certificate again on a data channel that resumes by ${how}`, async (t) => {
    const session = newSession({ clientAuthorities: ca.cert, requiresReuse: true, ...least(options) });
    const anne = ca.issue({ name: 'anne' });
    const { channel, ticket } = await control(t, session, { ...options, ...anne });
    assert.equal(channel.facts.subject, 'CN=anne');
    const data = await open(t, session, { ...options, ...anne, ticket }, 'data');
    assert.equal(data.channel.facts.isResumed, true);
    assert.equal(data.channel.facts.subject, 'CN=anne');
  });

  test(`gives a client that it refuses nothing to resume by ${how}`, async (t) => {
    const ticket: Ticket = {};
    const mallory = { ...options, ...selfSigned({ name: 'mallory' }), ticket };
    const said = await refusal(t, newSession({ clientAuthorities: ca.cert }), mallory);
    assert.match(said, /^the client's certificate is not accepted: self.signed certificate$/);
    await turns(50);
    assert.equal(ticket.session, undefined);
  });
}

test('gives a client a ticket of TLS 1.3 for the next data channel each time, and each resumes', async (t) => {
  const session = newSession({ requiresReuse: true, minVersion: 'TLSv1.3' });
  let { ticket } = await control(t, session, {});
  for (let n = 0; n < 3; n++) {
    const next: Ticket = { session: ticket.session as Buffer };
    const data = await open(t, session, { ticket: next }, 'data');
    data.far.end('a file');
    assert.equal(await peerOf(data).rest(), 'a file');
    peerOf(data).end('and back');
    assert.equal(await data.far.rest(), 'and back');
    assert.notDeepEqual(next.session, ticket.session);
    ticket = next;
  }
});

test('gives a client none where it is known to send, whether it resumes or not', async (t) => {
  const session = newSession();
  const { ticket } = await control(t, session, {});
  for (const before of [ticket.session, undefined]) {
    const given: Ticket = before ? { session: before } : {};
    const data = await open(t, session, { ticket: given }, 'upload');
    assert.equal(data.channel.facts.isResumed, before !== undefined);
    peerOf(data).end('nothing else');
    assert.equal(await data.far.rest(), 'nothing else');
    assert.equal(given.session, before);
  }
});

test('is TLS 1.2 where reuse is required, whose sessions resume without end, unless 1.3 is the least', async (t) => {
  const { channel } = await open(t, newSession({ requiresReuse: true }));
  assert.equal(channel.facts.protocol, 'TLSv1.2');
  const newer = await open(t, newSession({ requiresReuse: true, minVersion: 'TLSv1.3' }));
  assert.equal(newer.channel.facts.protocol, 'TLSv1.3');
});

for (const [how, options] of ways) {
  test(`refuses a certificate that has expired since the session began that resumes by ${how}`, async (t) => {
    const session = newSession({ clientAuthorities: ca.cert });
    const { ticket } = await control(t, session, { ...options, ...ca.issue({ name: 'anne' }) });
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2200, 0) });
    const said = await refusal(t, session, { ...options, ticket }, 'data');
    assert.equal(said, "the client's certificate is not accepted: certificate has expired");
  });
}

// With TLS 1.2 the name is that of the session, whatever the client says (RFC 6066 section 3).
test('refuses a strange name of a client that resumes by a ticket of TLS 1.3, where names are strict', async (t) => {
  const session = newSession({ isNameStrict: true });
  const { ticket } = await control(t, session, { servername: 'ftp.example' });
  const said = await refusal(t, session, { ticket, servername: 'nobody.example' }, 'data');
  assert.match(said, /^no certificate matches the name nobody\.example/);
});

test('remembers the latest sixteen sessions of TLS 1.2 by their ids', async (t) => {
  const options: ClientOptions = { maxVersion: 'TLSv1.2', ...noTickets };
  const session = newSession();
  const { ticket: oldest } = await control(t, session, options);
  const next: Ticket = {};
  await open(t, session, { ...options, ticket: next }, 'data');
  for (let n = 0; n < 15; n++) await open(t, session, options, 'data');
  for (const [ticket, isKnown] of [
    [next, true],
    [oldest, false],
  ] as const) {
    const { channel } = await open(t, session, { ...options, ticket }, 'data');
    assert.equal(channel.facts.isResumed, isKnown);
  }
});

// ---- Certificates of clients ----

test('takes a client whose certificate leads by its chain to whom is trusted', async (t) => {
  const between = ca.intermediate('Between');
  const anne = between.issue({ name: 'anne' });
  const session = newSession({ clientAuthorities: ca.cert });
  const { channel } = await open(t, session, { ...anne, cert: anne.cert + between.cert });
  assert.equal(channel.facts.subject, 'CN=anne');
});

test('asks nobody for a certificate unless it is to be shown', async (t) => {
  const { channel } = await open(t, newSession(), ca.issue({ name: 'anne' }));
  assert.equal(channel.facts.subject, undefined);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`refuses a client without a certificate, or with one that somebody else signed, ${version}`, async (t) => {
    const session = newSession({ clientAuthorities: ca.cert });
    const options: ClientOptions = { maxVersion: version };
    assert.equal(await refusal(t, session, options), 'the client presented no certificate');
    assert.match(
      await refusal(t, session, { ...options, ...ca.intermediate('Between').issue({ name: 'anne' }) }),
      /^the client's certificate is not accepted: unable to /,
    );
  });
}

test('takes no data channel without the certificate of the control channel', async (t) => {
  const session = newSession({ clientAuthorities: ca.cert });
  await open(t, session, ca.issue({ name: 'anne' }));
  assert.equal(await refusal(t, session, {}, 'data'), 'the client presented no certificate');
});

// ---- Another handshake ----

test('answers a client that asks for another handshake with no_renegotiation', async (t) => {
  const ends = await open(t, newSession(), { maxVersion: 'TLSv1.2' });
  const near = peerOf(ends);
  ends.far.stream.renegotiate({}, () => undefined);
  assert.equal(await ends.far.failure(), 'ERR_SSL_NO_RENEGOTIATION');
  assert.equal(near.unread, '');
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('answers openssl s_client so too', { skip: hasOpenssl ? false : 'no openssl' }, async (t) => {
  const listener = await PeerListener.at(hosts.relay);
  t.after(() => {
    listener.destroy();
  });
  const { address, port } = listener.endpoint;
  const client = spawn('openssl', ['s_client', '-connect', `${address}:${port}`, '-tls1_2']);
  t.after(() => client.kill());
  let said = '';
  client.stderr.setEncoding('latin1').on('data', (text: string) => (said += text));
  const exited = once(client, 'exit');
  const near = (await listener.next()).give();
  const channel = await newSession().control(near);
  const reader = peerOf({ channel, socket: near });
  client.stdin.write('a line\n');
  await reader.expect('a line\n');
  client.stdin.write('R\n');
  const [status] = (await within(exited, 'the end of s_client', () => said)) as [number];
  assert.equal(status, 1);
  assert.match(said, /no renegotiation/);
  assert.equal(reader.unread, '');
});

for (const which of ['control', 'data'] as const) {
  const after = which === 'control' ? 'and what follows' : 'and what follows at once';
  test(`takes each step of a handshake for ${which} in its turn, ${after}`, async (t) => {
    const steps = new Set<() => void>();
    const session = new TlsForClients(optionsWith()).newSession(inSteps(steps));
    const goOn = async (holds: () => boolean): Promise<void> => {
      await until(() => {
        for (const step of steps) step();
        return holds();
      });
    };
    const { near, far } = await link(t);
    const channels: TlsChannel[] = [];
    const peers: TlsPeer[] = [];
    void answer(session, near, which).then((made) => void channels.push(made));
    void secureAsClient(far).then((made) => void peers.push(made));
    await until(() => steps.size === 1);
    await turns(20);
    assert.equal(peers.length, 0);
    await goOn(() => peers.length + channels.length === 2);
    const [[secured], [channel]] = [peers, channels];
    assert.equal(steps.size, 0);
    secured?.send('NOOP\r\n');
    let read = '';
    channel?.stream.on('data', (chunk: Buffer) => (read += chunk.toString()));
    channel?.resume();
    if (which === 'control') {
      await until(() => steps.size === 1);
      await turns(20);
      assert.equal(read, '');
      await goOn(() => read !== '');
    } else {
      await until(() => read !== '');
    }
    assert.equal(read, 'NOOP\r\n');
  });
}

test('fails at once where the client goes while a step of its handshake waits', async (t) => {
  const steps = new Set<() => void>();
  const session = new TlsForClients(optionsWith()).newSession(inSteps(steps));
  const { near, far } = await link(t);
  const answering = session.control(near);
  secureAsClient(far).catch(() => undefined);
  await until(() => steps.size === 1);
  far.reset();
  near.destroy();
  await assert.rejects(within(answering, 'the end of the handshake'), { name: 'HandshakeError' });
  for (const step of steps) step();
});

/** Work that goes on as far as it is let: what waits is called by the test. */
function inSteps(steps: Set<() => void>): Pace {
  return {
    join: (run) => {
      const step = (): void => {
        steps.delete(step);
        if (run(() => true)) steps.add(step);
      };
      return { request: () => void steps.add(step) };
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  await within(
    (async () => {
      while (!holds()) await turns();
    })(),
    'the step',
  );
}
