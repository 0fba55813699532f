import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatConfig, loadConfig } from '../../src/config/load.ts';
import { load } from '../support/load-config.ts';

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

test('prints each value with its origin, grouped', () => {
  const { config, origins } = load({
    flags: { server: '2001:db8::1' },
    file: 'listen = [21]\ngrace = "250ms"',
  });
  const lines = formatConfig(config, origins).split('\n');
  for (const line of [
    '# Addresses',
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
