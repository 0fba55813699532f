import { isCompletion } from '../ftp/reply.ts';
import type { Address } from '../net/address.ts';
import { restartAfter, sizeIn, type FileSize } from './announced-size.ts';
import type { SecurityEffect } from './decision.ts';
import { directoryAfter, isDirectoryChange } from './directory.ts';
import { ExchangeQueue, greeting, isAll, type SentExchange } from './exchange-queue.ts';
import type { Security } from './tls-policy.ts';

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
  /** The argument of the last USER that the server has not refused as a command; undefined before the first. */
  user: string | undefined;
  /** The working directory, as far as the dialogue tells. */
  directory: string | undefined;
  /** What was asked or said last of the size of a file. */
  fileSize: FileSize | undefined;
  /** Where the next transfer begins in its file, in bytes: by REST. */
  restartAt: number;
  /** Whether TYPE A was asked for last. Servers begin with it as well, and nobody can tell that this was meant. */
  isText: boolean;
  /** Whether the greeting was the login, without a user name. */
  greetedIn: boolean;
  /** RFC 2428 section 4: after EPSV ALL only EPSV sets up data connections. */
  epsvAll: boolean;
  /** Whether the server has sent 221 to a QUIT, or 421. */
  goodbye: 'quit' | 'closing' | undefined;
  /** The code of the last reply; 0 before the first. */
  lastCode: number;
  /** Changed by `changeSecurity` alone. */
  security: Security;
}

export function newSessionState(
  peers: Pick<SessionState, 'client' | 'server' | 'reached'>,
  { client = false, server = false }: { readonly client?: boolean; readonly server?: boolean } = {},
): SessionState {
  return {
    ...peers,
    exchanges: new ExchangeQueue(),
    begun: false,
    loggedIn: false,
    user: undefined,
    directory: undefined,
    fileSize: undefined,
    restartAt: 0,
    isText: false,
    greetedIn: false,
    epsvAll: false,
    goodbye: undefined,
    lastCode: 0,
    security: { client, server, wasSecured: client, isSizeSaid: false, isDataProtected: false },
  };
}

/** The commands that log in (RFC 959 section 4.1.1). */
export const loginVerbs: ReadonlySet<string> = new Set(['USER', 'PASS', 'ACCT']);

/** Whether this reply is that of a log in which has succeeded: 230, or 232 (RFC 2228). */
export function isLogin(exchange: SentExchange | undefined, code: number): boolean {
  if (code !== 230 && code !== 232) return false;
  return exchange !== undefined && (loginVerbs.has(exchange.verb) || exchange.verb === greeting);
}

/**
 * Whether this reply refuses a log in: 530, or what some servers have in its place. Not a command that the server does
 * not understand or accept now, nor a server that closes.
 */
export function isLoginFailure(exchange: SentExchange | undefined, code: number): boolean {
  if (exchange === undefined || !loginVerbs.has(exchange.verb)) return false;
  return code === 430 || (code >= 500 && !isNotTaken(code));
}

/** Whether the answer to a log in is still to come. */
export function isLoggingIn({ exchanges }: SessionState): boolean {
  return exchanges.find(({ verb }) => loginVerbs.has(verb) || verb === greeting) !== undefined;
}

/**
 * Whether the client knows why the server closes the connection: the server has sent a goodbye, or a refusal with no
 * command outstanding (530 after too many logins, 500 to a command that it does not accept), or the client has sent
 * QUIT.
 */
export function isCloseExplained({ goodbye, lastCode, exchanges }: SessionState): boolean {
  if (goodbye || exchanges.find(({ verb }) => verb === 'QUIT')) return true;
  return lastCode >= 400 && exchanges.size === 0;
}

/**
 * Takes a reply of the server into account, and returns the exchange that it ended.
 *
 * @param text its first line
 */
export function settleReply(state: SessionState, code: number, text = ''): SentExchange | undefined {
  const exchange = state.exchanges.settle(code);
  state.lastCode = code;
  if (code === 421) state.goodbye = 'closing';
  if (code === 221 && exchange?.verb === 'QUIT') state.goodbye = 'quit';
  if (!exchange) return exchange;
  settleLogin(state, exchange, code);
  state.restartAt = restartAfter(state.restartAt, exchange, code);
  if (!isCompletion(code)) return exchange;
  state.directory = directoryAfter(state.directory, exchange, code, text);
  // A path means another file from another directory.
  if (isDirectoryChange(exchange)) state.fileSize = undefined;
  state.fileSize = sizeIn(exchange, code, text) ?? state.fileSize;
  if (exchange.verb === 'EPSV' && isAll(exchange.argument)) state.epsvAll = true;
  if (exchange.verb === 'TYPE') state.isText = /^\s*A/i.test(exchange.argument);
  if (exchange.verb === 'PBSZ') changeSecurity(state, 'size-said');
  if (exchange.verb === 'PROT') {
    changeSecurity(state, exchange.argument.trim().toUpperCase() === 'P' ? 'data-protected' : 'data-clear');
  }
  // RFC 959 section 4.1.1: all parameters are reset to the default.
  if (exchange.verb === 'REIN') {
    state.epsvAll = false;
    state.isText = false;
  }
  return exchange;
}

/** 230 logs in, and so does 232, its form after authentication by TLS or the like (RFC 2228); nothing else does. */
function settleLogin(state: SessionState, exchange: SentExchange, code: number): void {
  const { verb, argument } = exchange;
  if (verb === 'USER' && !isNotTaken(code)) state.user = argument;
  if (isLogin(exchange, code)) {
    state.loggedIn = true;
    state.greetedIn = verb === greeting;
  } else if (undoesLogin(verb, code)) {
    state.loggedIn = false;
    state.greetedIn = false;
  }
}

/**
 * RFC 959 section 4.1.1: a USER discards the earlier login, and begins a new one. A server that does not understand
 * or accept the command (500 to 504, as ProFTPD replies to a logged-in client) has not done that.
 */
function undoesLogin(verb: string, code: number): boolean {
  if (verb === 'REIN') return isCompletion(code);
  const isRefused = code >= 400 && !isNotTaken(code);
  return (verb === 'USER' || verb === 'PASS') && (isRefused || (code >= 300 && code < 400));
}

/** Whether a server has not understood or accepted a command, so that nothing has come of it. */
function isNotTaken(code: number): boolean {
  return code >= 500 && code <= 504;
}

/**
 * A change of the session's security: a control channel has become TLS or is no longer TLS, or PBSZ or PROT was
 * granted.
 */
type SecurityChange = 'client-secured' | 'client-cleared' | 'server-secured' | SecurityEffect;

const changesOf: Readonly<Record<SecurityChange, Partial<Security>>> = {
  'client-secured': { client: true, wasSecured: true },
  'client-cleared': { client: false },
  'server-secured': { server: true },
  'size-said': { isSizeSaid: true },
  'data-protected': { isDataProtected: true },
  'data-clear': { isDataProtected: false },
};

export function changeSecurity(state: SessionState, change: SecurityChange): void {
  state.security = { ...state.security, ...changesOf[change] };
}
