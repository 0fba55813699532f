import type { Observer } from '../events.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { Counters } from '../status/counters.ts';
import type { EventLoopDelay } from '../status/event-loop.ts';
import type { HistogramCounts } from '../status/histogram.ts';
import type { Sample } from '../status/history.ts';
import type { Roster } from '../status/roster.ts';

/** How much there is of something, and how much there can be; `most` undefined: no limit. */
export interface Use {
  readonly now: number;
  readonly most: number | undefined;
}

/** How near the limits are. */
export interface Limits {
  readonly sessions: Use;
  /** With how many bits of an IPv6 address tell clients apart. */
  readonly sessionsPerClient: { readonly most: number; readonly ipv6Prefix: number };
  /** Ports at which somebody is expected. */
  readonly passivePorts: Use;
  readonly activePorts: Use;
  /** File descriptors of the connections. */
  readonly descriptors: Use;
}

/** How far a data connection is. */
export interface Progress {
  readonly expectation: number;
  /** Bytes; undefined where nobody counts them. */
  readonly uploaded: number | undefined;
  readonly downloaded: number | undefined;
}

/** A process that has a part of the sessions. */
export interface WorkerFacts {
  /** Its place among the workers, from 0. */
  readonly worker: number;
  readonly pid: number;
  readonly sessions: number;
  readonly dataConnections: number;
  readonly eventLoopDelay: EventLoopDelay;
  /** Bytes of resident memory. */
  readonly memory: number;
  /** Seconds of processor time. */
  readonly processorTime: number;
}

/** A certificate that clients are shown. */
export interface CertificateFacts {
  readonly file: string;
  readonly subject: string;
  readonly notAfter: Date;
}

/** A setting as the file has it, and where its value is from. */
export interface SettingFacts {
  readonly value: string | number | boolean | readonly string[];
  readonly origin: string;
}

/** What the admin interface sees of the running relay, and what it can have done. */
export interface Inside {
  readonly version: string;
  readonly plane: string;
  /** The server in words; undefined: each client addresses its own. */
  readonly server: () => string | undefined;
  readonly listening: () => readonly Endpoint[];
  /** When it started, in milliseconds since 1970. */
  readonly started: number;
  readonly isDraining: () => boolean;
  readonly roster: Roster;
  readonly counters: Counters;
  readonly history: () => readonly Sample[];
  readonly progress: () => readonly Progress[];
  readonly limits: () => Limits;
  /** Those that have the sessions; none: this process has them. */
  readonly workers: () => readonly WorkerFacts[];
  readonly eventLoopDelay: () => EventLoopDelay;
  /** Seconds by which the event loop was late. */
  readonly eventLoopDelays: () => HistogramCounts;
  /** File descriptors that the process may have open; undefined: not known. */
  readonly descriptorLimit: number | undefined;
  readonly lostLogLines: () => number;
  readonly certificates: () => readonly CertificateFacts[];
  readonly settings: () => Readonly<Record<string, SettingFacts>>;
  readonly logLevel: () => string;
  /** Every event from now on, until what it returns is called. */
  readonly subscribe: (observe: Observer) => () => void;
  /** Tries the server: what was seen, in words. @throws where it does not answer */
  readonly tryServer: () => Promise<string>;
  /** @returns how many data connections live on; undefined: there is no such session */
  readonly closeSession: (id: number) => number | undefined | Promise<number | undefined>;
  /** No new sessions; transfers finish within the grace (milliseconds; undefined: the configured one), then the process ends. */
  readonly drain: (grace: number | undefined) => void;
  readonly setLogLevel: (level: string) => void;
  /** @returns what has changed, one line each. @throws where the configuration cannot be used; nothing has changed then */
  readonly reload: () => Promise<readonly string[]>;
}
