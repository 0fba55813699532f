import { networkOf } from '../net/cidr.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import type { EventLoopDelay } from '../status/event-loop.ts';
import type { Inside, Use, WorkerFacts } from './inside.ts';

/** A limit and its use; null: no limit. */
interface UseAnswer {
  readonly now: number;
  readonly most: number | null;
}

/** The process at a glance. Durations are seconds, event-loop delays milliseconds. */
export interface StatusAnswer {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly since: string;
  readonly seconds: number;
  readonly plane: string;
  readonly listening: readonly string[];
  readonly server: string | null;
  readonly draining: boolean;
  readonly logLevel: string;
  readonly sessions: number;
  readonly expectations: number;
  readonly dataConnections: number;
  /** Bytes carried since the start, by the transfers under way too, as far as they are counted. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly limits: {
    readonly sessions: UseAnswer;
    readonly sessionsPerClient: UseAnswer;
    readonly passivePorts: UseAnswer;
    readonly activePorts: UseAnswer;
    readonly descriptors: UseAnswer;
  };
  readonly certificates: readonly {
    readonly file: string;
    readonly subject: string;
    readonly notAfter: string;
    /** Until it expires, rounded down; below 0 since it has. */
    readonly daysLeft: number;
  }[];
  readonly eventLoopDelay: EventLoopDelay;
  /** Bytes of resident memory. */
  readonly memory: number;
  /** The processes that share the sessions; none: this one has them. */
  readonly workers: readonly WorkerFacts[];
}

const day = 86_400_000;

export function statusAnswer(inside: Inside): StatusAnswer {
  const { roster } = inside;
  const limits = inside.limits();
  const now = Date.now();
  const carried = inside.history().at(-1);
  return {
    version: inside.version,
    node: process.version,
    pid: process.pid,
    since: new Date(inside.started).toISOString(),
    seconds: Math.round((now - inside.started) / 1000),
    plane: inside.plane,
    listening: inside.listening().map(formatEndpoint),
    server: inside.server() ?? null,
    draining: inside.isDraining(),
    logLevel: inside.logLevel(),
    sessions: roster.sessionCount,
    expectations: roster.pendingCount,
    dataConnections: roster.openCount,
    uploaded: carried?.uploaded ?? 0,
    downloaded: carried?.downloaded ?? 0,
    limits: {
      sessions: useAnswer(limits.sessions),
      sessionsPerClient: {
        now: mostOfOneClient(inside, limits.sessionsPerClient.ipv6Prefix),
        most: limits.sessionsPerClient.most,
      },
      passivePorts: useAnswer(limits.passivePorts),
      activePorts: useAnswer(limits.activePorts),
      descriptors: useAnswer(limits.descriptors),
    },
    certificates: inside.certificates().map(({ file, subject, notAfter }) => ({
      ...{ file, subject, notAfter: notAfter.toISOString() },
      daysLeft: Math.floor((notAfter.getTime() - now) / day),
    })),
    eventLoopDelay: inside.eventLoopDelay(),
    memory: process.memoryUsage.rss(),
    workers: inside.workers(),
  };
}

function useAnswer({ now, most }: Use): UseAnswer {
  return { now, most: most === undefined || !Number.isFinite(most) ? null : most };
}

/** How many sessions the client has that has the most. */
/** @param prefix bits of an IPv6 address that one client has */
function mostOfOneClient({ roster }: Inside, prefix: number): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (const { client } of roster.sessions) {
    const from = networkOf(client.address, prefix);
    const count = (counts.get(from) ?? 0) + 1;
    counts.set(from, count);
    most = Math.max(most, count);
  }
  return most;
}
