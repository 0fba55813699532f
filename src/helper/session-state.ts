import { isCompletion } from '../ftp/reply.ts';
import type { Address } from '../net/address.ts';
import { ExchangeQueue, greeting, type Exchange } from './exchange-queue.ts';

/** What the decisions about one session look at. Its session alone changes it, by the functions below. */
export interface SessionState {
  /** The control channel's peers. */
  readonly client: Address;
  readonly server: Address;
  readonly exchanges: ExchangeQueue;
  /** Whether a command has come yet. */
  begun: boolean;
  loggedIn: boolean;
  /** RFC 2428 section 4: after EPSV ALL only EPSV sets up data connections. */
  epsvAll: boolean;
  /** Whether the server has said 221 or 421. */
  goodbye: boolean;
}

export function newSessionState(client: Address, server: Address): SessionState {
  return {
    client,
    server,
    exchanges: new ExchangeQueue(),
    begun: false,
    loggedIn: false,
    epsvAll: false,
    goodbye: false,
  };
}

const loginVerbs: ReadonlySet<string> = new Set(['USER', 'PASS', 'ACCT']);

/** Whether the answer to a log in is still to come. */
export function isLoggingIn({ exchanges }: SessionState): boolean {
  return exchanges.some(({ verb }) => loginVerbs.has(verb) || verb === greeting);
}

/** Takes a reply of the server into account, and returns the exchange that it ended. */
export function settleReply(state: SessionState, code: number): Exchange | undefined {
  const exchange = state.exchanges.settle(code);
  if (code === 421 || (code === 221 && exchange?.verb === 'QUIT')) state.goodbye = true;
  if (!exchange || !isCompletion(code)) return exchange;
  if (loginVerbs.has(exchange.verb)) state.loggedIn = true;
  if (exchange.verb === 'EPSV' && isAll(exchange.argument)) state.epsvAll = true;
  if (exchange.verb === 'REIN') {
    // RFC 959 section 4.1.1: all parameters are reset to the default.
    state.loggedIn = false;
    state.epsvAll = false;
  }
  return exchange;
}

function isAll(argument: string): boolean {
  return argument.trim().toUpperCase() === 'ALL';
}
