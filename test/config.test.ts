import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../src/config/error.ts';
import { formatConfig, loadConfig } from '../src/config/load.ts';
import { settings } from '../src/config/table.ts';
import type { Config } from '../src/config/config.ts';
import type { LoadedConfig } from '../src/config/load.ts';
import type { ConfigSources } from '../src/config/sources.ts';
import { formatCidr } from '../src/net/cidr.ts';

function load({ flags = {}, env = {}, file }: Partial<ConfigSources> & { file?: string }): LoadedConfig {
  return loadConfig({
    flags: file === undefined ? flags : { config: 'pinhole.toml', ...flags },
    env,
    readFile: (path) => {
      assert.equal(path, 'pinhole.toml');
      return file ?? '';
    },
  });
}

function message(sources: Parameters<typeof load>[0]): string {
  try {
    load(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.doesNotMatch(error.message, /[\r\n]/);
    return error.message;
  }
  assert.fail(`accepted ${JSON.stringify(sources)}`);
}

function nameOf(key: string): keyof Config {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof Config;
}

test('has the documented defaults', () => {
  const { config, origins } = load({});
  const { denyPorts, interceptNetworks, ...rest } = config;
  assert.deepEqual(rest, {
    server: undefined,
    listen: undefined,
    publicAddress: undefined,
    publicAddress6: undefined,
    localNetworks: [],
    insideAddress: [],
    keepClientAddress: false,
    intercept: false,
    passivePorts: { first: 50000, last: 50999 },
    activePorts: { first: 51000, last: 51999 },
    dataSourcePort: 20,
    fxpPeers: [],
    serverPassivePorts: [],
    maxSessions: 10_000,
    maxSessionsPerClient: 5000,
    ipv6ClientPrefix: 64,
    maxRefusals: 100,
    expectTimeout: 300_000,
    connectTimeout: 10_000,
    loginTimeout: 300_000,
    idleTimeout: 3_600_000,
    dataIdleTimeout: 3_600_000,
    keepalive: 120_000,
    grace: 30_000,
    plane: 'relay',
    kernelTable: 'pinhole',
    kernelMark: 0x2121,
    tls: 'refuse',
    listenTls: [],
    tlsCert: [],
    tlsKey: [],
    tlsStrictSni: false,
    tlsClientCa: undefined,
    tlsMinVersion: 'TLSv1.2',
    tlsCcc: 'refuse',
    tlsData: 'relay',
    requireTls: false,
    requireDataTls: false,
    requireSessionReuse: false,
    tlsHandshakeTimeout: 30_000,
    tlsTruncated: 'reset',
    serverTls: 'off',
    serverTlsCa: undefined,
    serverTlsFingerprint: [],
    serverTlsName: undefined,
    serverDataTls: 'same',
    logLevel: 'info',
    logFormat: 'auto',
  });
  assert.deepEqual(
    denyPorts.map(({ first, last }) => `${first}-${last}`).join(),
    '2049-2049,3306-3306,3389-3389,5060-5061,5432-5432,5900-5900,6000-6063,6379-6379',
  );
  assert.deepEqual(interceptNetworks.map(formatCidr), ['0.0.0.0/0', '::/0']);
  assert.deepEqual([...new Set(origins.values())], ['default']);
  assert.deepEqual(
    [...origins.keys()],
    settings.map(({ key }) => key),
  );
});

test('lets flags win over environment, environment over file, file over default', () => {
  const file = 'max-sessions = 1\ngrace = 1\nlog-level = "debug"\n';
  const env = { PINHOLE_MAX_SESSIONS: '2', PINHOLE_GRACE: '2', HOME: '/root' };
  const { config, origins } = load({ file, env, flags: { 'max-sessions': '3', server: undefined } });
  assert.equal(config.maxSessions, 3);
  assert.equal(config.grace, 2000);
  assert.equal(config.logLevel, 'debug');
  assert.equal(origins.get('max-sessions'), 'flag --max-sessions');
  assert.equal(origins.get('grace'), 'environment PINHOLE_GRACE');
  assert.equal(origins.get('log-level'), 'pinhole.toml: log-level');
  assert.equal(origins.get('server'), 'default');
});

test('replaces a list, and never joins those of two sources', () => {
  const { config } = load({ file: 'deny-ports = [1, 2]', env: { PINHOLE_DENY_PORTS: '3' } });
  assert.deepEqual(config.denyPorts, [{ first: 3, last: 3 }]);
});

test('says the same in flags, environment and file', () => {
  const expected = load({
    flags: { listen: ['21', '127.0.0.1:2121', '[::1]:0'], server: '[::1]:2122' },
  }).config;
  assert.deepEqual(expected.listen, [
    { address: undefined, port: 21 },
    { address: '127.0.0.1', port: 2121 },
    { address: '::1', port: 0 },
  ]);
  const same: readonly Parameters<typeof load>[0][] = [
    { flags: { listen: '21,127.0.0.1:2121,[::1]:0', server: '[::1]:2122' } },
    { flags: { listen: ['21, 127.0.0.1:2121', '[::1]:0'], server: '[::1]:2122' } },
    { env: { PINHOLE_LISTEN: '21,127.0.0.1:2121,[::1]:0', PINHOLE_SERVER: '[::1]:2122' } },
    { file: 'listen = [21, "127.0.0.1:2121", "[::1]:0"]\nserver = "[::1]:2122"' },
    { file: 'listen = "21,127.0.0.1:2121,[::1]:0"\nserver = "[::1]:2122"' },
  ];
  for (const sources of same) assert.deepEqual(load(sources).config, expected);
});

test('reads the file that a flag or PINHOLE_CONFIG names, the flag first', () => {
  const readFile = (path: string): string => `max-sessions = ${path.length}`;
  const sessions = (flags: ConfigSources['flags'], env: ConfigSources['env']): number =>
    loadConfig({ flags, env, readFile }).config.maxSessions;
  assert.equal(sessions({ config: 'a' }, { PINHOLE_CONFIG: 'bb' }), 1);
  assert.equal(sessions({}, { PINHOLE_CONFIG: 'bb' }), 2);
  assert.equal(sessions({}, { PINHOLE_CONFIG: '' }), 10_000);
});

test('takes an empty text for none, so that a flag can undo what the file says', () => {
  const file = 'server = "192.0.2.1"\nlisten = [21]\npublic-address = "192.0.2.2"\ndeny-ports = [1]';
  const none = { server: '', listen: '', 'public-address': '', 'deny-ports': '' };
  const { config } = load({ file, flags: none });
  assert.equal(config.server, undefined);
  assert.equal(config.listen, undefined);
  assert.equal(config.publicAddress, undefined);
  assert.deepEqual(config.denyPorts, []);
  assert.match(message({ env: { PINHOLE_GRACE: '' } }), /^grace: "" \(from environment PINHOLE_GRACE\) /);
});

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
  assert.equal(durations.length, 8);
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

test('names the key, the origin, the value and what is allowed', () => {
  const allowed = 'one range of ports like 50000-50999, from 1 to 65535';
  assert.equal(
    message({ flags: { 'passive-ports': '99999' } }),
    `passive-ports: "99999" (from flag --passive-ports) is not allowed; allowed: ${allowed}`,
  );
  assert.equal(
    message({ env: { PINHOLE_PASSIVE_PORTS: '99999' } }),
    `passive-ports: "99999" (from environment PINHOLE_PASSIVE_PORTS) is not allowed; allowed: ${allowed}`,
  );
  assert.equal(
    message({ file: 'passive-ports = 99999' }),
    `passive-ports: "99999" (from pinhole.toml: passive-ports) is not allowed; allowed: ${allowed}`,
  );
  assert.match(message({ flags: { listen: '21,192.0.2.1:21' } }), /\(21 and 192\.0\.2\.1:21 overlap\)/);
  assert.match(message({ flags: { listen: '21,2121,21' } }), /\(21 stands there twice\)/);
  assert.match(message({ flags: { 'inside-address': '::1,::2' } }), /\(two IPv6 addresses\)/);
  assert.match(message({ flags: { 'deny-ports': '1,2,x,3' } }), /^deny-ports: "x" /);
});

test('refuses values of the file that are of no use as a text or a number', () => {
  for (const value of ['true', '1979-05-27', '{ a = 1 }', '[[1]]', 'nan', '1.5', '["1"]', '[]']) {
    assert.match(
      message({ file: `max-sessions = ${value}` }),
      /^max-sessions: .* \(from pinhole\.toml: max-sessions\)/,
    );
  }
  assert.match(message({ file: 'listen = [true]' }), /^listen: true \(from pinhole\.toml: listen\)/);
});

test('names the nearest known key for one that it does not know', () => {
  assert.equal(
    message({ file: 'pasive-ports = "1-2"' }),
    'unknown key "pasive-ports" in pinhole.toml; the nearest known one is passive-ports',
  );
  assert.match(message({ file: 'passive_ports = "1-2"' }), /nearest known one is passive-ports$/);
  assert.match(message({ file: '[limits]\nmax-sessions = 1' }), /key "limits"/);
  assert.match(message({ file: 'config = "other.toml"' }), /key "config"/);
  assert.match(message({ file: '__proto__ = 1' }), /key "__proto__"/);
  assert.equal(
    message({ env: { PINHOLE_MAX_SESSION: '1' } }),
    'unknown environment variable PINHOLE_MAX_SESSION; the nearest known one is PINHOLE_MAX_SESSIONS',
  );
  assert.match(
    message({ flags: { servers: 'a' } }),
    /^unknown flag --servers; the nearest known one is --server$/,
  );
});

test('says where the file is wrong, and when it cannot be read', () => {
  assert.match(
    message({ file: 'grace = 1\ngrace = ' }),
    /^config: "pinhole\.toml" from flag --config: line 2, column [0-9]+: .*; allowed: a TOML file$/,
  );
  const cause = new Error("ENOENT: no such file or directory, open 'x'");
  assert.throws(
    () =>
      loadConfig({
        flags: {},
        env: { PINHOLE_CONFIG: 'x' },
        readFile: () => {
          throw cause;
        },
      }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^config: "x" from environment PINHOLE_CONFIG: cannot be read: ENOENT/);
      assert.equal(error.cause, cause);
      return true;
    },
  );
});

