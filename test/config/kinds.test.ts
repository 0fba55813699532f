import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { formatConfig } from '../../src/config/load.ts';
import { seconds } from '../../src/config/kinds.ts';
import { settings } from '../../src/config/table.ts';
import { load, message } from '../support/load-config.ts';

function nameOf(key: string): keyof Config {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof Config;
}

test('reads a server with and without a port', () => {
  const cases = [
    ['ftp.example', { host: 'ftp.example', port: 21 }],
    ['ftp.example:2121', { host: 'ftp.example', port: 2121 }],
    ['192.168.1.10', { host: '192.168.1.10', port: 21 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 21 }],
    ['[2001:db8::1]:2121', { host: '2001:db8::1', port: 2121 }],
  ] as const;
  for (const [server, expected] of cases)
    assert.deepEqual(load({ flags: { server } }).config.server, expected);
});

test('reads a mark as a decimal or a hexadecimal number', () => {
  for (const mark of ['8481', '0x2121', '0X2121']) {
    assert.equal(load({ flags: { 'kernel-mark': mark } }).config.kernelMark, 0x2121);
  }
  assert.equal(load({ file: 'kernel-mark = 0x2121' }).config.kernelMark, 0x2121);
});

test('reads durations as seconds or with a unit', () => {
  const cases = [
    ['300', 300_000],
    ['300s', 300_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['250ms', 250],
  ] as const;
  for (const [text, expected] of cases) {
    assert.equal(load({ flags: { 'idle-timeout': text } }).config.idleTimeout, expected);
  }
  assert.equal(load({ file: 'idle-timeout = 300' }).config.idleTimeout, 300_000);
  assert.equal(load({ file: 'idle-timeout = "5m"' }).config.idleTimeout, 300_000);
});

test('allows no duration that setTimeout would cut to nothing', () => {
  const durations = settings.filter(({ allowed }) => allowed.startsWith('seconds'));
  assert.equal(durations.length, 9);
  for (const { key, allowed } of durations) {
    const most = Number(/to ([0-9]+) seconds$/.exec(allowed)?.[1]);
    assert.ok(most * 1000 < 2 ** 31, key);
    assert.equal(load({ flags: { [key]: `${most}` } }).config[nameOf(key)], most * 1000);
    message({ flags: { [key]: `${most}001ms` } });
  }
});

const refused: readonly (readonly [string, string | readonly string[]])[] = [
  ['server', 'ftp.example:0'],
  ['server', 'ftp://ftp.example'],
  ['server', '0.0.0.0'],
  ['server', '[::]:21'],
  ['server', '224.0.0.1'],
  ['server', '192.168.1'],
  ['server', 'a b'],
  ['server', ['192.0.2.1', '192.0.2.2']],
  ['listen', 'ftp'],
  ['listen', '65536'],
  ['listen', '-1'],
  ['listen', '192.0.2.1'],
  ['listen', '192.0.2.1:'],
  ['listen', '::1:21'],
  ['listen', '[192.0.2.1]:21'],
  ['listen', 'localhost:21'],
  ['listen', '224.0.0.1:21'],
  ['listen', '[ff02::1]:21'],
  ['listen', '21,'],
  ['listen', ['21', '']],
  ['listen', '21,21'],
  ['listen', '21,192.0.2.1:21'],
  ['listen', '192.0.2.1:21,0.0.0.0:21'],
  ['listen', '[::]:21,[2001:db8::1]:21'],
  ['listen', '[2001:db8::1]:21,[2001:DB8:0::1]:21'],
  ['public-address', '2001:db8::1'],
  ['public-address', '0.0.0.0'],
  ['public-address', '255.255.255.255'],
  ['public-address', '239.1.2.3'],
  ['public-address', '192.0.2.1:21'],
  ['public-address', '192.0.2.300'],
  ['public-address', 'not a name'],
  ['public-address6', '192.0.2.1'],
  ['public-address6', '::ffff:192.0.2.1'],
  ['public-address6', '::'],
  ['public-address6', 'ff02::1'],
  ['public-address6', 'fe80::1%eth0'],
  ['local-networks', '10.0.0.0/33'],
  ['local-networks', '10.0.0.0/8,ftp.example'],
  ['inside-address', '10.0.0.1,10.0.0.2'],
  ['inside-address', '::'],
  ['inside-address', 'ftp.example'],
  ['passive-ports', '99999'],
  ['passive-ports', '0-10'],
  ['passive-ports', '20-10'],
  ['passive-ports', '1-2,3-4'],
  ['passive-ports', ''],
  ['active-ports', 'any'],
  ['data-source-port', '-1'],
  ['data-source-port', '65536'],
  ['data-source-port', '1e3'],
  ['fxp-peers', 'true'],
  ['deny-ports', '0'],
  ['max-sessions', '0'],
  ['max-sessions', '1.5'],
  ['max-sessions', '1000001'],
  ['max-sessions-per-client', 'many'],
  ['expect-timeout', '0'],
  ['expect-timeout', '2h'],
  ['connect-timeout', '10 s'],
  ['login-timeout', '-1'],
  ['idle-timeout', '25d'],
  ['data-idle-timeout', '999999999h'],
  ['grace', '1.5'],
  ['plane', 'nftables'],
  ['kernel-table', 'in-hole'],
  ['kernel-table', '1st'],
  ['kernel-table', ''],
  ['kernel-mark', '0'],
  ['kernel-mark', '0x100000000'],
  ['kernel-mark', '-1'],
  ['tls', 'yes'],
  ['tls-min-version', 'TLSv1.1'],
  ['tls-ccc', 'yes'],
  ['tls-data', 'client'],
  ['server-tls', 'require'],
  ['server-data-tls', 'off'],
  ['server-tls-fingerprint', 'AB:CD'],
  ['tls-handshake-timeout', '0'],
  ['log-level', 'verbose'],
  ['log-level', 'INFO'],
  ['log-format', 'text'],
];

for (const [key, value] of refused) {
  test(`refuses ${key} ${JSON.stringify(value)}, and says what is allowed`, () => {
    const text = message({ flags: { [key]: value } });
    const setting = settings.find((known) => known.key === key);
    assert.ok(setting !== undefined);
    assert.ok(text.startsWith(`${key}: `), text);
    assert.ok(text.includes(` (from flag --${key}) is not allowed`), text);
    assert.ok(text.endsWith(`; allowed: ${setting.allowed}`), text);
  });
}

test('a switch is true or false, in flags, environment and file', () => {
  for (const [value, expected] of [
    ['true', true],
    ['false', false],
  ] as const) {
    assert.equal(load({ flags: { intercept: value } }).config.intercept, expected);
    assert.equal(load({ env: { PINHOLE_INTERCEPT: value } }).config.intercept, expected);
    const { config, origins } = load({ file: `intercept = ${value}` });
    assert.equal(config.intercept, expected);
    assert.match(
      formatConfig(config, origins),
      new RegExp(`^intercept = ${value}  # pinhole.toml: intercept$`, 'm'),
    );
  }
  assert.equal(
    message({ flags: { intercept: 'yes' } }),
    'intercept: "yes" (from flag --intercept) is not allowed; allowed: true or false',
  );
  assert.match(message({ file: 'max-sessions = true' }), /^max-sessions: true \(from .*\) is not allowed/);
});

test('reads a fingerprint as openssl and as sha256sum print it', () => {
  const plain = 'ab'.repeat(32);
  const withColons = plain.toUpperCase().replace(/..(?=.)/g, '$&:');
  for (const text of [plain, withColons]) {
    const flags = { 'server-tls': 'explicit', 'server-tls-fingerprint': text };
    assert.deepEqual(load({ flags }).config.serverTlsFingerprint, [withColons]);
  }
});

test('reads seconds alone, with decimals', () => {
  for (const [text, expected] of [
    ['10', 10_000],
    ['0.25', 250],
    ['1e-3', 1],
    ['60', 60_000],
    ['0', undefined],
    ['61', undefined],
    ['-1', undefined],
    ['5m', undefined],
    ['NaN', undefined],
    ['', undefined],
  ] as const) {
    const result = seconds(1, 60_000).read(text);
    assert.equal('value' in result ? result.value : undefined, expected, text);
  }
  assert.deepEqual(seconds(0, 60_000).read('0'), { value: 0 });
});
