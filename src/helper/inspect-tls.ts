import type { CommandReason } from '../events.ts';
import type { Command } from '../ftp/command.ts';
import { isTransfer } from '../ftp/transfer.ts';
import type { CommandDecision } from './decision.ts';
import { replies } from './replies.ts';
import { loginVerbs, type SessionState } from './session-state.ts';
import { isServerAsked, type TlsPolicy } from './tls-policy.ts';

/** The mechanisms of AUTH that mean TLS; SSL is its old name (RFC 4217 appendix A). */
const mechanisms: ReadonlySet<string> = new Set(['TLS', 'TLS-C', 'SSL', 'TLS-P']);

/** The commands that set up a data connection: one set up in clear would stay clear. */
const setsUp: ReadonlySet<string> = new Set(['PORT', 'EPRT', 'PASV', 'EPSV']);

/** The mechanisms that imply PROT P, as in vsftpd and ProFTPD. */
const withData: ReadonlySet<string> = new Set(['SSL', 'TLS-P']);

/** The commands that a client logged in by the greeting may send before TLS, if TLS is required. */
const harmless: ReadonlySet<string> = new Set([
  ...['', 'ABOR', 'CCC', 'CLNT', 'FEAT', 'HELP', 'HOST', 'LANG'],
  ...['NOOP', 'OPTS', 'PBSZ', 'PROT', 'QUIT', 'REIN', 'SYST'],
]);

/** Decides about what concerns TLS; undefined for all other commands. Pure. */
export function inspectTls(
  command: Command,
  state: SessionState,
  policy: TlsPolicy,
): CommandDecision | undefined {
  const { verb } = command;
  const { wasSecured, isDataProtected } = state.security;
  switch (verb) {
    case 'AUTH':
      return inspectAuth(command, state, policy);
    case 'PBSZ':
    case 'PROT':
    case 'CCC':
      if (policy.mode === 'refuse' && state.security.server) {
        // It would change what was agreed on with the server, of which the client knows nothing.
        return refuse('tls-out-of-order', replies.requiresAuth(verb));
      }
      if (policy.mode !== 'terminate') return undefined;
      // Its change applies to the commands after it, not to those still under way.
      if (state.exchanges.size > 0) return { kind: 'wait' };
      return inspectLevel(command, state, policy);
    case 'REIN':
      // It would end TLS on both sides (RFC 4217 section 11), and the two sides would disagree about PROT.
      if (wasSecured || state.security.server) {
        return refuse('tls-out-of-order', replies.reinWithTls);
      }
  }
  const isServed = loginVerbs.has(verb) || (state.greetedIn && !harmless.has(verb));
  if (policy.isRequired && !wasSecured && isServed) {
    return refuse('tls-required', replies.loginRequiresTls);
  }
  if (policy.isRequiredForData && !isDataProtected && (isTransfer(command) || setsUp.has(verb))) {
    return refuse('data-tls-required', replies.dataRequiresTls);
  }
  return undefined;
}

function inspectAuth({ argument }: Command, state: SessionState, policy: TlsPolicy): CommandDecision {
  const mechanism = argument.trim().toUpperCase();
  if (policy.mode === 'refuse') {
    return mechanisms.has(mechanism)
      ? refuse('tls-refused', replies.tlsRefused)
      : refuse('tls-not-understood', replies.unknownMechanism);
  }
  if (state.exchanges.size > 0) return { kind: 'wait' };
  if (state.security.client) return refuse('tls-out-of-order', replies.tlsInUse);
  if (state.loggedIn && !state.greetedIn) return refuse('tls-out-of-order', replies.authAfterUser);
  if (!mechanisms.has(mechanism)) {
    return refuse('tls-not-understood', replies.unknownMechanismUseTls);
  }
  if (policy.mode === 'pass') return { kind: 'secure', asksServer: true, protectsData: false };
  return {
    kind: 'secure',
    // After CCC, the server's channel is still TLS.
    asksServer: policy.server === 'same' && !state.security.server,
    protectsData: withData.has(mechanism),
  };
}

/** PBSZ, PROT and CCC, when the relay terminates the client's TLS. */
function inspectLevel(command: Command, state: SessionState, policy: TlsPolicy): CommandDecision {
  const { security } = state;
  const { verb } = command;
  const argument = command.argument.trim().toUpperCase();
  if (!security.client && !(verb === 'PROT' && security.wasSecured)) {
    return refuse('tls-out-of-order', replies.requiresAuth(verb));
  }
  if (verb === 'CCC') {
    return policy.allowsClear ? { kind: 'clear' } : refuse('ccc-refused', replies.cccRefused);
  }
  const toServer = isServerAsked(security, policy);
  if (verb === 'PBSZ') {
    if (!/^\d{1,10}$/.test(argument)) return refuse('syntax', replies.pbszSyntax);
    // TLS has its own blocks: any other size becomes 0 (RFC 4217 section 8).
    return toServer ? { kind: 'pass' } : { kind: 'answer', effect: 'size-said', reply: replies.sizeIsZero };
  }
  if (!security.isSizeSaid) return refuse('tls-out-of-order', replies.protRequiresPbsz);
  if (argument === 'S' || argument === 'E') {
    return refuse('tls-not-understood', replies.levelNotOfTls);
  }
  if (argument !== 'C' && argument !== 'P') {
    return refuse('tls-not-understood', replies.unknownLevel);
  }
  if (argument === 'C' && policy.isRequiredForData) {
    return refuse('data-tls-required', replies.clearDataRefused);
  }
  if (toServer) return { kind: 'pass' };
  return argument === 'P'
    ? { kind: 'answer', effect: 'data-protected', reply: replies.dataIsProtected }
    : { kind: 'answer', effect: 'data-clear', reply: replies.dataIsClear };
}

function refuse(reason: CommandReason, reply: string): CommandDecision {
  return { kind: 'refuse', reason, reply };
}