test('keeps an error on one short line, whatever the value', () => {
  const text = message({ flags: { 'log-level': `a\nb\u2028c\u001b[31m${'d'.repeat(10_000)}` } });
  assert.ok(text.length < 300);
  assert.doesNotMatch(text, /[\x00-\x1f\u2028]/);
});

test('refuses a relay that would be its own server', () => {
  for (const [server, listen] of [
    ['192.0.2.1:21', '192.0.2.1:21'],
    ['127.0.0.1:2121', '2121'],
    ['[::1]:21', '2121,[::]:21'],
  ] as const) {
    assert.match(
      message({ flags: { server }, env: { PINHOLE_LISTEN: listen } }),
      /^server: .* \(from flag --server\) is not allowed \(the relay itself is there: listen is .* from environment/,
    );
  }
  load({ flags: { server: '127.0.0.2:21', listen: '127.0.0.1:21' } });
  load({ flags: { server: '192.168.1.10', listen: '21' } });
});

test('listens twice on any free port, and on one port of different addresses', () => {
  const listen = ['0', '127.0.0.1:0', '127.0.0.1:21', '[::1]:21', '127.0.0.2:21'];
  assert.equal(load({ flags: { listen } }).config.listen?.length, 5);
});

test('allows more sessions of a client than sessions', () => {
  const flags = { 'max-sessions': '10', 'max-sessions-per-client': '20' };
  assert.equal(load({ flags }).config.maxSessionsPerClient, 20);
});

test('gives a config that nobody can change', () => {
  const { config } = load({ flags: { listen: '21', server: 'ftp.example', 'local-networks': '10.0.0.0/8' } });
  const parts = [config, config.listen, config.listen?.[0], config.server, config.localNetworks];
  for (const part of [
    ...parts,
    config.localNetworks[0],
    config.passivePorts,
    config.denyPorts,
    config.denyPorts[0],
  ]) {
    assert.ok(part !== undefined && Object.isFrozen(part), JSON.stringify(part));
  }
});

test('describes every setting once, with a default that it takes', () => {
  assert.equal(new Set(settings.map(({ key }) => key)).size, Object.keys(load({}).config).length);
  const { config } = load({});
  for (const { key, variable, defaultText } of settings) {
    assert.match(key, /^[a-z][a-z0-9-]*$/);
    const again = load({ env: { [variable]: defaultText } });
    assert.deepEqual(again.config, config, key);
    assert.equal(again.origins.get(key), `environment ${variable}`);
  }
});

test('prints each value with its origin, grouped', () => {
  const { config, origins } = load({
    flags: { server: '2001:db8::1' },
    file: 'listen = [21]\ngrace = "250ms"',
  });
  const lines = formatConfig(config, origins).split('\n');
  for (const line of [
    '# Where',
    'server = "[2001:db8::1]:21"  # flag --server',
    'listen = [ "21" ]  # pinhole.toml: listen',
    'public-address = ""  # default',
    'passive-ports = "50000-50999"  # default',
    'max-sessions = 10000  # default',
    'grace = "250ms"  # pinhole.toml: grace',
    'idle-timeout = 3600  # default',
  ]) {
    assert.ok(lines.includes(line), `${line}\nnot in\n${lines.join('\n')}`);
  }
});

// ---- What is printed reads as the same config ----

const port = fc.integer({ min: 1, max: 65535 });
const host = fc.oneof(
  fc.constantFrom('ftp.example', '192.0.2.1', '[2001:db8::1]', 'a-b.example.'),
  fc.domain(),
);
const hostAddress = fc.constantFrom('10.1.2.3', '2001:db8::5', 'fe80::1%eth0');
const range = fc.tuple(port, port).map((pair) => `${Math.min(...pair)}-${Math.max(...pair)}`);
const cidr = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map((pair) => pair.join('/')),
  fc
    .tuple(fc.constantFrom('2001:db8::', 'fd00:1:2:3::4'), fc.integer({ min: 0, max: 128 }))
    .map((pair) => pair.join('/')),
);
const duration = fc.oneof(
  fc.integer({ min: 1, max: 3600 }).map(String),
  fc.integer({ min: 1, max: 3_600_000 }).map((value) => `${value}ms`),
  fc.integer({ min: 1, max: 60 }).map((value) => `${value}m`),
  fc.constant('1h'),
);
const count = fc.integer({ min: 1, max: 1_000_000 }).map(String);
const flagsOfEveryKind = fc.record(
  {
    server: fc.oneof(
      fc.constant(''),
      fc.tuple(host, port).map((pair) => pair.join(':')),
    ),
    listen: fc.uniqueArray(
      fc.oneof(
        fc
          .tuple(fc.constantFrom('127.0.0.1', '[::1]', '192.0.2.7'), fc.integer({ min: 40_000, max: 65535 }))
          .map((pair) => pair.join(':')),
        fc.integer({ min: 0, max: 1000 }).map(String),
      ),
    ),
    'public-address': fc.constantFrom('', '192.0.2.9', 'ftp.example'),
    'public-address6': fc.constantFrom('', '2001:db8::9', 'ftp.example'),
    'local-networks': fc.array(cidr),
    'inside-address': fc.uniqueArray(hostAddress, { selector: (text) => text.includes(':') }),
    'passive-ports': range,
    'active-ports': port.map(String),
    'data-source-port': fc.integer({ min: 0, max: 65535 }).map(String),
    'fxp-peers': fc.array(cidr),
    'deny-ports': fc.array(range),
    'max-sessions': count,
    'max-sessions-per-client': count,
    'expect-timeout': duration,
    'connect-timeout': duration,
    'login-timeout': duration,
    'idle-timeout': duration,
    'data-idle-timeout': duration,
    grace: fc.oneof(duration, fc.constant('0')),
    'server-tls': fc.constantFrom('off', 'explicit', 'implicit'),
    'tls-handshake-timeout': duration,
    'log-level': fc.constantFrom('trace', 'silent'),
    'log-format': fc.constantFrom('json', 'pretty'),
  },
  { requiredKeys: [] },
);

