import type { DecisionSettings } from '../helper/policy.ts';
import type { TlsPolicy } from '../helper/tls-policy.ts';
import type { Address } from '../net/address.ts';
import type { Cidr } from '../net/cidr.ts';
import type { PortRange } from '../net/port-range.ts';
import type { AccountNames, ServerAddress } from './kinds.ts';
import type { ListenAddress } from './listening.ts';

export const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const;
export const cccAnswers = ['refuse', 'allow'] as const;
export const truncatedEnds = ['reset', 'end'] as const;
export const planes = ['relay', 'kernel'] as const;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['auto', 'json', 'pretty'] as const;

/** What the relay does, frozen in all its depth. Durations are in milliseconds. */
export interface Config extends DecisionSettings {
  /** Undefined: no server named, the caller stands one up for the demonstration. */
  readonly server: ServerAddress | undefined;
  /** Undefined: as `listening.ts` chooses. */
  readonly listen: readonly ListenAddress[] | undefined;
  readonly publicAddress: string | undefined;
  readonly publicAddress6: string | undefined;
  /** At most one of each family. */
  readonly insideAddress: readonly Address[];
  readonly keepClientAddress: boolean;
  readonly intercept: boolean;
  /** Where intercepted sessions may go. */
  readonly interceptNetworks: readonly Cidr[];
  readonly passivePorts: PortRange;
  readonly activePorts: PortRange;
  /** 0: any free port. */
  readonly dataSourcePort: number;
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
  /** How many bits of an IPv6 address identify the client. */
  readonly ipv6ClientPrefix: number;
  /** Consecutive refusals that end a session; 0: any number. */
  readonly maxRefusals: number;
  readonly expectTimeout: number;
  readonly connectTimeout: number;
  readonly loginTimeout: number;
  readonly idleTimeout: number;
  readonly dataIdleTimeout: number;
  /** 0: the system's own, which is as good as none. */
  readonly keepalive: number;
  /** How long sessions go on as they are before that. */
  readonly drainTimeout: number;
  readonly grace: number;
  readonly plane: (typeof planes)[number];
  /** How many processes share the sessions; `auto`: as many as there are processors. */
  readonly workers: number | 'auto';
  /** The name of the kernel plane's nftables table, of family inet. */
  readonly kernelTable: string;
  /** The mark of the connections that the kernel plane lets through, from 1 to 2^32 - 1. */
  readonly kernelMark: number;
  readonly tls: TlsPolicy['mode'];
  /** Where control channels are TLS from their first byte. */
  readonly listenTls: readonly ListenAddress[];
  /** Paths of PEM files. */
  readonly tlsCert: readonly string[];
  /** One for each of `tlsCert`. */
  readonly tlsKey: readonly string[];
  readonly tlsStrictSni: boolean;
  readonly tlsClientCa: string | undefined;
  readonly tlsMinVersion: (typeof tlsVersions)[number];
  readonly tlsCcc: (typeof cccAnswers)[number];
  readonly tlsData: TlsPolicy['data'];
  readonly requireTls: boolean;
  readonly requireDataTls: boolean;
  readonly requireSessionReuse: boolean;
  readonly tlsHandshakeTimeout: number;
  readonly tlsTruncated: (typeof truncatedEnds)[number];
  readonly serverTls: TlsPolicy['server'];
  readonly serverTlsCa: string | undefined;
  /** `AB:CD:...`, 32 bytes each. */
  readonly serverTlsFingerprint: readonly string[];
  readonly serverTlsName: string | undefined;
  readonly serverDataTls: TlsPolicy['serverData'];
  /** Whom the process becomes after its start; undefined: it stays whose it is. */
  readonly user: AccountNames | undefined;
  /** The path of the admin socket, or `off`; undefined: as `admin.ts` chooses. */
  readonly admin: string | undefined;
  readonly adminGroup: string;
  /** Where the admin interface can be read over TCP. */
  readonly adminListen: readonly ListenAddress[];
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat: (typeof logFormats)[number];
  /** The path of a file; undefined: none. */
  readonly transferLog: string | undefined;
}
