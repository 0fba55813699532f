import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigSources } from '../../src/config/sources.ts';
import { load, message } from '../support/load-config.ts';

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

test('reads the same from flags, environment and file', () => {
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

test('takes an empty text as none, so that a flag can override the file', () => {
  const file = 'server = "192.0.2.1"\nlisten = [21]\npublic-address = "192.0.2.2"\ndeny-ports = [1]';
  const none = { server: '', listen: '', 'public-address': '', 'deny-ports': '' };
  const { config } = load({ file, flags: none });
  assert.equal(config.server, undefined);
  assert.equal(config.listen, undefined);
  assert.equal(config.publicAddress, undefined);
  assert.deepEqual(config.denyPorts, []);
  assert.match(message({ env: { PINHOLE_GRACE: '' } }), /^grace: "" \(from environment PINHOLE_GRACE\) /);
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

test('reports where the file is wrong, and that it cannot be read', () => {
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

test('takes no variable of Kubernetes, which a service of this name brings, for a mistyped setting', () => {
  const env = {
    PINHOLE_SERVICE_HOST: '10.0.0.1',
    PINHOLE_PORT: 'tcp://10.0.0.1:21',
    PINHOLE_PORT_21_TCP: 'x',
  };
  const { origins } = loadConfig({ flags: {}, env, readFile: () => '' });
  assert.ok([...origins.values()].every((origin) => origin === 'default'));
});