test('prints a file that reads as the same config', () => {
  fc.assert(
    fc.property(flagsOfEveryKind, (flags) => {
      const { config, origins } = load({ flags });
      assert.deepEqual(load({ file: formatConfig(config, origins) }).config, config);
    }),
  );
});

test('prints a file that reads as the same config, whatever the name of the first file', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), (path) => {
      const { config, origins } = loadConfig({
        flags: { config: path },
        env: {},
        readFile: () => 'grace = 7',
      });
      assert.deepEqual(load({ file: formatConfig(config, origins) }).config, config);
    }),
  );
});

test('takes no variable of Kubernetes, which a service of this name brings, for a mistyped setting', () => {
  const env = {
    PINHOLE_SERVICE_HOST: '10.0.0.1',
    PINHOLE_PORT: 'tcp://10.0.0.1:21',
    PINHOLE_PORT_21_TCP: 'x',
  };
  const { origins } = loadConfig({ flags: {}, env, readFile: () => '' });
  assert.ok([...origins.values()].every((origin) => origin === 'default'));
});

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

test('refuses to keep the address of clients where the server could not see it', () => {
  const keep = { 'keep-client-address': 'true' };
  assert.equal(
    message({ flags: { ...keep, 'inside-address': '10.0.0.1' } }),
    'keep-client-address: true (from flag --keep-client-address) is not allowed (inside-address is set from flag ' +
      '--inside-address, and the server sees one address); allowed: false, or no inside-address',
  );
  for (const server of ['127.0.0.1', '127.0.0.5:2100', '[::1]:2100', 'localhost']) {
    assert.match(
      message({ flags: { ...keep, server, listen: '2121' } }),
      /no other host's address reaches that/,
    );
  }
  load({ flags: { ...keep, server: '10.77.0.2' } });
});

