import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import {
  identityFor,
  IdentityError,
  loadIdentities,
  readAuthorities,
  remarksOn,
  subjectOf,
  type Identity,
} from '../../src/tls/identities.ts';
import { authority, selfSigned, type Credentials } from '../support/certificates.ts';
import { ca, files } from '../support/relay/tls-lab.ts';
import { identityOf } from '../support/relay/tls-link.ts';

/** Reads these as files, and returns the one identity in them with the paths. */
function load(
  t: TestContext,
  { cert, key }: Credentials,
): { readonly identity: Identity; readonly cert: string; readonly key: string } {
  const { cert: certFile = '', key: keyFile = '' } = files(t, { cert, key });
  const [identity] = loadIdentities([{ cert: certFile, key: keyFile }]);
  return { identity: identity ?? assert.fail('nothing was read'), cert: certFile, key: keyFile };
}

const anne = ca.issue({ name: 'anne' });

test('reads a certificate, the chain behind it and its key', (t) => {
  const between = ca.intermediate('Between');
  const leaf = between.issue({ name: 'leaf' });
  const chain = { cert: leaf.cert + between.cert, key: leaf.key };
  const { identity, cert } = load(t, chain);
  assert.equal(identity.file, cert);
  assert.equal(identity.cert, chain.cert);
  assert.equal(identity.key, chain.key);
  assert.equal(subjectOf(identity.leaf), 'CN=leaf');
});

test('reads several in the order in which they are given', (t) => {
  const paths = ['one', 'two', 'three'].map((name) => {
    const { cert = '', key = '' } = files(t, { ...selfSigned({ name }) });
    return { cert, key };
  });
  const names = loadIdentities(paths).map(({ leaf }) => subjectOf(leaf));
  assert.deepEqual(names, ['CN=one', 'CN=two', 'CN=three']);
});

test('reads keys of RSA and of curves, in the old formats too', (t) => {
  const rsa = selfSigned({ name: 'rsa', rsaBits: 1024 });
  const curve = selfSigned({ name: 'curve' });
  for (const { cert, key } of [
    rsa,
    { ...rsa, key: createPrivateKey(rsa.key).export({ type: 'pkcs1', format: 'pem' }) as string },
    curve,
    { ...curve, key: createPrivateKey(curve.key).export({ type: 'sec1', format: 'pem' }) as string },
  ]) {
    assert.equal(load(t, { cert, key }).identity.key, key);
  }
});

test('names a file that cannot be read, and its setting', (t) => {
  const { cert = '', key = '' } = files(t, { ...anne });
  for (const [paths, expected] of [
    [{ cert: '/nowhere/cert.pem', key }, /^tls-cert: \/nowhere\/cert\.pem cannot be read: ENOENT/],
    [{ cert, key: '/nowhere/key.pem' }, /^tls-key: \/nowhere\/key\.pem cannot be read: ENOENT/],
  ] as const) {
    assert.throws(() => loadIdentities([paths]), { name: 'IdentityError', message: expected });
  }
});

const encryptedKey = createPrivateKey(anne.key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
}) as string;

