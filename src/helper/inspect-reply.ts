import { findExtendedPorts, findLoosePorts, formatExtendedPort } from '../ftp/extended-host-port.ts';
import { findHostPorts, formatHostPort } from '../ftp/host-port.ts';
import { replaceSpans } from '../ftp/rewrite.ts';
import type { ReplyDecision } from './decision.ts';
import type { ExchangeQueue } from './exchange-queue.ts';
import { withoutTls, withOwnTls } from './features.ts';
import { whyNotLead, type Policy } from './policy.ts';
import type { SessionState } from './session-state.ts';

/**
 * Whether a reply with this code has to be inspected if it arrives now: it announces a data connection, or features.
 * A 227 or 229 counts only as the first final reply to a PASV or EPSV, so that text in the reply to another command
 * cannot open a pinhole. Some servers answer one of the two as if it were the other, and clients accept that.
 */
export function isInspected(code: number, state: SessionState, { tls }: Policy): boolean {
  if (code === 211 && state.exchanges.answeredBy(code)?.verb === 'FEAT') {
    return tls.mode === 'terminate' || (tls.mode === 'refuse' && state.security.server);
  }
  return announcingVerb(code, state.exchanges) !== undefined;
}

/** The command that a reply with this code announces a data connection for, if it comes now. */
export function announcingVerb(code: number, exchanges: ExchangeQueue): 'PASV' | 'EPSV' | undefined {
  if (code !== 227 && code !== 229) return undefined;
  const verb = exchanges.answeredBy(code)?.verb;
  return verb === 'PASV' || verb === 'EPSV' ? verb : undefined;
}

/**
 * Whether clients would read an announcement in a line that is sent on unchanged, for which nothing was opened. They
 * recognise it by the code at the line's beginning, and some look no further.
 */
export function isUnreadAnnouncement(line: string): boolean {
  const code = /^22[79](?!\d)/.exec(line)?.[0];
  if (code === undefined) return false;
  if (code === '227') return findAfterCode(line, findHostPorts).length > 0;
  return [findExtendedPorts, findLoosePorts].some((find) => findAfterCode(line, find).length > 0);
}

/**
 * Decides about a whole final reply that `isInspected`, its lines without their ends. Pure. Every other reply is sent
 * on unchanged.
 */
export function inspectReply(
  code: number,
  lines: readonly string[],
  state: SessionState,
  policy: Pick<Policy, 'tls' | 'denyPorts' | 'serverPassivePorts'>,
): ReplyDecision {
  if (code === 211) {
    const endsTls = policy.tls.mode === 'terminate';
    return { kind: 'replace', lines: endsTls ? withOwnTls(lines) : withoutTls(lines) };
  }
  const decision = code === 227 ? inspectPassive(lines, state) : inspectExtendedPassive(lines, state);
  if (decision.kind !== 'expect') return decision;
  const { announcement } = decision;
  const reason = whyNotLead(announcement.endpoint.port, policy);
  return reason ? { kind: 'refuse', announcement, reason, remark: 'forbidden-port' } : decision;
}

/** `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2).` */
function inspectPassive(lines: readonly string[], state: SessionState): ReplyDecision {
  const found = lines.map((line) => findAfterCode(line, findHostPorts));
  // If they differ: clients read the line with the final code.
  const first = found.at(-1)?.[0] ?? found.flat()[0];
  if (!first) return { kind: 'pass', remark: 'unusable-announcement' };
  const { endpoint } = first;
  const unspecified = endpoint.address === '0.0.0.0';
  const verb = announcingVerb(227, state.exchanges) ?? 'PASV';
  return {
    kind: 'expect',
    announcement: { mode: 'passive', verb, endpoint },
    rewrite: (announced) =>
      lines.map((line, index) => replaceSpans(line, found[index] ?? [], formatHostPort(announced))),
    ...(endpoint.address !== state.server && !unspecified && { remark: 'foreign-address' as const }),
  };
}

/** `229 Entering Extended Passive Mode (|||port|)` */
function inspectExtendedPassive(lines: readonly string[], state: SessionState): ReplyDecision {
  const strict = lines.map((line) => findAfterCode(line, findExtendedPorts));
  const isLoose = strict.flat().length === 0;
  const found = isLoose ? lines.map((line) => findAfterCode(line, findLoosePorts)) : strict;
  const first = found.at(-1)?.[0] ?? found.flat()[0];
  if (!first) return { kind: 'pass', remark: 'unusable-announcement' };
  const verb = announcingVerb(229, state.exchanges) ?? 'EPSV';
  return {
    kind: 'expect',
    announcement: { mode: 'passive', verb, endpoint: { address: state.server, port: first.port } },
    rewrite: ({ port }) => {
      const text = isLoose ? formatExtendedPort(port) : String(port);
      return lines.map((line, index) => replaceSpans(line, found[index] ?? [], text));
    },
  };
}

/** The digits of the code itself are no part of what it announces. */
function findAfterCode<T extends { start: number; end: number }>(
  line: string,
  find: (text: string) => T[],
): T[] {
  const skip = /^\d{3}[ -]/.test(line) ? 4 : 0;
  return find(line.slice(skip)).map((span) => ({ ...span, start: span.start + skip, end: span.end + skip }));
}
