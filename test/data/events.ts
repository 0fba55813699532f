import type { Event, PinholeFacts } from '../../src/events.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { address } from './sessions.ts';

const endpoint = (host: string, port: number): Endpoint => ({ address: address(host), port });

const client: Endpoint = endpoint('198.51.100.10', 40000);
const from: Endpoint = endpoint('198.51.100.10', 40001);
const reached: Endpoint = endpoint('203.0.113.1', 21);
const server: Endpoint = endpoint('10.77.0.2', 21);

const facts: PinholeFacts = {
  session: 1,
  expectation: 7,
  plane: 'relay',
  mode: 'passive',
  peer: client.address,
  at: endpoint('203.0.113.1', 50000),
  to: endpoint('10.77.0.2', 51213),
};

const transfer: Extract<Event, { type: 'transfer-ended' }> = {
  type: 'transfer-ended',
  ...facts,
  command: { verb: 'RETR', path: '/a', isRelative: false },
  uploaded: 0,
  downloaded: 5,
  seconds: 0.12345,
  cause: 'complete',
};

type Name =
  | 'opened'
  | 'command'
  | 'rewrittenCommand'
  | 'keptCommand'
  | 'named'
  | 'loggedIn'
  | 'loginFailed'
  | 'commandRefused'
  | 'reply'
  | 'rewrittenReply'
  | 'ownReply'
  | 'remarked'
  | 'resolved'
  | 'tableRestored'
  | 'notResolved'
  | 'pinholeOpened'
  | 'pinholeTaken'
  | 'pinholeClosed'
  | 'pinholeRefused'
  | 'begun'
  | 'download'
  | 'upload'
  | 'unknownTransfer'
  | 'closed'
  | 'sessionRefused';

/** One event of every kind, as a session with a passive transfer tells them. */
export const events: Readonly<Record<Name, Event>> = {
  opened: { type: 'session-opened', session: 1, client, reached, server },
  command: { type: 'command', session: 1, received: 'PASV', sent: 'PASV' },
  rewrittenCommand: {
    type: 'command',
    session: 1,
    received: 'PORT 198,51,100,10,195,80',
    sent: 'PORT 10,77,0,1,195,81',
  },
  keptCommand: { type: 'command', session: 1, received: 'NOOP', sent: undefined },
  named: { type: 'session-user', session: 1, user: 'anna' },
  loggedIn: { type: 'session-logged-in', session: 1, client },
  loginFailed: { type: 'login-failed', session: 1, client, code: 530 },
  commandRefused: {
    type: 'command-refused',
    session: 1,
    client,
    command: 'PORT 192,0,2,1,0,22',
    reason: 'not-the-peer',
    reply: '500 Illegal PORT command',
  },
  reply: { type: 'reply', session: 1, received: '200 OK', sent: '200 OK' },
  rewrittenReply: {
    type: 'reply',
    session: 1,
    received: '227 (10,77,0,2,200,13)',
    sent: '227 (203,0,113,1,195,80)',
  },
  ownReply: { type: 'reply', session: 1, received: undefined, sent: '421 Idle timeout.' },
  remarked: { type: 'reply-remarked', session: 1, reason: 'unusable-announcement', reply: '227 x' },
  resolved: { type: 'public-address-resolved', host: 'ftp.example', address: reached.address },
  tableRestored: { type: 'table-restored', table: 'pinhole', pinholes: 3 },
  notResolved: { type: 'public-address-failed', host: 'ftp.example', error: 'queryA ENOTFOUND' },
  pinholeOpened: { type: 'pinhole-opened', ...facts, command: 'PASV', seconds: 0.0005, timeout: 300_000 },
  pinholeTaken: { type: 'pinhole-taken', ...facts, from },
  pinholeClosed: { type: 'pinhole-closed', ...facts, reason: 'expired' },
  pinholeRefused: { type: 'pinhole-refused', at: facts.at, from, reason: 'stranger' },
  begun: {
    type: 'transfer-begun',
    session: 1,
    command: { verb: 'RETR', path: '/a', isRelative: false },
    size: 5,
  },
  download: transfer,
  upload: {
    ...transfer,
    command: { verb: 'STOR', path: 'b', isRelative: true },
    uploaded: 9,
    downloaded: 0,
    cause: 'client-reset',
    error: 'read ECONNRESET',
  },
  unknownTransfer: { ...transfer, command: undefined },
  closed: { type: 'session-closed', session: 1, client, reason: 'quit', seconds: 1.23456 },
  sessionRefused: { type: 'session-refused', client, reason: 'too-many-sessions' },
};