const ends = { tls: 'terminate', 'tls-cert': 'a.pem', 'tls-key': 'a.key' };

for (const [what, flags, expected] of [
  ['TLS that ends here without a certificate', { tls: 'terminate' }, /^tls: "terminate" .*no certificate/],
  ['a certificate without its key', { ...ends, 'tls-key': '' }, /^tls-key: .*1 certificates and 0 keys/],
  [
    'more keys than certificates',
    { ...ends, 'tls-key': 'a.key,b.key' },
    /^tls-key: .*1 certificates and 2 keys/,
  ],
  [
    'a certificate where TLS is refused',
    { 'tls-cert': 'a.pem', 'tls-key': 'a.key' },
    /^tls-cert: .*tls terminate/,
  ],
  ['implicit FTPS where TLS does not end here', { 'listen-tls': '990' }, /^listen-tls: .*tls terminate/],
  [
    'implicit FTPS on a port in clear',
    { ...ends, listen: '990', 'listen-tls': '990' },
    /^listen-tls: .*other ports/,
  ],
  ['to require TLS that is refused', { 'require-tls': 'true' }, /^require-tls: .*terminate or pass/],
  [
    'to require PROT P where nobody sees it',
    { tls: 'pass', 'require-data-tls': 'true' },
    /^require-data-tls: /,
  ],
  [
    'to require reuse where TLS does not end',
    { 'require-session-reuse': 'true' },
    /^require-session-reuse: /,
  ],
  ['trust for a server in clear', { 'server-tls-ca': 'ca.pem' }, /^server-tls-ca: .*server-tls explicit/],
  ['protected data of a server in clear', { 'server-data-tls': 'protected' }, /^server-data-tls: /],
  [
    "the server's TLS as the client's where that is nowhere",
    { 'server-tls': 'same' },
    /^server-tls: .*tls is refuse/,
  ],
  [
    'TLS of its own with a server that TLS passes to',
    { tls: 'pass', 'server-tls': 'explicit' },
    /^server-tls: /,
  ],
  ['to pass TLS of an intercepted session', { tls: 'pass', intercept: 'true' }, /^tls: .*intercept is set/],
  ['to pass data of a server in clear', { ...ends, 'tls-data': 'server' }, /^tls-data: /],
  [
    'to pass data whose session it would have to know',
    { ...ends, 'server-tls': 'same', 'tls-data': 'server', 'require-session-reuse': 'true' },
    /^tls-data: .*require-session-reuse/,
  ],
] as const) {
  test(`refuses ${what}`, () => {
    assert.match(message({ flags }), expected);
  });
}

test('takes settings of TLS that say their default where there is no TLS', () => {
  const flags = { 'server-data-tls': 'same', 'require-tls': 'false', 'tls-cert': '', 'listen-tls': '' };
  assert.deepEqual(load({ flags }).config, load({}).config);
});

test('reads a fingerprint as openssl and as sha256sum print it', () => {
  const plain = 'ab'.repeat(32);
  const withColons = plain.toUpperCase().replace(/..(?=.)/g, '$&:');
  for (const text of [plain, withColons]) {
    const flags = { 'server-tls': 'explicit', 'server-tls-fingerprint': text };
    assert.deepEqual(load({ flags }).config.serverTlsFingerprint, [withColons]);
  }
});
