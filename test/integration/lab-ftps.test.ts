/**
 * The lab's TLS: without a relay, over a gateway that routes, servers and clients that speak FTPS do so with each
 * other. What fails here is not the product's fault.
 */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { certifiedName, makeCertificates } from '../support/lab/certificates.ts';
import type { Certificates } from '../support/lab/certificates.ts';
import { capability, clientNames, runClient, safeUpload } from '../support/lab/clients.ts';
import type { ClientName, ClientResult, ClientTls, Mode, Operation } from '../support/lab/clients.ts';
import { addresses, createNetwork } from '../support/lab/network.ts';
import type { Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { serverCapability } from '../support/lab/server-tls.ts';
import type { ServerTls } from '../support/lab/server-tls.ts';
import { serverNames, startServer } from '../support/lab/servers.ts';
import type { LabServer, ServerName } from '../support/lab/servers.ts';

const missing = await requirements();

const content = randomBytes(safeUpload);

type Wish = Partial<ServerTls>;
type Say = Omit<ClientTls, 'ca'>;
/** One for each server and setting that a test below asks for. */
const servers = new Map<string, Promise<LabServer>>();

let network: Network;
let certificates: Certificates;
let dispose = (): Promise<void> => Promise.resolve();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  dispose = () => network.dispose();
  certificates = await makeCertificates(network.folder);
});

after(() => dispose());

test('each certificate is right but for what its name says', (t) => {
  if (skipOrFail(t, missing)) return;
  const read = (path: string): X509Certificate => new X509Certificate(readFileSync(path));
  const { publicKey } = read(certificates.ca);
  const lab = [addresses[4], addresses[6]].flatMap((family) => [family.public, family.inside, family.server]);
  const faults = (path: string): string[] => {
    const certificate = read(path);
    return [
      ...(certificate.verify(publicKey) ? [] : ['another CA']),
      ...(new Date(certificate.validTo) > new Date() ? [] : ['expired']),
      ...(certificate.checkHost(certifiedName) === undefined ? ['name'] : []),
      ...(lab.every((address) => certificate.checkIP(address) !== undefined) ? [] : ['addresses']),
    ];
  };
  assert.deepEqual(faults(certificates.server.cert), []);
  assert.deepEqual(faults(certificates.expired.cert), ['expired']);
  assert.deepEqual(faults(certificates.foreign.cert), ['another CA']);
  assert.deepEqual(faults(certificates.misnamed.cert), ['name', 'addresses']);
  assert.ok(read(certificates.foreign.cert).verify(read(certificates.otherCa).publicKey));
  assert.ok(read(certificates.client.cert).verify(publicKey));
  assert.equal(read(certificates.server.cert).publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

for (const name of serverNames) {
  for (const wish of wishesOf(name, [{}, { maxVersion: 'TLSv1.2' }, { kind: 'implicit' }])) {
    const { kind = 'explicit', maxVersion = 'TLSv1.3' } = wish;
    test(`${name} speaks ${kind} ${maxVersion} with the certificate that it was given`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const { address, port } = await serverOf(name, wish);
      const to = ['-connect', `${address}:${port}`, ...(kind === 'explicit' ? ['-starttls', 'ftp'] : [])];
      const trust = ['-CAfile', certificates.ca, '-verify_return_error', '-verify_ip', address];
      const argv = ['openssl', 's_client', '-brief', ...to, ...trust];
      const { stderr } = await network.exec('client', argv, { input: 'QUIT\r\n' });
      assert.match(stderr, new RegExp(`^Protocol version: ${maxVersion}$`, 'm'));
      assert.match(stderr, /^Verification: OK$/m);
    });
  }
}

for (const name of serverNames) {
  test(`${name} takes no password in the clear where TLS is required, and does where it is not`, async (t) => {
    if (skipOrFail(t, missing)) return;
    assert.doesNotMatch(await loginInTheClear(await serverOf(name, {})), /^230/m);
    assert.match(await loginInTheClear(await serverOf(name, { requires: 'nothing' })), /^230/m);
  });
}

test('what a server has no setting for is refused by name', async (t) => {
  if (skipOrFail(t, missing)) return;
  const identity = certificates.server;
  await assert.rejects(startServer(network, 'pure-ftpd', { tls: { identity, kind: 'implicit' } }), {
    message: 'pure-ftpd cannot be started so: it has no implicit TLS',
  });
});

const ways: readonly [Mode, readonly Operation[]][] = [
  ['extended-passive', ['list', 'upload', 'download']],
  ['active', ['upload']],
];
for (const name of serverNames) {
  for (const wish of wishesOf(name, [{}, { kind: 'implicit' }])) {
    const { kind = 'explicit' } = wish;
    const say: Say = { kind, data: 'protected' };
    for (const client of clientNames) {
      for (const [mode, all] of ways) {
        // Implicit TLS differs at its beginning alone.
        const some = kind === 'implicit' ? (['upload'] as const) : all;
        const can = some.filter(
          (each) => capability(client, mode, 4, each, { ...say, server: name }) === true,
        );
        if (can.length === 0) continue;
        test(`${client} does ${can.join(', ')} in ${mode} mode over ${kind} TLS with ${name}`, async (t) => {
          if (skipOrFail(t, missing)) return;
          for (const operation of can)
            await performs(client, await serverOf(name, wish), mode, operation, say);
        });
      }
    }
  }
}

for (const client of clientNames) {
  for (const kind of ['explicit', 'implicit'] as const) {
    const say: Say = { kind, data: 'clear' };
    if (capability(client, 'passive', 4, 'download', say) !== true) continue;
    test(`${client} downloads in the clear after ${kind} TLS for the login`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const name = kind === 'explicit' ? 'vsftpd' : 'proftpd';
      await performs(
        client,
        await serverOf(name, kind === 'explicit' ? {} : { kind }),
        'passive',
        'download',
        say,
      );
    });
  }
}

for (const name of ['vsftpd', 'proftpd'] as const) {
  for (const client of clientNames) {
    const say: Say = { kind: 'explicit', data: 'protected', reuse: true };
    if (capability(client, 'extended-passive', 4, 'download', say) !== true) continue;
    test(`${client} resumes its session where ${name} demands it`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const server = await serverOf(name, { requireReuse: true });
      await performs(client, server, 'extended-passive', 'download', say);
      await performs(client, server, 'extended-passive', 'upload', { ...say, maxVersion: 'TLSv1.2' });
    });
  }

  test(`ftplib that does not resume its session is refused by ${name} for that`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const server = await serverOf(name, { requireReuse: true });
    const reason = /session reuse required|client did not reuse TLS session, rejecting data connection/g;
    const refusals = (): number => server.log().match(reason)?.length ?? 0;
    for (const maxVersion of [{}, { maxVersion: 'TLSv1.2' }] as const) {
      const before = refusals();
      const say: Say = { kind: 'explicit', data: 'protected', ...maxVersion };
      const { ok, output } = await run('ftplib', server, 'extended-passive', 'list', say);
      assert.ok(!ok && refusals() > before, `${output}\n${server.log()}`);
    }
  });
}

