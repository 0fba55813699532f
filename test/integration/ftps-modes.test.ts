/**
 * FTPS in its less usual ways, with real servers: passed on unread, data left to client and server, certificates that
 * are wrong, clients that have to show one, and files of a gibibyte.
 */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { makeCertificates, type Certificates } from '../support/lab/certificates.ts';
import {
  runClient,
  safeUpload,
  type ClientName,
  type ClientTls,
  type Operation,
} from '../support/lab/clients.ts';
import { connectFrom } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, withPort, type LabRelay } from '../support/lab/relay.ts';
import { serverCapability } from '../support/lab/server-tls.ts';
import {
  serverNames,
  startServer,
  type LabServer,
  type ServerName,
  type ServerOptions,
} from '../support/lab/servers.ts';

const missing = await requirements();
const download = randomBytes(300_000);
const upload = download.subarray(0, safeUpload);
const range = [50_000, 50_019] as const;

let network: Network;
let certificates: Certificates;
let dispose = (): Promise<void> => Promise.resolve();
let lastPort = 2200;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork();
  dispose = () => network.dispose();
  certificates = await makeCertificates(network.folder);
});
after(() => dispose());

interface Stand {
  readonly server: LabServer;
  readonly relay: LabRelay;
  end(): Promise<void>;
}

/** A server on a port of its own, and the relay in front of it. */
async function stand(
  flags: readonly string[],
  options: ServerOptions,
  name: ServerName = 'vsftpd',
): Promise<Stand> {
  const port = ++lastPort;
  const server = await startServer(network, name, { port, passivePorts: range, ...options });
  const relay = await startRelay(network, { server: withPort(server.address, port), flags });
  return {
    server,
    relay,
    end: async () => {
      await relay.stop();
      await server.stop();
    },
  };
}

function terminate(...more: string[]): string[] {
  const { cert, key } = certificates.server;
  return ['--tls', 'terminate', '--tls-cert', cert, '--tls-key', key, ...more];
}

async function performs(
  { server, relay }: Stand,
  client: ClientName,
  operation: Operation,
  tls: Partial<ClientTls> | undefined = {},
): Promise<{ ok: boolean; context: string }> {
  const local = join(network.folder, 'local.bin');
  rmSync(join(server.root, 'up.bin'), { force: true });
  server.put('down.bin', download);
  writeFileSync(local, operation === 'upload' ? upload : '');
  const { user, password } = server;
  const said: ClientTls = { kind: 'explicit', data: 'protected', ca: certificates.ca, reuse: true, ...tls };
  const { ok, output } = await runClient(network, client, {
    ...{
      address: relay.address,
      port: relay.port,
      user,
      password,
      mode: 'extended-passive',
      operation,
      local,
    },
    remote: operation === 'upload' ? 'up.bin' : 'down.bin',
    tls: said,
  });
  const context = `${operation}:\n${output}\n${relay.output()}\n${server.log()}`;
  if (!ok) return { ok, context };
  const isWhole =
    operation === 'upload' ? server.read('up.bin').equals(upload) : readFileSync(local).equals(download);
  return { ok: isWhole, context };
}

test('TLS that is passed on: the server ends it, and its session is resumed on data channels', async (t) => {
  if (skipOrFail(t, missing)) return;
  const tls = { identity: certificates.server, requires: 'everything', requireReuse: true } as const;
  const flags = ['--tls', 'pass', '--passive-ports', range.join('-')];
  const here = await stand(flags, { tls, extra: [`pasv_address=${addresses[4].public}`] });
  try {
    const { relay } = here;
    await relay.waitForLog(({ msg }) => /The server must announce .* and use 50000-50019/.test(String(msg)));
    for (const client of ['curl', 'lftp', 'ftplib', 'basic-ftp'] as const) {
      for (const operation of ['upload', 'download'] as const) {
        const from = relay.log().length;
        const { ok, context } = await performs(here, client, operation);
        assert.ok(ok, context);
        const { session } = await relay.waitForLog(({ msg }) => msg === 'session opaque', { from });
        const ofSession = (what: string): Promise<unknown> =>
          relay.waitForLog((each) => each['msg'] === what && each['session'] === session);
        await Promise.all([ofSession('transfer'), ofSession('session closed')]);
      }
    }
    // Without a session of it, a port of the range is shut again.
    assert.match(await connectFrom(network, 'client', relay.address, range[0]), /refused/);
  } finally {
    await here.end();
  }
});

