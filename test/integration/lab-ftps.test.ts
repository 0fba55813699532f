/**
 * The lab's TLS: without a relay, over a gateway that routes, servers and clients that speak FTPS do so with each
 * other. What fails here is not the product's fault.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { certifiedName, makeCertificates } from '../helpers/lab/certificates.ts';
import type { Certificates } from '../helpers/lab/certificates.ts';
import { addresses, createNetwork } from '../helpers/lab/network.ts';
import type { Network } from '../helpers/lab/network.ts';
import { requirements, skipOrFail } from '../helpers/lab/provision.ts';
import { serverCapability } from '../helpers/lab/server-tls.ts';
import type { ServerTls } from '../helpers/lab/server-tls.ts';
import { serverNames, startServer } from '../helpers/lab/servers.ts';
import type { LabServer, ServerName } from '../helpers/lab/servers.ts';

const missing = await requirements();

type Wish = Omit<ServerTls, 'identity'>;
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