for (const client of clientNames) {
  const say: Say = { kind: 'explicit', data: 'protected' };
  if (capability(client, 'passive', 4, 'list', say) !== true) continue;
  test(`${client} logs in to no server whose certificate is wrong`, async (t) => {
    if (skipOrFail(t, missing)) return;
    for (const wrong of ['foreign', 'misnamed', 'expired'] as const) {
      const server = await serverOf('vsftpd', { identity: certificates[wrong] });
      const { ok, output } = await run(client, server, 'passive', 'list', say);
      assert.equal(ok, false, `${wrong}: ${output}`);
      assert.match(output, /certificate/i);
    }
  });
}

test('what a client cannot do with TLS is refused with the reason', async (t) => {
  if (skipOrFail(t, missing)) return;
  const server = await serverOf('vsftpd', {});
  const say: Say = { kind: 'explicit', data: 'protected' };
  await assert.rejects(async () => run('ncftp', server, 'passive', 'list', say), {
    message: 'ncftp cannot list in passive mode: has no TLS',
  });
});

/** The wishes that the server can fulfil. */
function wishesOf(name: ServerName, wishes: readonly Wish[]): Wish[] {
  const identity = { cert: '', key: '', both: '' };
  return wishes.filter((wish) => serverCapability(name, { identity, ...wish }) === true);
}

/** Starts it where no test has asked for it yet, on ports that no other has. */
function serverOf(name: ServerName, wish: Wish): Promise<LabServer> {
  const key = `${name} ${JSON.stringify(wish)}`;
  const known = servers.get(key);
  if (known !== undefined) return known;
  const index = servers.size;
  const first = 30_000 + 100 * index;
  const tls = { identity: certificates.server, ...wish };
  const started = startServer(network, name, {
    port: 2100 + index,
    passivePorts: [first, first + 99],
    tls,
  });
  servers.set(key, started);
  return started;
}

/** What the server says to USER and PASS without TLS. */
async function loginInTheClear({ address, port, user, password }: LabServer): Promise<string> {
  const script = `exec 3<> /dev/tcp/$1/$2; printf 'USER %s\\r\\nPASS %s\\r\\nQUIT\\r\\n' "$3" "$4" >&3; cat <&3`;
  const argv = ['timeout', '10', 'bash', '-c', script, 'bash', address, String(port), user, password];
  return (await network.exec('client', argv)).stdout;
}

function run(
  client: ClientName,
  { address, port, user, password }: LabServer,
  mode: Mode,
  operation: Operation,
  say: Say,
): Promise<ClientResult> {
  const tls = { ca: certificates.ca, ...say };
  const files = { remote: 'file', local: join(network.folder, 'local') };
  return runClient(network, client, { address, port, user, password, mode, operation, tls, ...files });
}

/** Runs one operation and checks the bytes on the side where they should have arrived. */
async function performs(
  client: ClientName,
  server: LabServer,
  mode: Mode,
  operation: Operation,
  say: Say,
): Promise<void> {
  const local = join(network.folder, 'local');
  server.put('file', operation === 'upload' ? '' : content);
  writeFileSync(local, operation === 'upload' ? content : '');
  const { ok, output, listing = [] } = await run(client, server, mode, operation, say);
  const context = `${output}\n${server.log()}`;
  assert.ok(ok, context);
  if (operation === 'list')
    assert.ok(
      listing.some((line) => /\bfile$/.test(line)),
      context,
    );
  else
    assert.ok((operation === 'upload' ? server.read('file') : readFileSync(local)).equals(content), context);
}