test('a port of a passed range is open to the address of the session and to no other', async (t) => {
  if (skipOrFail(t, missing)) return;
  const tls = { identity: certificates.server } as const;
  const here = await stand(['--tls', 'pass', '--passive-ports', range.join('-')], { tls });
  try {
    const script = [
      ...['import ftplib, ssl, sys', 'context = ssl._create_unverified_context()'],
      ...[
        'ftp = ftplib.FTP_TLS(context=context)',
        `ftp.connect("${here.relay.address}", ${here.relay.port}, 10)`,
      ],
      'ftp.auth()',
      // A log in takes as many commands: nobody is let through before.
      ...['for _ in range(3):', '    try: ftp.sendcmd("NOOP")', '    except ftplib.error_perm: pass'],
      ...['print("secured", flush=True)', 'sys.stdin.read()'],
    ].join('\n');
    const holding = network.spawn('client', [debianPython, '-c', script], { interactive: true });
    await holding.waitForOutput(/secured/);
    const port = range[0] + 7;
    const listening = network.spawn('server', [debianPython, '-m', 'http.server', String(port)]);
    await listening.waitForPort(port);
    assert.equal((await network.exec('client', connecting(port))).code, 0);
    assert.notEqual((await network.exec('stranger', connecting(port))).code, 0);
    await here.relay.waitForLog(({ msg, reason }) => msg === 'pinhole refused' && reason === 'stranger');
    await listening.stop();
    await holding.stop();
  } finally {
    await here.end();
  }
});

/** Connects and reads: 0 where something answers. */
function connecting(port: number): string[] {
  const script = `exec 3<> /dev/tcp/${addresses[4].public}/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q HTTP <&3`;
  return ['timeout', '5', 'bash', '-c', script];
}

test('the kernel carries what is TLS between client and server, and this process what it has to read', async (t) => {
  if (skipOrFail(t, missing)) return;
  const tls = { identity: certificates.server } as const;
  const trust = ['--server-tls', 'same', '--server-tls-ca', certificates.ca, '--plane', 'kernel'];
  await network.setForwarding(true);
  try {
    for (const [more, plane, protection] of [
      [['--tls-data', 'server'], 'kernel', undefined],
      [[], 'relay', 'both'],
    ] as const) {
      const here = await stand(terminate(...trust, ...more), { tls });
      try {
        for (const operation of ['upload', 'download'] as const) {
          const { ok, context } = await performs(here, 'ftplib', operation, { reuse: false });
          assert.ok(ok, context);
          const verb = operation === 'upload' ? 'STOR' : 'RETR';
          const done = await here.relay.waitForLog(
            ({ msg, command }) => msg === 'transfer' && command === verb,
          );
          assert.deepEqual(
            [done['plane'], done['protection'], done['cause']],
            [plane, protection, 'complete'],
          );
        }
        const from = here.relay.log().length;
        const clear = await performs(here, 'lftp', 'download', { data: 'clear' });
        assert.ok(clear.ok, clear.context);
        const done = await here.relay.waitForLog(({ msg }) => msg === 'transfer', { from });
        assert.deepEqual([done['command'], done['plane']], ['RETR', 'kernel']);
      } finally {
        await here.end();
      }
    }
  } finally {
    await network.setForwarding(false);
  }
});

for (const [which, words] of [
  ['expired', /: it has expired/],
  ['foreign', /: its issuer is not trusted/],
  ['misnamed', /: it is not for 10\.77\.0\.2/],
] as const) {
  test(`a server whose certificate is ${which} is not spoken to, and the client is told`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const identity = certificates[which];
    const flags = terminate('--server-tls', 'explicit', '--server-tls-ca', certificates.ca);
    const here = await stand(flags, { tls: { identity } });
    try {
      const { ok, context } = await performs(here, 'curl', 'download');
      assert.equal(ok, false);
      assert.match(context, /421 Service not available: TLS with the server failed\./);
      const { error } = await here.relay.waitForLog(({ reason }) => reason === 'server-tls-failed');
      assert.match(String(error), words);
      assert.doesNotMatch(here.server.log(), /USER/);
    } finally {
      await here.end();
    }
  });
}

