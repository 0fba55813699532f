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

const missing = await requirements();

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
