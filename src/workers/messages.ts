import type { Config } from '../config/config.ts';
import type { Event } from '../events.ts';
import type { ServiceUser } from '../linux/privileges.ts';
import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PortRange } from '../net/port-range.ts';
import type { DataProgress } from '../plane/plane.ts';
import type { EventLoopDelay } from '../status/event-loop.ts';

// What the first process and its workers tell each other: values that are the same as JSON and back.

/** What all workers know, and may change while they run. */
export interface Shared {
  readonly config: Config;
  /** What is announced to clients in place of the address that they reached. */
  readonly addresses: { readonly 4?: Address | undefined; readonly 6?: Address | undefined };
  /** Where clients connect. */
  readonly listening: readonly Endpoint[];
  /** Whether the lines of the dialogues are to be told. */
  readonly isDialogueWanted: boolean;
  /** The files that TLS needs, which a worker may not be allowed to read: path and text. */
  readonly tlsFiles: readonly (readonly [file: string, text: string])[];
  /** Whose each process is to be; undefined: whose it is. */
  readonly user?: ServiceUser | undefined;
}

/** What a worker is told. */
export type Order =
  | {
      readonly kind: 'start';
      readonly shared: Shared;
      readonly ports: readonly number[];
      /** How many workers there are. */
      readonly workers: number;
      /** The service's own folder, where its processes tell each other which ports rest. */
      readonly runtimeDirectory: string | undefined;
    }
  | { readonly kind: 'change'; readonly shared: Partial<Shared>; readonly ports?: readonly number[] }
  /** A client, admitted and counted; its connection comes with this. */
  | { readonly kind: 'client'; readonly id: number; readonly isImplicit: boolean }
  /** The connection of this session to its server has led back to this relay. */
  | { readonly kind: 'loop'; readonly id: number }
  /** Sessions end as they become idle. */
  | { readonly kind: 'close' }
  /** All sessions end now. */
  | { readonly kind: 'shut-down' }
  /** It resets what is open, tells what has happened by then, and ends. */
  | { readonly kind: 'dismiss' }
  | { readonly kind: 'question'; readonly number: number; readonly question: QuestionToWorker }
  | Answer;

export type QuestionToWorker =
  /** Whether a configuration can be followed; `change` follows. The answer is nothing. */
  | { readonly kind: 'prepare'; readonly config: Config; readonly tlsFiles: Shared['tlsFiles'] }
  /** To become `user`. The answer is nothing. */
  | { readonly kind: 'become'; readonly user: ServiceUser }
  /** Gives half of its unused ports of a range: the answer is which. */
  | { readonly kind: 'ports'; readonly range: PortRange }
  /** The answer is how many data channels live on, or null: there is no such session. */
  | { readonly kind: 'close-session'; readonly id: number }
  /** The table of nftables has been made again. The answer is how many pinholes it has got. */
  | { readonly kind: 'restore-table' }
  /** Ends what the plane has. The answer, nothing, comes behind all events. */
  | { readonly kind: 'close-plane'; readonly grace: number };

/** What a worker tells. */
export type Telling =
  /** It serves. */
  | { readonly kind: 'ready' }
  /** It ends by an error. */
  | { readonly kind: 'failed'; readonly error: string; readonly stack?: string | undefined }
  /** It ends as it was told; what it had that has not ended is reset. */
  | { readonly kind: 'dismissed' }
  | Happened
  | ({ readonly kind: 'report' } & Report)
  | { readonly kind: 'question'; readonly number: number; readonly question: QuestionToFirst }
  | Answer;

export type QuestionToFirst =
  /** The answer is which it has got. */
  | { readonly kind: 'ports'; readonly range: PortRange }
  /** Somebody has deleted the table of nftables: the answer, nothing, comes when it is there again. */
  | { readonly kind: 'table' };

export interface Answer {
  readonly kind: 'answer';
  readonly number: number;
  readonly value?: unknown;
  /** Set where there is no value. */
  readonly error?: string | undefined;
}

/** What has happened in one turn of the worker's event loop. */
export interface Happened {
  readonly kind: 'happened';
  readonly events: readonly Event[];
  /** Sessions that count no longer. */
  readonly left?: readonly number[];
  readonly dialled?: readonly DialledServer[];
  /** Sessions whose connection to the server is over. */
  readonly hungUp?: readonly number[];
}

/** A connection to a server, and the session that it is of. */
export interface DialledServer {
  readonly id: number;
  readonly local: Endpoint;
  readonly server: Endpoint;
}

/** How a worker is. */
export interface Report {
  readonly eventLoopDelay: EventLoopDelay;
  /** Bytes of resident memory. */
  readonly memory: number;
  /** Seconds of processor time. */
  readonly processorTime: number;
  /** Descriptors that connections have. */
  readonly descriptors: number;
  /** Not in each report: undefined where it was not asked. */
  readonly progress?: readonly DataProgress[] | undefined;
}
