import { logLevels } from '../config/config.ts';
import { harmlessJson } from '../log/harmless-line.ts';
import { parseAddress } from '../net/address.ts';
import { messageOf } from '../net/error.ts';
import { isAddressText } from './addresses.ts';
import { dataAnswers, expectationAnswers, sessionAnswers } from './answers.ts';
import type { AdminAnswer } from './admin-answer.ts';
import { changeHeader } from './change-header.ts';
import type { EventFilter } from './event-stream.ts';
import type { Fresh } from './fresh.ts';
import type { Inside } from './inside.ts';
import { metricsText } from './metrics.ts';
import openApi from './openapi.json' with { type: 'json' };
import { pageFile } from './page.ts';
import type { Rising } from '../status/rising.ts';
import { statusAnswer } from './status-answer.ts';
import type { Readiness } from './readiness.ts';

/** A request, as far as its answer depends on it. */
export interface AdminRequest {
  readonly method: string;
  /** The path with the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The whole body; '' where there is none. */
  readonly body: string;
  /** It came over TCP, where nothing can be changed. */
  readonly isReadOnly: boolean;
}

/** What answers are made from. */
export interface AnswerSource {
  readonly inside: Inside;
  readonly readiness: Readiness;
  /** Answers about the state that were made a moment ago. */
  readonly fresh: Fresh;
  /** Counters that were shown. */
  readonly rising: Rising;
}

/** A request that cannot be carried out, with its status and what is wrong, in one line. */
export class RequestError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

type Read = (source: AnswerSource, query: URLSearchParams) => AdminAnswer | Promise<AdminAnswer>;
type Change = (source: AnswerSource, body: unknown) => AdminAnswer | Promise<AdminAnswer>;

const reads: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['/v1/status', ({ inside }) => json(statusAnswer(inside))],
  ['/v1/sessions', ({ inside }) => json({ sessions: sessionAnswers(inside) })],
  ['/v1/expectations', ({ inside }) => json({ expectations: expectationAnswers(inside) })],
  ['/v1/data', ({ inside }) => json({ data: dataAnswers(inside) })],
  ['/v1/counters', ({ inside }) => json({ counters: inside.counters.read() })],
  ['/v1/settings', ({ inside }) => json({ settings: inside.settings() })],
  ['/v1/history', ({ inside }) => json({ samples: inside.history() })],
  ['/v1/events', (_source, query) => ({ kind: 'events', filter: filterOf(query) })],
  ['/healthz', ({ inside }) => health(!inside.isDraining(), inside.isDraining() ? 'draining' : 'serving')],
  ['/readyz', ready],
  [
    '/metrics',
    ({ inside, rising }) => whole(metricsText(inside, rising), 'text/plain; version=0.0.4; charset=utf-8'),
  ],
  ['/openapi.json', () => json(openApi)],
]);

const changes: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['/v1/drain', drain],
  ['/v1/log-level', setLogLevel],
  ['/v1/reload', async ({ inside }) => json({ changed: await reload(inside) })],
]);

/** Answers that are made once a moment, however many ask. */
const kept: ReadonlySet<string> = new Set([
  ...['/v1/status', '/v1/sessions', '/v1/expectations', '/v1/data', '/v1/history', '/metrics'],
]);

const closePath = /^\/v1\/sessions\/(\d{1,15})\/close$/;

/** @throws {RequestError} */
export function answer(request: AdminRequest, source: AnswerSource): AdminAnswer | Promise<AdminAnswer> {
  checkOrigin(request);
  const often = request.method === 'GET' ? keptAnswer(request.url, source) : undefined;
  if (often) return often;
  const { pathname, searchParams } = urlOf(request);
  const [, id] = closePath.exec(pathname) ?? [];
  const change = id === undefined ? changes.get(pathname) : closeSession(Number(id));
  const read = reads.get(pathname);
  const file = pageFile(pathname);
  if (!read && !change && !file)
    throw new RequestError(404, `${pathname} is not served; allowed: ${known()}`);
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (file) return { kind: 'whole', status: 200, ...file };
    if (read) return keptAnswer(pathname, source) ?? read(source, searchParams);
  }
  if (request.method === 'POST' && change) {
    checkChange(request);
    source.fresh.clear();
    return change(source, bodyOf(request));
  }
  const allowed = change ? 'POST' : 'GET, HEAD';
  throw new RequestError(405, `${request.method} ${pathname} is not allowed; allowed: ${allowed}`, {
    allow: allowed,
  });
}

