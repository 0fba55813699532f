import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settings } from '../../src/config/table.ts';
import { formatCidr } from '../../src/net/cidr.ts';
import { load } from '../support/load-config.ts';

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
    drainTimeout: 0,
    grace: 30_000,
    plane: 'relay',
    workers: 1,
    kernelTable: 'pinhole',
    kernelMark: 0x2121,
    user: undefined,
    admin: undefined,
    adminGroup: 'pinhole',
    adminListen: [],
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
    transferLog: undefined,
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
