import type { DataAnswer, SessionAnswer } from '../../admin/answers.ts';
import type { StatusAnswer } from '../../admin/status-answer.ts';
import { carried } from './carried.ts';
import { sessionText, type OfProcess } from './draining.ts';

type OneOf<T> = T & OfProcess;

/** What the relay said at one moment. */
export interface Snapshot {
  /** Milliseconds of a clock that goes on. */
  readonly at: number;
  readonly status: StatusAnswer;
  /** Of the processes that drain beside it. */
  readonly draining: readonly StatusAnswer[];
  readonly sessions: readonly OneOf<SessionAnswer>[];
  readonly data: readonly OneOf<DataAnswer>[];
  readonly counters: Readonly<Record<string, number>>;
}

/** A data connection with its rate of now. */
export interface Transfer {
  readonly data: OneOf<DataAnswer>;
  /** Both directions; null where nobody counts them. */
  readonly bytes: number | null;
  /** Bytes a second since the snapshot before; undefined at the first. */
  readonly rate: number | undefined;
}

/** How often the relay has refused something for a reason. */
export interface Refusal {
  readonly reason: string;
  readonly recent: number;
  readonly total: number;
}

/** What a view shows of the relay. */
export interface Seen {
  readonly status: StatusAnswer;
  readonly draining: readonly StatusAnswer[];
  readonly transfers: readonly Transfer[];
  /** Sessions without a transfer. */
  readonly idle: readonly OneOf<SessionAnswer>[];
  /** Bytes a second; undefined at the first snapshot. */
  readonly upload: number | undefined;
  readonly download: number | undefined;
  readonly refusals: readonly Refusal[];
  /** How many seconds `recent` counts: a minute, or as long as the relay has been watched. */
  readonly recentSeconds: number;
}

/** What the processes of the later snapshot have carried, now and then. */
function sums(before: Snapshot, now: Snapshot, of: 'uploaded' | 'downloaded'): [number, number] {
  const then = new Map([before.status, ...before.draining].map((each) => [each.pid, each[of]]));
  const all = [now.status, ...now.draining].filter(({ pid }) => then.has(pid));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return [sum(all.map((each) => each[of])), sum(all.map(({ pid }) => then.get(pid) ?? 0))];
}

const minute = 60_000;
const refused = /^(?:command|session|pinhole)-refused (\S+)/;

/** Makes of snapshots what they say together: rates, and the refusals of the last minute. */
export class Watch {
  #before: Snapshot | undefined;
  readonly #counts: { readonly at: number; readonly counts: ReadonlyMap<string, number> }[] = [];

  add(snapshot: Snapshot): Seen {
    const { at, status, draining, sessions, data } = snapshot;
    const before = this.#before;
    this.#before = snapshot;
    const seconds = before ? (at - before.at) / 1000 : 0;
    const perSecond = (now: number, then: number): number | undefined =>
      seconds > 0 ? Math.max(0, now - then) / seconds : undefined;
    const known = new Map(before?.data.map((each) => [sessionText(each.id, each), each]));
    const transfers = data.map((each) => {
      const bytes = carried(each);
      const earlier = known.get(sessionText(each.id, each));
      // What has begun since had nothing then.
      const then = (earlier && carried(earlier)) ?? 0;
      return {
        data: each,
        bytes,
        rate: bytes === null ? undefined : perSecond(bytes, then),
      };
    });
    const busy = new Set(data.map((each) => sessionText(each.session, each)));
    const carriedSince = (of: 'uploaded' | 'downloaded'): number | undefined =>
      before && perSecond(...sums(before, snapshot, of));
    return {
      ...{ status, draining, transfers },
      idle: sessions.filter((each) => !busy.has(sessionText(each.id, each))),
      upload: carriedSince('uploaded'),
      download: carriedSince('downloaded'),
      ...this.#refusals(snapshot),
    };
  }

  #refusals({ at, counters }: Snapshot): Pick<Seen, 'refusals' | 'recentSeconds'> {
    const counts = new Map<string, number>();
    for (const [key, count] of Object.entries(counters)) {
      const [, reason] = refused.exec(key) ?? [];
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
    this.#counts.push({ at, counts });
    // The oldest that is kept is a minute old, or a little more.
    while ((this.#counts[1]?.at ?? at) <= at - minute) this.#counts.shift();
    const [oldest] = this.#counts;
    const refusals = [...counts].map(([reason, total]) => ({
      ...{ reason, total },
      recent: total - (oldest?.counts.get(reason) ?? 0),
    }));
    return {
      refusals: refusals.sort((a, b) => b.recent - a.recent || b.total - a.total),
      recentSeconds: Math.min(60, Math.round((at - (oldest?.at ?? at)) / 1000)),
    };
  }
}
