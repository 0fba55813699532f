import { isCompletion } from '../ftp/reply.ts';
import type { Address } from '../net/address.ts';
import { ExchangeQueue, greeting, type SentExchange } from './exchange-queue.ts';

/** What the decisions about one session look at. Its session alone changes it, by the functions below. */
export interface SessionState {
  /** The control channel's peers. */
  readonly client: Address;
  readonly server: Address;
  /** The address that the client connected to. */
  readonly reached: Address;
  readonly exchanges: ExchangeQueue;
  /** Whether a command has come yet. */
  begun: boolean;
  loggedIn: boolean;
  /** RFC 2428 section 4: after EPSV ALL only EPSV sets up data connections. */
  epsvAll: boolean;
  /** What the server has said last of all: 221 to a QUIT, or that it closes by itself. */
  goodbye: 'quit' | 'closing' | undefined;
}

export function newSessionState(peers: Pick<SessionState, 'client' | 'server' | 'reached'>): SessionState {
  return {
    ...peers,
    exchanges: new ExchangeQueue(),
    begun: false,
    loggedIn: false,
    epsvAll: false,
    goodbye: undefined,
  };
}

const loginVerbs: ReadonlySet<string> = new Set(['USER', 'PASS', 'ACCT']);

/** Whether this reply refuses a log in. */
export function isLoginFailure(exchange: SentExchange | undefined, code: number): boolean {
  return exchange !== undefined && loginVerbs.has(exchange.verb) && code >= 500;
}

/** Whether the answer to a log in is still to come. */
export function isLoggingIn({ exchanges }: SessionState): boolean {
  return exchanges.find(({ verb }) => loginVerbs.has(verb) || verb === greeting) !== undefined;
}

/** Takes a reply of the server into account, and returns the exchange that it ended. */
export function settleReply(state: SessionState, code: number): SentExchange | undefined {
  const exchange = state.exchanges.settle(code);
  if (code === 421) state.goodbye = 'closing';
  if (code === 221 && exchange?.verb === 'QUIT') state.goodbye = 'quit';
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

/** Whether this is `EPSV ALL`'s argument. */
export function isAll(argument: string): boolean {
  return argument.trim().toUpperCase() === 'ALL';
}
