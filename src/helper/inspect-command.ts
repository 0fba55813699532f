import type { CommandReason } from '../events.ts';
import type { Command } from '../ftp/command.ts';
import { formatExtendedHostPort, parseExtendedHostPort, protocolNumber } from '../ftp/extended-host-port.ts';
import { formatHostPort, parseHostPort } from '../ftp/host-port.ts';
import { familyOf, parseAddress, withoutZone } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { CommandDecision } from './decision.ts';
import { inspectTls } from './inspect-tls.ts';
import { otherProtocol } from './other-protocols.ts';
import { whyNotDial, type Policy } from './policy.ts';
import { isAll, type SentExchange } from './exchange-queue.ts';
import { replies } from './replies.ts';
import { isLoggingIn, type SessionState } from './session-state.ts';

/** How many commands may be outstanding, and characters of theirs; a client that sends more waits until replies come. */
const mostOutstanding = 512;
/** The same before login: enough for a login and the questions before it. */
const mostOfStranger = 16;
const mostText = 65_536;

/**
 * Set-up of data connections in forms that are not served, and must not reach a server that knows them: RFC
 * 1639's, Pure-FTPd's own, and the one for FXP between TLS servers.
 */
const unservedVerbs: ReadonlySet<string> = new Set(['LPRT', 'LPSV', 'SPSV', 'ESTA', 'ESTP', 'CPSV']);

const setUpVerbs: ReadonlySet<string> = new Set(['PORT', 'EPRT', 'PASV', 'EPSV', ...unservedVerbs]);

/**
 * IAC IP IAC DM. A byte of it that came as TCP urgent data was not read, and servers that read urgent data in
 * line know the whole of it alone.
 */
const wholeSynch = '\xff\xf4\xff\xf2';

/**
 * Decides about one whole line of a client. Pure: what was decided is done, and recorded in `state`, by the
 * session.
 */
export function inspectCommand(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const { verb, raw } = command;
  const closing = inspectForOtherProtocol(command, state);
  if (closing) return closing;
  if (isOutOfTurn(verb, state)) return { kind: 'wait' };
  if (raw.includes('\0')) return refuse('nul-byte', replies.nulByte);
  // A server that ended the line here would see a second command that nobody inspected.
  if (raw.includes('\r')) return refuse('bare-cr', replies.bareCr);
  // Servers differ here: one that skips the byte would read a different verb.
  if (verb.includes('\xff')) return refuse('syntax', replies.notUnderstood);
  const ofTls = inspectTls(command, state, policy.tls);
  if (ofTls) return ofTls;
  if (verb === 'ABOR' && command.telnet !== '' && !raw.startsWith(wholeSynch)) {
    return { kind: 'pass', rewritten: wholeSynch + command.plain };
  }
  if (verb === 'HOST') return inspectHost(command, state);
  if (!setUpVerbs.has(verb)) return { kind: 'pass' };
  if (!state.loggedIn) return refuse('not-logged-in', replies.notLoggedIn);
  if (unservedVerbs.has(verb)) {
    return refuse('protocol-not-served', replies.setUpNotServed(verb));
  }
  if (state.epsvAll && verb !== 'EPSV') return refuse('epsv-all', replies.afterEpsvAll(verb));
  if (verb === 'PORT') return inspectPort(command, state, policy);
  if (verb === 'EPRT') return inspectEprt(command, state, policy);
  return { kind: 'pass' };
}

/**
 * RFC 7151: a client names the host that it means, some (lftp) by the address that they dialled. The server
 * knows itself by its own.
 */
function inspectHost(command: Command, state: SessionState): CommandDecision {
  const { text: argument, replacedBy } = bareArgument(command);
  const isBracketed = argument.startsWith('[') && argument.endsWith(']');
  const address = parseAddress(isBracketed ? argument.slice(1, -1) : argument);
  if (address === undefined || address !== state.reached) return { kind: 'pass' };
  const server = withoutZone(state.server);
  const wantsBrackets = familyOf(server) === 6 && (isBracketed || familyOf(address) === 4);
  const own = wantsBrackets ? `[${server}]` : server;
  return { kind: 'pass', rewritten: replacedBy(own) };
}

const blanks = '\t\v\f ';

/**
 * A command's argument without the blanks around it, which servers skip, and the line with another in its place: the
 * blanks stay.
 *
 *     "PORT  198,51,100,10,195,80 "
 */
