import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { OwnConnections } from '../../src/proxy/own-connections.ts';
import { address } from '../data/sessions.ts';

const near: Endpoint = { address: address('192.0.2.1'), port: 40_000 };
const far: Endpoint = { address: address('192.0.2.2'), port: 21 };
const elsewhere: Endpoint = { address: address('192.0.2.3'), port: 21 };

test('knows a client that is its own connection to a server, until that is over', () => {
  const own = new OwnConnections();
  assert.equal(own.isClientOwn(near, far), false);
  const forget = own.addServer(near, far);
  assert.equal(own.isClientOwn(near, far), true);
  assert.equal(own.isClientOwn(near, elsewhere), false, 'the port alone may be that of another connection');
  forget();
  assert.equal(own.isClientOwn(near, far), false);
});

test('knows a server that is a client here, until that has gone', () => {
  const own = new OwnConnections();
  const forget = own.addClient(near, far);
  assert.equal(own.isServerOwn(near, far), true);
  assert.equal(own.isServerOwn(near, elsewhere), false);
  forget();
  assert.equal(own.isServerOwn(near, far), false);
});

test('remembers a connection that led back here for some seconds', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const own = new OwnConnections();
  own.remember(near, far);
  t.mock.timers.tick(9999);
  assert.equal(own.isClientOwn(near, far), true);
  t.mock.timers.tick(1);
  assert.equal(own.isClientOwn(near, far), false);
});
