import type { MessageId } from './messages/message.ts';

/**
 * `fine`: as it should be; `note`: worth knowing; `fault`: FTP fails, or more is open than is needed; `unseen`: it
 * matters, and it is not known, as it was not examined or not understood.
 */
export type Level = 'fine' | 'note' | 'unseen' | 'fault';

/** One result of the doctor. */
export interface Finding {
  /** Also the message's key in the catalogue. */
  readonly id: MessageId;
  readonly level: Level;
  /** What stands for the `{names}` in the message. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Where it was read; `line` counts from 1. */
  readonly where?: { readonly file: string; readonly line?: number };
  /** It shows again what an earlier finding showed, and is counted with that. */
  readonly again?: true;
  /** Exact lines, one for each program that may be meant. They are in no language. */
  readonly remedies: readonly Remedy[];
}

export interface Remedy {
  /** Where the lines belong. */
  readonly target: RemedyTarget;
  readonly lines: readonly string[];
}

export type RemedyTarget =
  | 'vsftpd.conf'
  | 'proftpd.conf'
  | 'pure-ftpd'
  | 'nftables'
  | 'iptables'
  | 'iptables-config'
  | 'pinhole'
  | 'shell';

export function fine(id: MessageId, values: Finding['values'] = {}): Finding {
  return { id, level: 'fine', values, remedies: [] };
}

/** Whether something needs to be changed. */
export function isFault({ level }: Finding): boolean {
  return level === 'fault';
}

/** Whether something that matters is not known. */
export function isUnseen({ level }: Finding): boolean {
  return level === 'unseen';
}

/** Each of the findings once, as several Pinholes of a host may have the same. */
export function distinct(findings: readonly Finding[]): Finding[] {
  const all = new Map(
    findings.map((finding): [string, Finding] => [
      JSON.stringify([finding.id, finding.level, finding.values, finding.where, finding.remedies]),
      finding,
    ]),
  );
  return [...all.values()];
}

/** What the findings say together. `as-far-as-seen`: no fault, but something that matters is not known. */
export type Verdict = 'healthy' | 'as-far-as-seen' | 'fault';

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(isFault)) return 'fault';
  return findings.some(isUnseen) ? 'as-far-as-seen' : 'healthy';
}
