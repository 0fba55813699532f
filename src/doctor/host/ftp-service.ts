import { parsePort } from '../../net/endpoint.ts';
import type { PortRange } from '../../net/port-range.ts';
import type { Placed } from './lines.ts';
import { overlap } from './ports.ts';

/** What a server of FTP, or Pinhole in front of one, is set to, as far as firewalls and NAT have to do with it. */
export interface FtpService {
  readonly program: 'vsftpd' | 'proftpd' | 'pure-ftpd' | 'pinhole';
  readonly file: string;
  /** Where clients connect. */
  readonly controlPort: number;
  /** Where they connect too, for TLS from the first byte. */
  readonly tlsPorts?: readonly number[];
  /** The address that it listens on, where it is one. */
  readonly listenAddress: string | undefined;
  readonly isPassive: boolean;
  /** The ends of the passive range as they stand there. */
  readonly passiveFrom: Placed<number> | undefined;
  readonly passiveTo: Placed<number> | undefined;
  /** The address and ports announced to clients. */
  readonly address: Placed<string> | undefined;
  /** Where active data connections come from, where it is a certain port. */
  readonly activePort: number | undefined;
  /** The line by which it has no right to that port. */
  readonly unprivileged: Placed<string> | undefined;
  /** The line by which control connections may be encrypted, which no helper of a firewall can read. */
  readonly tls: Placed<string> | undefined;
  /** The line by which a data channel has to resume the TLS session of its control channel. */
  readonly demandsReuse?: Placed<string> | undefined;
  /** Lines that the server does not start with, or reads otherwise than they are meant. */
  readonly unreadable?: readonly Unreadable[];
  /** It has its settings from its command line. */
  readonly isCommandLine?: boolean;
  /** Other files have more of it, so that what is absent here may be there. */
  readonly isPartial?: boolean;
}

export interface Unreadable {
  readonly id: 'range-unreadable' | 'setting-misspelt' | 'switch-unreadable' | 'value-quoted';
  readonly name: string;
  readonly value: string;
  /** The line, or the range that it gives. */
  readonly meant?: string | PortRange | undefined;
  readonly file: string;
  readonly line: number;
}

/** `30010-30019` where the server wants it written otherwise. */
export function rangeMeant(text: string): PortRange | undefined {
  const [first, last, ...more] = (text.match(/\d+/g) ?? []).map(parsePort);
  return first === undefined || last === undefined || more.length > 0 ? undefined : { first, last };
}

/** The ports that a server uses by default. */
const anyPort: PortRange = { first: 1024, last: 65535 };

/** Every port on which it serves clients. */
export function portsOfService({ controlPort, tlsPorts = [] }: FtpService): number[] {
  return [...new Set([controlPort, ...tlsPorts])];
}

export function hasRange({ passiveFrom, passiveTo }: FtpService): boolean {
  return passiveFrom !== undefined || passiveTo !== undefined;
}

export function isInverted({ passiveFrom, passiveTo }: FtpService): boolean {
  return passiveFrom !== undefined && passiveTo !== undefined && passiveFrom.value > passiveTo.value;
}

/** The passive range; an inverted one is corrected. */
export function passiveRange({ passiveFrom, passiveTo }: FtpService): PortRange {
  const from = passiveFrom?.value ?? anyPort.first;
  const to = passiveTo?.value ?? anyPort.last;
  return overlap({ first: Math.min(from, to), last: Math.max(from, to) }, anyPort) ?? anyPort;
}
