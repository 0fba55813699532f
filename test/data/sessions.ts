import assert from 'node:assert/strict';
import type { CommandDecision } from '../../src/helper/decision.ts';
import { greeting } from '../../src/helper/exchange-queue.ts';
import type { Policy } from '../../src/helper/policy.ts';
import { noTls } from '../../src/helper/tls-policy.ts';
import { newSessionState, settleReply, type SessionState } from '../../src/helper/session-state.ts';
import { familyOf, parseAddress, type Address } from '../../src/net/address.ts';
import { parseCidr, type Cidr } from '../../src/net/cidr.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';

/** The sessions that the wire cases are judged in. */
const usual = {
  4: { client: '198.51.100.10', reached: '203.0.113.1', server: '10.77.0.2' },
  6: { client: '2001:db8::10', reached: '2001:db8::1', server: 'fd00::2' },
} as const;

export function address(text: string): Address {
  const parsed = parseAddress(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

export function network(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed, text);
  return parsed;
}

/** A session of which nothing has come, the greeting not either; client and server are of one family. */
export function newSession(clientText: string = usual[4].client): SessionState {
  const client = address(clientText);
  const { reached, server } = usual[familyOf(client)];
  return newSessionState({ client, reached: address(reached), server: address(server) });
}

/** A session that has had its greeting. */
export function greeted(client?: string): SessionState {
  const state = newSession(client);
  assert.equal(settleReply(state, 220)?.verb, greeting);
  state.begun = true;
  return state;
}

/** A session that is logged in, with nothing outstanding. */
export function loggedIn(client?: string): SessionState {
  const state = greeted(client);
  exchange(state, 'USER', 331);
  exchange(state, 'PASS', 230);
  return state;
}

/** A command and its replies, one behind the other. */
export function exchange(state: SessionState, line: string, ...codes: number[]): void {
  send(state, line);
  for (const code of codes) settleReply(state, code);
}

/** Commands that went to the server, whose replies have not come. */
export function send(state: SessionState, ...lines: string[]): void {
  for (const line of lines) {
    const [verb = '', ...rest] = line.split(' ');
    state.exchanges.add({ kind: 'sent', verb, argument: rest.join(' ') });
  }
}

export function policyWith(changes: Partial<Policy> = {}): Policy {
  return {
    fxpPeers: [],
    denyPorts: [{ first: 6000, last: 6063 }],
    serverPassivePorts: [],
    localNetworks: [],
    publicAddress: () => undefined,
    tls: noTls,
    ...changes,
  };
}

/** `pass`, `wait`, `expect 198.51.100.10:50000`, `refuse syntax 501`, `close http 421`. */
export function tell(decision: CommandDecision): string {
  switch (decision.kind) {
    case 'pass':
    case 'wait':
    case 'secure':
    case 'clear':
      return decision.kind;
    case 'expect':
      return `expect ${formatEndpoint(decision.announcement.endpoint)}`;
    case 'answer':
      return `answer ${decision.effect} ${decision.reply.slice(0, 3)}`;
    case 'refuse':
    case 'close':
      assert.match(decision.reply, /^[45]\d\d [\x20-\x7e]+$/);
      return `${decision.kind} ${decision.reason} ${decision.reply.slice(0, 3)}`;
  }
}
