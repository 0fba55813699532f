import type { CommandReason } from '../events.ts';
import type { Command } from '../ftp/command.ts';
import { formatExtendedHostPort, parseExtendedHostPort, protocolNumber } from '../ftp/extended-host-port.ts';
import { formatHostPort, parseHostPort } from '../ftp/host-port.ts';
import { familyOf } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { CommandDecision } from './decision.ts';
import { whyNotDial, type Policy } from './policy.ts';
import { isLoggingIn, type SessionState } from './session-state.ts';

/** How many commands may be outstanding; a client that sends more is read no further until replies come. */
const mostOutstanding = 512;

/** The set-up of data connections; LPRT and LPSV (RFC 1639) are older than EPRT and announce the same. */
const setUpVerbs: ReadonlySet<string> = new Set(['PORT', 'EPRT', 'PASV', 'EPSV', 'LPRT', 'LPSV']);

const httpVerbs: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);

/**
 * Decides about one whole line of a client. Pure: what was decided is done, and recorded in `state`, by the
 * session.
 */
export function inspectCommand(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const { verb, plain } = command;
  if (!state.begun && httpVerbs.has(verb)) {
    return { kind: 'close', reason: 'http', reply: '421 This is FTP, not HTTP.' };
  }
  if (isOutOfTurn(verb, state)) return { kind: 'wait' };
  if (plain.includes('\0')) return refuse('nul-byte', '500 A command can not hold a NUL byte.');
  // A server that ended the line here would see a second command that nobody inspected.
  if (plain.includes('\r')) return refuse('bare-cr', '500 A command can not hold a CR without LF.');
  if (verb === 'AUTH') return refuse('tls-refused', '534 TLS is not available through this relay.');
  if (!setUpVerbs.has(verb)) return { kind: 'pass' };
  if (!state.loggedIn) return refuse('not-logged-in', '530 Please login with USER and PASS.');
  if (verb === 'LPRT' || verb === 'LPSV') {
    return refuse('protocol-not-served', `502 ${verb} not implemented, use EPRT or EPSV.`);
  }
  if (state.epsvAll && verb !== 'EPSV') return refuse('epsv-all', `501 ${verb} not allowed after EPSV ALL.`);
  if (verb === 'PORT') return inspectPort(command, state, policy);
  if (verb === 'EPRT') return inspectEprt(command, state, policy);
  return { kind: 'pass' };
}

function isOutOfTurn(verb: string, state: SessionState): boolean {
  const { exchanges } = state;
  if (exchanges.size >= mostOutstanding) return true;
  // A pinhole of active mode is armed by the reply to its PORT: a STOR must not reach the server before it.
  if (exchanges.some((exchange) => exchange.verb === 'PORT' || exchange.verb === 'EPRT')) return true;
  // A client may send USER, PASS and PASV in one segment: whether it is logged in is not known yet.
  return setUpVerbs.has(verb) && !state.loggedIn && isLoggingIn(state);
}

function inspectPort(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const endpoint = parseHostPort(command.argument);
  if (!endpoint) return refuse('syntax', '501 Illegal PORT command: six numbers of 0-255 expected.');
  return expectActive(command, endpoint, '|', state, policy);
}

function inspectEprt(command: Command, state: SessionState, policy: Policy): CommandDecision {
  const parsed = parseExtendedHostPort(command.argument);
  if (!parsed) return refuse('syntax', '501 Illegal EPRT command: |protocol|address|port| expected.');
  const served = protocolNumber(familyOf(state.client));
  if (parsed.protocol !== served || !parsed.endpoint) {
    return refuse('protocol-not-served', `522 Network protocol not supported, use (${served})`);
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
  const { plain, telnet, argumentStart } = command;
  const verb = command.verb === 'PORT' ? 'PORT' : 'EPRT';
  const reason = whyNotDial(endpoint, state.client, policy);
  if (reason) return refuse(reason, `500 Illegal ${verb} command`);
  return {
    kind: 'expect',
    announcement: { mode: 'active', verb, endpoint },
    rewrite: (announced) => {
      if (verb === 'EPRT') {
        return telnet + plain.slice(0, argumentStart) + formatExtendedHostPort(announced, delimiter);
      }
      // Inside may be IPv6 only, and PORT can't say an IPv6 address.
      if (familyOf(announced.address) === 6) return `EPRT ${formatExtendedHostPort(announced, delimiter)}`;
      return telnet + plain.slice(0, argumentStart) + formatHostPort(announced);
    },
  };
}

function refuse(reason: CommandReason, reply: string): CommandDecision {
  return { kind: 'refuse', reason, reply };
}
