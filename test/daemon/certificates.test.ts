import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { loadTls, watchCertificates } from '../../src/daemon/certificates.ts';
import { createLogger } from '../../src/log/log.ts';
import { selfSigned } from '../support/certificates.ts';
import { ca, files, terminating } from '../support/relay/tls-lab.ts';
import { link } from '../support/relay/tls-link.ts';
import { secureAsClient } from '../support/relay/tls-peer.ts';
import { Changes } from '../support/relay/within.ts';

/** How often files are looked at here, in milliseconds. */
const interval = 10;

interface LogLine {
  readonly msg: string;
  readonly error?: string;
}

interface Watched {
  /** Where the certificate and its key are. */
  readonly cert: string;
  readonly key: string;
  /** What was logged and not asked for. */
  readonly unread: readonly LogLine[];
  /** The next line of the log with this message. */
  logged(message: string): Promise<LogLine>;
  /** The common name of the certificate that a new client is shown. */
  shown(): Promise<unknown>;
}

/** A certificate whose files are looked at. */
function watch(t: TestContext, settings: Readonly<Record<string, string>> = {}): Watched {
  const paths = terminating(t, ca.issue({ name: 'old' }));
  const { config } = loadConfig({ flags: { ...paths, ...settings }, env: {}, readFile: () => '' });
  const { services } = loadTls(config);
  const { forClients } = services;
  assert.ok(forClients);
  const changes = new Changes();
  const lines: LogLine[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as LogLine);
    changes.wake();
  };
  const logger = createLogger({ logLevel: 'info', logFormat: 'json' }, { write });
  t.after(watchCertificates(config, services, logger, interval));
  return {
    cert: paths['tls-cert'] ?? '',
    key: paths['tls-key'] ?? '',
    unread: lines,
    logged: (message) =>
      changes.until(
        `log line '${message}'`,
        () => {
          const at = lines.findIndex(({ msg }) => msg === message);
          return at < 0 ? undefined : lines.splice(0, at + 1).pop();
        },
        () => JSON.stringify(lines),
      ),
    shown: async () => {
      const { near, far } = await link(t);
      const [, { stream }] = await Promise.all([forClients.newSession().control(near), secureAsClient(far)]);
      return stream.getPeerCertificate().subject.CN;
    },
  };
}

test('reads a certificate and its key once where both have changed', async (t) => {
  const watched = watch(t);
  const renewed = ca.issue({ name: 'renewed' });
  writeFileSync(watched.cert, renewed.cert);
  writeFileSync(watched.key, renewed.key);
  await watched.logged('certificates reloaded');
  assert.equal(await watched.shown(), 'renewed');
  const again = ca.issue({ name: 'again' });
  writeFileSync(watched.cert, again.cert);
  writeFileSync(watched.key, again.key);
  await watched.logged('certificates reloaded');
  assert.equal(await watched.shown(), 'again');
  assert.deepEqual(watched.unread, []);
});

const old = 'certificates not reloaded, the old ones stay in use';

test('keeps the old certificate until its key has changed as well', async (t) => {
  const watched = watch(t);
  assert.equal(await watched.shown(), 'old');
  const renewed = ca.issue({ name: 'renewed' });
  writeFileSync(watched.cert, renewed.cert);
  const { error } = await watched.logged(old);
  assert.match(
    error ?? '',
    /^tls-key: \S+ is not the key of the certificate in \S+, whose first certificate is for CN=renewed$/,
  );
  assert.equal(await watched.shown(), 'old');
  writeFileSync(watched.key, renewed.key);
  await watched.logged('certificates reloaded');
  assert.equal(await watched.shown(), 'renewed');
});

for (const [what, change, expected] of [
  [
    'goes bad',
    (path: string) => {
      writeFileSync(path, 'not a certificate any more');
    },
    /^tls-cert: \S+ is not a certificate in PEM/,
  ],
  [
    'is emptied',
    (path: string) => {
      writeFileSync(path, '');
    },
    /^tls-cert: \S+ is not a certificate in PEM/,
  ],
  [
    'is gone',
    (path: string) => {
      rmSync(path);
    },
    /^tls-cert: \S+ cannot be read: ENOENT/,
  ],
  [
    'becomes a link to itself',
    (path: string) => {
      rmSync(path);
      symlinkSync(path, path);
    },
    /^tls-cert: \S+ cannot be read: ELOOP/,
  ],
] as const) {
  test(`keeps the old certificate when its file ${what}, says why, and reads the next good one`, async (t) => {
    const watched = watch(t);
    change(watched.cert);
    const { error } = await watched.logged(old);
    assert.match(error ?? '', expected);
    assert.equal(await watched.shown(), 'old');
    const renewed = ca.issue({ name: 'renewed' });
    rmSync(watched.cert, { force: true });
    writeFileSync(watched.key, renewed.key);
    writeFileSync(watched.cert, renewed.cert);
    await watched.logged('certificates reloaded');
    assert.equal(await watched.shown(), 'renewed');
  });
}

test('reads those who sign the certificates of clients again when their file changes', async (t) => {
  const { authorities = '' } = files(t, { authorities: ca.cert });
  const watched = watch(t, { 'tls-client-ca': authorities });
  writeFileSync(authorities, 'nobody');
  const { error } = await watched.logged(old);
  assert.match(error ?? '', /^tls-client-ca: \S+ is not certificates in PEM/);
  writeFileSync(authorities, selfSigned().cert);
  await watched.logged('certificates reloaded');
});

test('warns of an expired certificate at start', (t) => {
  const paths = terminating(t, ca.issue({ validTo: '210101000000Z' }));
  const { config } = loadConfig({ flags: paths, env: {}, readFile: () => '' });
  assert.deepEqual(loadTls(config).remarks, [
    `the certificate in ${paths['tls-cert'] ?? ''} has expired: Jan  1 00:00:00 2021 GMT`,
  ]);
});