function bareArgument({ argument, plain, argumentStart, telnet }: Command): {
  readonly text: string;
  readonly replacedBy: (text: string) => string;
} {
  let start = 0;
  let end = argument.length;
  while (start < end && blanks.includes(argument.charAt(start))) start++;
  while (end > start && blanks.includes(argument.charAt(end - 1))) end--;
  return {
    text: argument.slice(start, end),
    replacedBy: (text) => telnet + plain.slice(0, argumentStart + start) + text + argument.slice(end),
  };
}

/**
 * Decides about the first piece of a line that is too long to be a command, which its end may not have been read of.
 */
export function inspectOverlong(command: Command, state: SessionState): CommandDecision {
  const closing = inspectForOtherProtocol(command, state);
  if (closing) return closing;
  // Its end, which is dropped, may identify it: `NOOP /x...x HTTP/1.1`. No FTP client begins like this.
  if (!state.begun) return { kind: 'close', reason: 'not-ftp', reply: replies.notFtp };
  return hasTooMany(state) ? { kind: 'wait' } : refuse('line-too-long', replies.lineTooLong);
}

/** The client speaks another protocol and was made to send this: nothing after it can be trusted. */
function inspectForOtherProtocol(command: Command, state: SessionState): CommandDecision | undefined {
  const other = state.begun ? undefined : otherProtocol(command);
  return other && { kind: 'close', reason: other, reply: otherProtocolReplies[other] };
}

const otherProtocolReplies = {
  http: replies.http,
  'not-ftp': replies.notFtp,
} as const;

function hasTooMany({ exchanges, loggedIn }: SessionState): boolean {
  if (exchanges.size >= mostOutstanding) return true;
  if (!loggedIn && exchanges.size - exchanges.emptyLines >= mostOfStranger) return true;
  return exchanges.textSize >= mostText;
}

function isOutOfTurn(verb: string, state: SessionState): boolean {
  const { exchanges } = state;
  if (hasTooMany(state)) return true;
  const isSettingUp = (exchange: SentExchange): boolean =>
    // A pinhole of active mode is armed by the reply to its PORT: a STOR must not reach the server before it.
    exchange.verb === 'PORT' ||
    exchange.verb === 'EPRT' ||
    // Whether the next data channel is TLS is not known yet.
    exchange.verb === 'PROT' ||
    (exchange.verb === 'EPSV' && isAll(exchange.argument));
  if (exchanges.find(isSettingUp)) return true;
  // A client may send USER, PASS and PASV in one segment: whether it is logged in is not known yet.
  return setUpVerbs.has(verb) && !state.loggedIn && isLoggingIn(state);
}

function inspectPort(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const endpoint = parseHostPort(bareArgument(command).text);
  if (!endpoint) return refuse('syntax', replies.portSyntax);
  return expectActive(command, endpoint, '|', state, policy);
}

function inspectEprt(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const parsed = parseExtendedHostPort(bareArgument(command).text);
  if (!parsed) return refuse('syntax', replies.eprtSyntax);
  const served = protocolNumber(familyOf(state.client));
  if (parsed.protocol !== served || !parsed.endpoint) {
    return refuse('protocol-not-served', replies.protocolNotServed(String(served)));
  }
  return expectActive(command, parsed.endpoint, parsed.delimiter, state, policy);
}

function expectActive(
  command: Command,
  endpoint: Endpoint,
  delimiter: string,
  state: SessionState,
  policy: Policy,
): CommandDecision {
  const verb = command.verb === 'PORT' ? 'PORT' : 'EPRT';
  const reason = whyNotDial(endpoint, state.client, policy);
  if (reason) return refuse(reason, replies.notDialled(verb));
  // The peer's own address, with the zone that it needs where it is link-local.
  const isPeer = endpoint.address === withoutZone(state.client);
  const dialled = isPeer ? { address: state.client, port: endpoint.port } : endpoint;
  return {
    kind: 'expect',
    announcement: { mode: 'active', verb, endpoint: dialled },
    rewrite: (announced) => {
      const { replacedBy } = bareArgument(command);
      if (verb === 'EPRT') return replacedBy(formatExtendedHostPort(announced, delimiter));
      // The internal side may have only IPv6, and PORT cannot hold an IPv6 address.
      if (familyOf(announced.address) === 6)
        return `${command.telnet}EPRT ${formatExtendedHostPort(announced, delimiter)}`;
      return replacedBy(formatHostPort(announced));
    },
  };
}

function refuse(reason: CommandReason, reply: string): CommandDecision {
  return { kind: 'refuse', reason, reply };
}