/** undefined: the answer is not kept. */
function keptAnswer(path: string, source: AnswerSource): AdminAnswer | Promise<AdminAnswer> | undefined {
  const read = kept.has(path) ? reads.get(path) : undefined;
  return read && source.fresh.get(path, () => read(source, noQuery));
}

const noQuery = new URLSearchParams();

function known(): string {
  return [...reads.keys(), ...changes.keys(), '/v1/sessions/ID/close', '/'].join(', ');
}

function urlOf({ url }: AdminRequest): URL {
  if (!url.startsWith('/') || !URL.canParse(url, 'http://pinhole'))
    throw new RequestError(400, 'the request target is not a path; allowed: /v1/status and the like');
  return new URL(url, 'http://pinhole');
}

// ---- Who may ask ----

/**
 * A browser on this host can be made to ask by any page that it shows. It says where the request is from, and a name that
 * leads here only by a trick of the DNS (rebinding) is not an address.
 *
 * @throws {RequestError}
 */
function checkOrigin({ headers }: AdminRequest): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new RequestError(403, 'requests from other sites are not answered');
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${String(host)}`)
    throw new RequestError(403, 'requests from other origins are not answered');
  // Over the socket too: SSH can lead a port of anybody's own host there.
  if (!isAddressText(String(host ?? '')))
    throw new RequestError(
      421,
      "the Host of the request has to be an address, localhost, or this host's own name",
    );
}

/** @throws {RequestError} */
function checkChange({ headers, isReadOnly }: AdminRequest): void {
  if (isReadOnly) throw new RequestError(403, 'changes are made over the unix socket alone (admin)');
  if (headers[changeHeader] === undefined)
    throw new RequestError(403, `a change needs the header ${changeHeader}: 1`);
}

/** @throws {RequestError} */
function bodyOf({ body }: AdminRequest): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new RequestError(400, 'the body is not JSON');
  }
}

// ---- Reads ----

function json(value: unknown): AdminAnswer {
  return whole(`${harmlessJson(value)}\n`, 'application/json');
}

function whole(body: string, type: string, status = 200): AdminAnswer {
  return { kind: 'whole', status, type, body };
}

function health(isWell: boolean, words: string): AdminAnswer {
  return whole(`${words}\n`, 'text/plain; charset=utf-8', isWell ? 200 : 503);
}

async function ready({ inside, readiness }: AnswerSource): Promise<AdminAnswer> {
  if (inside.isDraining()) return health(false, 'draining');
  const { isReady, words } = await readiness.look();
  return health(isReady, words);
}

/** @throws {RequestError} */
function filterOf(query: URLSearchParams): EventFilter {
  const session = query.get('session');
  if (session !== null && !/^\d{1,15}$/.test(session))
    throw new RequestError(400, 'session: the number of a session is allowed');
  const given = query.get('client');
  const client = given === null ? undefined : parseAddress(given);
  if (given !== null && client === undefined)
    throw new RequestError(400, 'client: an IPv4 or IPv6 address is allowed');
  const dialogue = query.get('dialogue');
  return {
    session: session === null ? undefined : Number(session),
    client,
    isWithDialogue: dialogue !== null && dialogue !== '0',
  };
}

// ---- Changes ----

function closeSession(id: number): Change {
  return async ({ inside }) => {
    const left = await inside.closeSession(id);
    if (left === undefined) throw new RequestError(404, `there is no session ${id}`);
    return json({ closed: id, dataConnectionsLeft: left });
  };
}

/** @throws {RequestError} */
function drain({ inside }: AnswerSource, body: unknown): AdminAnswer {
  const grace = memberOf(body, 'grace');
  if (grace !== undefined && !(typeof grace === 'number' && grace >= 0 && grace <= 604_800))
    throw new RequestError(400, 'grace: seconds from 0 to 604800 are allowed');
  inside.drain(grace === undefined ? undefined : grace * 1000);
  return json({ draining: true, sessions: inside.roster.sessionCount });
}

/** @throws {RequestError} */
function setLogLevel({ inside }: AnswerSource, body: unknown): AdminAnswer {
  const level = memberOf(body, 'level');
  const wanted = logLevels.find((each) => each === level);
  if (wanted === undefined) throw new RequestError(400, `level: ${logLevels.join(', ')} are allowed`);
  const before = inside.logLevel();
  inside.setLogLevel(wanted);
  return json({ level: wanted, before });
}

/** @throws {RequestError} */
async function reload(inside: Inside): Promise<readonly string[]> {
  try {
    return await inside.reload();
  } catch (error) {
    throw new RequestError(409, messageOf(error));
  }
}

function memberOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}