for (const [what, credentials, expected] of [
  ['no certificate', { ...anne, cert: 'not one' }, /^tls-cert: \S+cert is not a certificate in PEM \(/],
  [
    'a key for a certificate',
    { ...anne, cert: anne.key },
    /^tls-cert: \S+cert is not a certificate in PEM \(/,
  ],
  [
    'half a certificate',
    { ...anne, cert: anne.cert.slice(0, anne.cert.length / 2) },
    /^tls-cert: \S+cert is not a certificate in PEM \(/,
  ],
  ['an empty file', { ...anne, cert: '' }, /^tls-cert: \S+cert is not a certificate in PEM \(/],
  [
    'no key',
    { ...anne, key: 'not one' },
    /^tls-key: \S+key is not a private key in PEM, without a passphrase \(/,
  ],
  [
    'a key with a passphrase',
    { ...anne, key: encryptedKey },
    /^tls-key: \S+key is not a private key in PEM, without a passphrase \(/,
  ],
  [
    'the key of another certificate',
    { ...anne, key: selfSigned().key },
    /^tls-key: \S+key is not the key of the certificate in \S+cert, whose first certificate is for CN=anne$/,
  ],
  [
    'a chain in the wrong order',
    { ...anne, cert: ca.cert + anne.cert },
    /^tls-key: \S+key is not the key of the certificate in \S+cert, whose first certificate is for CN=Test CA$/,
  ],
] as const) {
  test(`refuses ${what}, and says which file it is`, (t) => {
    assert.throws(
      () => load(t, credentials),
      (error) => {
        assert.ok(error instanceof IdentityError);
        assert.match(error.message, expected);
        return true;
      },
    );
  });
}

test('finds the certificate for a name, the first where there are several', () => {
  const credentials = {
    plain: selfSigned({ name: 'plain', hosts: ['ftp.site.example', 'files.site.example'] }),
    wild: selfSigned({ name: 'wild', hosts: ['*.site.example'] }),
    second: selfSigned({ name: 'second', hosts: ['ftp.site.example', 'second.site.example'] }),
    old: selfSigned({ name: 'old.test' }),
  };
  const all = Object.entries(credentials).map(([file, each]) => identityOf(each, file));
  for (const [name, expected] of [
    ['ftp.site.example', 'plain'],
    ['FILES.Site.Example', 'plain'],
    ['other.site.example', 'wild'],
    ['second.site.example', 'wild'],
    // A wildcard stands for one label (RFC 6125 section 6.4.3).
    ['a.b.site.example', undefined],
    ['site.example', undefined],
    // Where there are names of hosts in it, that of the subject is none.
    ['plain', undefined],
    ['old.test', 'old'],
    ['nobody.test', undefined],
  ] as const) {
    assert.equal(identityFor(all, name)?.file, expected, name);
  }
});

test('remarks on certificates that are not valid yet, or any more, and on no others', () => {
  const of = (file: string, options: { validFrom?: string; validTo?: string }): Identity =>
    identityOf(selfSigned(options), file);
  const remarks = remarksOn(
    [
      of('good.pem', {}),
      of('old.pem', { validTo: '250101000000Z' }),
      of('new.pem', { validFrom: '270101000000Z' }),
    ],
    new Date('2026-01-01T00:00:00Z'),
  );
  assert.deepEqual(remarks, [
    'the certificate in old.pem has expired: Jan  1 00:00:00 2025 GMT',
    'the certificate in new.pem is not valid before Jan  1 00:00:00 2027 GMT',
  ]);
});

test('reads those who sign certificates, and names the setting where there are none', (t) => {
  const text = ca.cert + authority('Another').cert;
  const { ca: path = '', bad = '' } = files(t, { ca: text, bad: 'none' });
  assert.equal(readAuthorities('server-tls-ca', path), text);
  for (const [file, expected] of [
    [bad, /^tls-client-ca: \S+bad is not certificates in PEM \(/],
    ['/nowhere', /^tls-client-ca: \/nowhere cannot be read: ENOENT/],
  ] as const) {
    assert.throws(() => readAuthorities('tls-client-ca', file), { name: 'IdentityError', message: expected });
  }
});

test('writes the subject of a certificate on one line', () => {
  assert.equal(subjectOf(new X509Certificate(anne.cert)), 'CN=anne');
});

test('writes the names of a certificate whose subject is empty', () => {
  const { cert } = ca.issue({ name: null, hosts: ['a.example', 'b.example'] });
  assert.equal(subjectOf(new X509Certificate(cert)), 'DNS:a.example, DNS:b.example');
  const nameless = ca.issue({ name: null });
  assert.equal(subjectOf(new X509Certificate(nameless.cert)), 'nobody by name');
});
