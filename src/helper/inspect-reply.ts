import { findExtendedPorts } from '../ftp/extended-host-port.ts';
import { findHostPorts, formatHostPort } from '../ftp/host-port.ts';
import { replaceSpans } from '../ftp/rewrite.ts';
import type { ReplyDecision } from './decision.ts';
import { withoutTls, withOwnTls } from './features.ts';
import type { Policy } from './policy.ts';
import type { SessionState } from './session-state.ts';

/**
 * Whether a reply with this code is to be inspected if it comes now: it announces a data connection, or features. A 227 or 229 means something
 * only as the first final reply of a PASV or EPSV, so that text in the answer to another command can't
 * open a pinhole.
 */
export function isInspected(code: number, state: SessionState, { tls }: Policy): boolean {
  const verb = state.exchanges.answeredBy(code)?.verb;
  if (code === 211 && verb === 'FEAT') {
    return tls.mode === 'terminate' || (tls.mode === 'refuse' && state.security.server);
  }
  return (code === 227 && verb === 'PASV') || (code === 229 && verb === 'EPSV');
}

/**
 * Decides about a whole final reply that `isInspected`, its lines without their ends. Pure. Every other reply
 * goes on as it came.
 *
 * @param endsTls whether TLS of clients ends at this side
 */
export function inspectReply(
  code: number,
  lines: readonly string[],
  state: SessionState,
  endsTls = true,
): ReplyDecision {
  if (code === 211) return { kind: 'replace', lines: endsTls ? withOwnTls(lines) : withoutTls(lines) };
  return code === 227 ? inspectPassive(lines, state) : inspectExtendedPassive(lines, state);
}

/** `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2).` */
function inspectPassive(lines: readonly string[], state: SessionState): ReplyDecision {
  const found = lines.map((line) => findAfterCode(line, findHostPorts));
  // Where they differ: the line with the final code is the one that clients read.
  const first = found.at(-1)?.[0] ?? found.flat()[0];
  if (!first) return { kind: 'pass', remark: 'unusable-announcement' };
  const { endpoint } = first;
  const unspecified = endpoint.address === '0.0.0.0';
  return {
    kind: 'expect',
    announcement: { mode: 'passive', verb: 'PASV', endpoint },
    rewrite: (announced) =>
      lines.map((line, index) => replaceSpans(line, found[index] ?? [], formatHostPort(announced))),
    ...(endpoint.address !== state.server && !unspecified && { remark: 'foreign-address' as const }),
  };
}

/** `229 Entering Extended Passive Mode (|||port|)` */
function inspectExtendedPassive(lines: readonly string[], state: SessionState): ReplyDecision {
  const found = lines.map((line) => findAfterCode(line, findExtendedPorts));
  const first = found.at(-1)?.[0] ?? found.flat()[0];
  if (!first) return { kind: 'pass', remark: 'unusable-announcement' };
  return {
    kind: 'expect',
    announcement: { mode: 'passive', verb: 'EPSV', endpoint: { address: state.server, port: first.port } },
    rewrite: (announced) =>
      lines.map((line, index) => replaceSpans(line, found[index] ?? [], String(announced.port))),
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