test('a server is taken by the fingerprint of its certificate, whoever signed it, and by no other', async (t) => {
  if (skipOrFail(t, missing)) return;
  const identity = certificates.foreign;
  const { fingerprint256 } = new X509Certificate(readFileSync(identity.cert));
  const others = new X509Certificate(readFileSync(certificates.server.cert)).fingerprint256;
  for (const [fingerprint, works] of [
    [fingerprint256, true],
    [others, false],
  ] as const) {
    const flags = terminate('--server-tls', 'same', '--server-tls-fingerprint', fingerprint);
    const here = await stand(flags, { tls: { identity, requireReuse: true } });
    try {
      const { ok, context } = await performs(here, 'curl', 'download');
      assert.equal(ok, works, context);
    } finally {
      await here.end();
    }
  }
});

test('a client shows a certificate where that is demanded, and its subject is logged', async (t) => {
  if (skipOrFail(t, missing)) return;
  const here = await stand(terminate('--tls-client-ca', certificates.ca), {});
  try {
    const { ok } = await performs(here, 'curl', 'download');
    assert.equal(ok, false);
    const { error } = await here.relay.waitForLog(({ reason }) => reason === 'tls-failed');
    assert.match(String(error), /presented no certificate/);
    const { user, password, port } = { ...here.server, port: here.relay.port };
    const { cert, key } = certificates.client;
    const url = `ftp://${here.relay.address}:${port}/down.bin`;
    const shown = ['--cert', cert, '--key', key, '--cacert', certificates.ca, '--ssl-reqd'];
    await network.must('client', [
      'curl',
      '-sS',
      ...shown,
      '-u',
      `${user}:${password}`,
      '-o',
      '/dev/null',
      url,
    ]);
    const { subject } = await here.relay.waitForLog(
      ({ msg, subject: said }) => msg === 'session secured' && said !== undefined,
    );
    assert.equal(subject, 'CN=tester');
  } finally {
    await here.end();
  }
});

describe('a gibibyte goes up and comes down unchanged, TLS on both sides', { concurrency: 1 }, () => {
  const local = (): string => join(network.folder, 'gibibyte');
  before(async () => {
    if (missing.length > 0) return;
    const made = `head -c 1G /dev/zero | openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 > ${local()}`;
    await network.must('client', ['bash', '-c', made], { timeout: 120_000 });
  });
  after(() => {
    if (missing.length === 0) rmSync(local());
  });

  for (const name of serverNames) {
    test(`with ${name}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const requireReuse =
        serverCapability(name, { identity: certificates.server, requireReuse: true }) === true;
      const tls = { identity: certificates.server, requireReuse } as const;
      const flags = terminate('--server-tls', 'same', '--server-tls-ca', certificates.ca);
      const here = await stand(flags, { tls }, name);
      try {
        const { user, password } = here.server;
        const { address, port } = here.relay;
        // Of the clients that send a file of any size whole.
        const { ok, output } = await runClient(network, 'ftplib', {
          ...{ address, port, user, password, mode: 'extended-passive', timeout: 120_000 },
          tls: { ca: certificates.ca, kind: 'explicit', data: 'protected' },
          ...{ operation: 'upload', remote: 'gibibyte', local: local() },
        });
        assert.ok(ok, output);
        const url = `ftp://${address}:${port}/gibibyte`;
        const curl = ['curl', '-sS', '--ssl-reqd', '--cacert', certificates.ca, '-u', `${user}:${password}`];
        const compared = ['bash', '-o', 'pipefail', '-c', '"$@" | cmp - "$0"', local(), ...curl, url];
        await network.must('client', compared, { timeout: 120_000 });
      } finally {
        rmSync(join(here.server.root, 'gibibyte'), { force: true });
        await here.end();
      }
    });
  }
});
