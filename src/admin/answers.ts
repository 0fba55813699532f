import { clientOf } from '../events.ts';
import { isUpload } from '../ftp/transfer.ts';
import type { TlsFacts } from '../net/channel.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import type { LivePinhole, LiveSession } from '../status/roster.ts';
import type { Inside, Progress } from './inside.ts';

/** A session. Durations are seconds, sizes bytes, times RFC 3339; null: not known, or none. */
export interface SessionAnswer {
  readonly id: number;
  readonly client: string;
  readonly reached: string;
  readonly server: string;
  readonly user: string | null;
  readonly loggedIn: boolean;
  /** AUTH was passed on: the dialogue cannot be read. */
  readonly opaque: boolean;
  readonly tls: { readonly client: string | null; readonly server: string | null };
  readonly since: string;
  readonly seconds: number;
  /** The transfer that began last. */
  readonly command: string | null;
  readonly path: string | null;
  /** Of all its transfers, those under way among them. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes a second of the transfers under way, since each began. */
  readonly rate: number;
  /** Planes that carry data of it now. */
  readonly planes: readonly string[];
  /** Transfers that are over, and data connections that are open. */
  readonly transfers: number;
  readonly dataConnections: number;
  readonly refusals: number;
}

/** What a pinhole and the data connection that comes of it are told with alike. */
interface PinholeAnswer {
  readonly id: number;
  readonly session: number;
  readonly client: string;
  readonly user: string | null;
  readonly plane: string;
  readonly mode: string;
  readonly at: string;
  readonly to: string;
}

/** A data connection. */
export interface DataAnswer extends PinholeAnswer {
  readonly from: string | null;
  /** null until a transfer has begun on it. */
  readonly command: string | null;
  readonly direction: 'upload' | 'download' | null;
  readonly path: string | null;
  /** The path depends on a working directory that is not known. */
  readonly relative: boolean;
  /** Bytes that it will have, as far as the dialogue tells. */
  readonly size: number | null;
  readonly uploaded: number | null;
  readonly downloaded: number | null;
  readonly seconds: number;
  /** Bytes a second since it began. */
  readonly rate: number | null;
}

/** A pinhole that nobody has connected to yet. */
export interface ExpectationAnswer extends PinholeAnswer {
  readonly peer: string;
  readonly announcedBy: string | null;
  readonly seconds: number;
  /** Seconds until it expires. */
  readonly expires: number;
  /** The client's control connection, as it reached the relay; null where the session is over. */
  readonly control: ControlAnswer | null;
}

interface ControlAnswer {
  readonly from: string;
  readonly to: string;
}

export function dataAnswers(inside: Inside): DataAnswer[] {
  const progress = progressByExpectation(inside);
  const now = performance.now();
  return [...inside.roster.open].map((pinhole) => dataAnswer(pinhole, progress.get(pinhole.id), now));
}

export function sessionAnswers(inside: Inside): SessionAnswer[] {
  const data = new Map<number, DataAnswer[]>();
  for (const each of dataAnswers(inside)) data.set(each.session, [...(data.get(each.session) ?? []), each]);
  const now = performance.now();
  return [...inside.roster.sessions].map((session) =>
    sessionAnswer(session, data.get(session.id) ?? [], now),
  );
}

export function expectationAnswers({ roster }: Inside): ExpectationAnswer[] {
  const now = performance.now();
  return [...roster.pending].map((pinhole) => ({
    ...factsOf(pinhole),
    peer: pinhole.peer,
    announcedBy: pinhole.announcedBy ?? null,
    seconds: secondsOf(now - pinhole.since),
    expires: secondsOf(Math.max(0, pinhole.expires - now)),
    control: controlOf(roster.session(pinhole.session)),
  }));
}

/** The control connection of a session, as it reached the relay; null where that is over. */
export function controlOf(session: LiveSession | undefined): ControlAnswer | null {
  return session ? { from: formatEndpoint(session.client), to: formatEndpoint(session.reached) } : null;
}

function sessionAnswer(session: LiveSession, data: readonly DataAnswer[], now: number): SessionAnswer {
  const { id, client, reached, server, user, isLoggedIn, isOpaque, command, transfers, refusals } = session;
  const sum = (of: (each: DataAnswer) => number | null): number =>
    data.reduce((total, each) => total + (of(each) ?? 0), 0);
  return {
    id,
    client: formatEndpoint(client),
    reached: formatEndpoint(reached),
    server: formatEndpoint(server),
    user: user ?? null,
    loggedIn: isLoggedIn,
    opaque: isOpaque,
    tls: { client: tlsOf(session.clientTls), server: tlsOf(session.serverTls) },
    since: timeOf(session.since, now),
    seconds: secondsOf(now - session.since),
    command: command?.verb ?? null,
    path: command?.path ?? null,
    uploaded: session.uploaded + sum(({ uploaded }) => uploaded),
    downloaded: session.downloaded + sum(({ downloaded }) => downloaded),
    rate: sum(({ rate }) => rate),
    planes: [...new Set(data.map(({ plane }) => plane))],
    transfers,
    dataConnections: data.length,
    refusals,
  };
}

function dataAnswer(pinhole: LivePinhole, progress: Progress | undefined, now: number): DataAnswer {
  const { command, size, from, taken = now } = pinhole;
  const { uploaded, downloaded } = progress ?? {};
  const seconds = (now - taken) / 1000;
  const isCounted = uploaded !== undefined && downloaded !== undefined;
  return {
    ...factsOf(pinhole),
    from: from ? formatEndpoint(from) : null,
    command: command?.verb ?? null,
    direction: command ? (isUpload(command) ? 'upload' : 'download') : null,
    path: command?.path ?? null,
    relative: command?.isRelative ?? false,
    size: size ?? null,
    uploaded: uploaded ?? null,
    downloaded: downloaded ?? null,
    seconds: secondsOf(now - taken),
    rate: isCounted ? Math.round((uploaded + downloaded) / Math.max(seconds, 0.001)) : null,
  };
}

function factsOf(pinhole: LivePinhole): PinholeAnswer {
  const { id, session, user = null, plane, mode, at, to } = pinhole;
  const client = clientOf(pinhole);
  return { id, session, client, user, plane, mode, at: formatEndpoint(at), to: formatEndpoint(to) };
}

/** How far each data connection is; the plane is asked only where there are any. */
export function progressByExpectation(inside: Inside): ReadonlyMap<number, Progress> {
  if (inside.roster.openCount === 0) return new Map();
  return new Map(inside.progress().map((each) => [each.expectation, each]));
}

function tlsOf(facts: TlsFacts | undefined): string | null {
  return facts ? `${facts.protocol} ${facts.cipher}` : null;
}

export function secondsOf(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

/** @param at by the clock of `performance.now`, which `now` was read from */
function timeOf(at: number, now: number): string {
  return new Date(Date.now() - (now - at)).toISOString();
}
