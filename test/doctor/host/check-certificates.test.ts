import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../../../src/doctor/finding.ts';
import {
  checkAuthorities,
  checkIdentity,
  type PemFile,
} from '../../../src/doctor/host/check-certificates.ts';
import { readHost } from '../../../src/doctor/host/read-host.ts';
import { reportText } from '../../../src/doctor/report.ts';
import { selfSigned } from '../../support/certificates.ts';

/** Valid until 31 December 2049, 23:59:59. */
const own = selfSigned();
const cert = { file: '/cert.pem', text: own.cert };
const key = { file: '/key.pem', text: own.key };
const now = new Date('2030-01-01T00:00:00Z');

/** `certificate-missing /cert.pem`, once it is known that both languages have its words. */
function said(findings: readonly Finding[]): string[] {
  for (const language of ['en', 'zh'] as const) reportText(findings, language);
  return findings.map(({ id, level, where }) => `${level} ${id} ${where?.file ?? ''}`.trim());
}

test('finds nothing in a certificate with its key', () => {
  assert.deepEqual(said(checkIdentity({ cert, key }, now)), []);
});

const without = (code: string): PemFile => ({ file: '/cert.pem', code });

for (const [name, files, finding] of [
  ['that is not there', { cert: without('ENOENT'), key }, 'fault certificate-missing /cert.pem'],
  ['that is a folder', { cert: without('EISDIR'), key }, 'fault certificate-unreadable /cert.pem'],
  ['that the doctor may not read', { cert: without('EACCES'), key }, 'note rights-missing'],
  ['that is no PEM', { cert: { ...cert, text: 'none' }, key }, 'fault certificate-unusable /cert.pem'],
  ['whose key is no PEM', { cert, key: { ...key, text: own.cert } }, 'fault certificate-unusable /key.pem'],
  [
    'with the key of another',
    { cert, key: { ...key, text: selfSigned().key } },
    'fault certificate-key-foreign /key.pem',
  ],
] as const) {
  test(`finds a certificate ${name}`, () => {
    assert.deepEqual(said(checkIdentity({ ...files }, now)), [finding]);
  });
}

test('finds a certificate that has expired, or does so in 14 days', () => {
  const at = (date: string): string[] => said(checkIdentity({ cert, key }, new Date(date)));
  assert.deepEqual(at('2050-01-01T00:00:00Z'), ['fault certificate-expired /cert.pem']);
  assert.deepEqual(at('2049-12-31T23:59:58Z'), ['note certificate-expiring /cert.pem']);
  assert.deepEqual(at('2049-12-18T00:00:00Z'), ['note certificate-expiring /cert.pem']);
  assert.deepEqual(at('2049-12-17T00:00:00Z'), []);
});

test('finds authorities that are not there or are none, and nothing in those that are', () => {
  assert.deepEqual(said(checkAuthorities(without('ENOENT'))), ['fault certificate-missing /cert.pem']);
  assert.deepEqual(said(checkAuthorities({ ...cert, text: 'none' })), [
    'fault certificate-unusable /cert.pem',
  ]);
  assert.deepEqual(said(checkAuthorities(cert)), []);
});

test("examines the files that Pinhole's configuration names", async () => {
  const root = mkdtempSync(join(tmpdir(), 'pinhole-doctor-'));
  const settings = [
    'server = "10.77.0.2"',
    'tls = "terminate"',
    'tls-cert = ["/etc/cert.pem"]',
    'tls-key = ["/etc/key.pem"]',
    'server-tls = "explicit"',
    'server-tls-ca = "/etc/none.pem"',
  ];
  const examined = async (): Promise<string[]> => {
    const { findings } = await readHost({ root, run: () => Promise.resolve('') });
    return said(findings);
  };
  try {
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/pinhole.toml'), settings.join('\n'));
    writeFileSync(join(root, 'etc/cert.pem'), own.cert);
    assert.deepEqual(await examined(), [
      'fault certificate-missing /etc/key.pem',
      'fault certificate-missing /etc/none.pem',
    ]);
    writeFileSync(join(root, 'etc/key.pem'), own.key);
    writeFileSync(join(root, 'etc/pinhole.toml'), settings.slice(0, 4).join('\n'));
    assert.deepEqual(await examined(), []);
  } finally {
    rmSync(root, { recursive: true });
  }
});
