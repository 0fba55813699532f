import { request, type IncomingMessage } from 'node:http';
import { adminPathsToTry, retiredPath } from '../../config/admin.ts';
import { changeHeader } from '../../admin/change-header.ts';
import { codeOf, messageOf } from '../../net/error.ts';

/**
 * Milliseconds that a running relay may take to answer. It waits itself for a worker that hangs, before it has ended that
 * after ten seconds, where something is to change.
 */
const patience = { toRead: 10_000, toChange: 30_000 };

/** An event of the stream: its type, and its fields. */
export interface StreamedEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A running relay, as its admin socket shows it. */
export interface AdminClient {
  /** The path of its socket. */
  readonly path: string;
  /** @throws with the relay's own words where it refuses */
  get<T>(target: string): Promise<T>;
  /** @throws with the relay's own words where it refuses */
  post<T>(target: string, body?: object): Promise<T>;
  /**
   * Reads events until the relay ends, or `signal` does.
   *
   * @param query `client=192.0.2.1` and the like
   */
  events(query: URLSearchParams, read: (event: StreamedEvent) => void, signal?: AbortSignal): Promise<void>;
}

/**
 * Finds the running relay: at the path that is given (`--admin`, PINHOLE_ADMIN), or else where sockets are by default.
 *
 * @param pid that of one that drains beside it
 */
export async function findRelay(given: string | undefined, pid?: number): Promise<AdminClient> {
  const paths = pathsToTry(given).map((path) => (pid === undefined ? path : retiredPath(path, pid)));
  const failures: string[] = [];
  for (const path of paths) {
    try {
      await send(path, 'GET', '/healthz');
      return clientAt(path);
    } catch (error) {
      failures.push(whyNot(path, error));
    }
  }
  throw new Error(`no running Pinhole answers: ${failures.join('; ')} (--admin names the socket of another)`);
}

/** Where the socket of a running relay may be. */
export function pathsToTry(given: string | undefined): readonly string[] {
  const named = given ?? process.env['PINHOLE_ADMIN'];
  return named === undefined ? adminPathsToTry(process.getuid?.(), process.env) : [named];
}

function whyNot(path: string, error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return `${path} is not there`;
    case 'ECONNREFUSED':
      return `nobody listens on ${path}`;
    case 'EACCES':
      return `${path} is for root, and for the members of its group`;
    default:
      return `${path}: ${messageOf(error)}`;
  }
}

export function clientAt(path: string): AdminClient {
  const ask = async (method: string, target: string, body?: object): Promise<unknown> => {
    const { status, text } = await send(path, method, target, body);
    if (status >= 400) throw refusal(text);
    return JSON.parse(text) as unknown;
  };
  return {
    path,
    get: async <T>(target: string) => (await ask('GET', target)) as T,
    post: async <T>(target: string, body?: object) => (await ask('POST', target, body)) as T,
    events: (query, read, signal) => readEvents(path, query, read, signal),
  };
}

async function send(
  path: string,
  method: string,
  target: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await open(path, method, target, body);
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return text;
}

/** With the relay's own words. */
function refusal(text: string): Error {
  return new Error((JSON.parse(text) as { readonly error?: string }).error ?? text.trim());
}

function open(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { [changeHeader]: '1', ...(body && { 'content-type': 'application/json' }) };
    const sent = request(
      { socketPath, path, method, headers, agent: false, ...(signal && { signal }) },
      resolve,
    );
    const most = method === 'GET' ? patience.toRead : patience.toChange;
    const limit = setTimeout(() => {
      sent.destroy(new Error(`no answer within ${most / 1000} s`));
    }, most);
    sent.on('response', () => {
      clearTimeout(limit);
    });
    sent.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    sent.end(body && JSON.stringify(body));
  });
}

/** Server-sent events: `event: TYPE` and `data: JSON`, and a blank line. */
async function readEvents(
  path: string,
  query: URLSearchParams,
  read: (event: StreamedEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const response = await open(path, 'GET', `/v1/events?${query.toString()}`, undefined, signal);
    if (response.statusCode !== 200) throw refusal(await textOf(response));
    await readStream(response, read);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** Ends with the relay, however its connection ends then. */
async function readStream(response: IncomingMessage, read: (event: StreamedEvent) => void): Promise<void> {
  let rest = '';
  let type = '';
  const chunks = response.setEncoding('utf8') as AsyncIterable<string>;
  try {
    for await (const chunk of chunks) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('event: ')) type = line.slice('event: '.length);
        else if (line.startsWith('data: '))
          read({ type, fields: JSON.parse(line.slice('data: '.length)) as Record<string, unknown> });
      }
    }
  } catch (error) {
    if (codeOf(error) !== 'ECONNRESET') throw error;
  }
}
