import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { harmlessJson } from '../log/harmless-line.ts';
import { closeGently } from '../net/close-gently.ts';
import { streamEvents } from './event-stream.ts';
import { Fresh } from './fresh.ts';
import { Rising } from '../status/rising.ts';
import type { Inside } from './inside.ts';
import { Readiness } from './readiness.ts';
import type { AdminAnswer } from './admin-answer.ts';
import { answer, RequestError, type AnswerSource } from './requests.ts';

/** Limits of a client of the admin interface: it may be anybody who can reach it. */
const mostConnections = 64;
const mostStreams = 16;
const mostHeaders = 8 * 1024;
const mostBody = 4 * 1024;
/** Milliseconds for the headers, and for the whole request. */
const headersTime = 5000;
const requestTime = 10_000;
/** Milliseconds for a client to read why it was refused. */
const readingTime = 1000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly isReadOnly: boolean;
}

/** Serves the admin interface on servers of node:http, which the caller binds. */
export class AdminServer {
  readonly #source: AnswerSource;
  readonly #report: (error: unknown) => void;
  readonly #servers = new Set<Server>();
  /** Readers of events. Strangers, who may only read, keep nobody else out. */
  readonly #streams = { now: 0 };
  readonly #readOnlyStreams = { now: 0 };
  /** Connections that have one: a response that waits for another on its connection would be a place in vain. */
  readonly #streaming = new WeakSet<Socket>();

  /** @param report is told of what went wrong here and is no mistake of a client's */
  constructor(inside: Inside, report: (error: unknown) => void) {
    const readiness = new Readiness(inside.tryServer);
    this.#source = { inside, readiness, fresh: new Fresh(), rising: new Rising() };
    this.#report = report;
  }

  /** @param isReadOnly whether its clients may change nothing */
  create(isReadOnly: boolean): Server {
    const server = createServer(
      {
        maxHeaderSize: mostHeaders,
        headersTimeout: headersTime,
        requestTimeout: requestTime,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => {
        this.#serve({ request, response, isReadOnly });
      },
    );
    server.maxConnections = mostConnections;
    server.on('clientError', (error, socket) => {
      // What is no HTTP gets as much of an answer as there is; what is too slow or too long as well.
      const status = statusOf(error);
      if (socket.writable)
        socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      // A client that does not close would keep its place.
      closeGently(socket, undefined, readingTime);
    });
    this.#servers.add(server);
    return server;
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Without waiting where there is nothing to wait for: many ask often. */
  #serve(exchange: Exchange): void {
    const { request, response, isReadOnly } = exchange;
    response.on('error', () => undefined);
    const { method = 'GET', url = '/', headers } = request;
    const fail = (error: unknown): void => {
      this.#fail(exchange, error);
    };
    const respond = (body: string): void => {
      try {
        const given = answer({ method, url, headers, body, isReadOnly }, this.#source);
        if (!(given instanceof Promise)) this.#send(exchange, given);
        else
          given
            .then((later) => {
              this.#send(exchange, later);
            })
            .catch(fail);
      } catch (error) {
        fail(error);
      }
    };
    if (hasNoBody(request)) respond('');
    else bodyOf(request).then(respond, fail);
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { request } = exchange;
    if (request.destroyed && !request.complete) return;
    const known = error instanceof RequestError ? error : new RequestError(500, 'the answer failed');
    this.#send(exchange, {
      ...{ kind: 'whole', status: known.status, type: 'application/json' },
      body: `${harmlessJson({ error: known.message })}\n`,
      // What is left of a body that is too long is not read.
      headers: { ...known.headers, ...(known.status === 413 && { connection: 'close' }) },
    });
    if (!(error instanceof RequestError)) this.#report(error);
  }

  #send(exchange: Exchange, given: AdminAnswer): void {
    const { request, response } = exchange;
    if (response.destroyed) return;
    if (given.kind === 'events') {
      this.#stream(exchange, given);
      return;
    }
    const { status, type, body, headers } = given;
    response.writeHead(status, {
      ...common,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #stream(exchange: Exchange, { filter }: AdminAnswer & { kind: 'events' }): void {
    const { request, response, isReadOnly } = exchange;
    const streams = isReadOnly ? this.#readOnlyStreams : this.#streams;
    if (this.#streaming.has(request.socket)) {
      this.#fail(exchange, new RequestError(503, 'one reader of events is allowed on a connection'));
      return;
    }
    if (streams.now >= mostStreams) {
      this.#fail(exchange, new RequestError(503, `${mostStreams} readers of events are allowed at once`));
      return;
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...common, 'content-type': 'text/event-stream' }).end();
      return;
    }
    streams.now++;
    this.#streaming.add(request.socket);
    let isOver = false;
    response.on('close', () => {
      if (!isOver) streams.now--;
      isOver = true;
    });
    // A response that was still to come after another one hears nothing of its connection's end.
    request.socket.once('close', () => {
      if (!isOver) response.emit('close');
    });
    streamEvents(this.#source.inside, filter, response);
  }
}

const common = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function statusOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
}

/** As its headers have it. */
function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

/** @throws {RequestError} where it is too long; the rest of it is not read then */
function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= mostBody) return;
      request.pause();
      reject(new RequestError(413, `the body has more than ${mostBody} bytes`));
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks).toString());
    });
    request.on('error', reject);
  });
}
