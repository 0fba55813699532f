import { destination, pino, stdTimeFunctions, type DestinationStream, type Level, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';
import { isUpload, type Event, type Observer, type PinholeFacts } from './events.ts';
import { formatEndpoint } from './net/endpoint.ts';
import { formatPortRange } from './net/port-range.ts';

export type { Logger };

/** A logger on standard output: JSON a line, or text for people on a terminal. */
export function createLogger(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  stream?: DestinationStream,
): Logger {
  const forPeople = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY);
  const options = {
    level: logLevel,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    base: { pid: process.pid },
    // What is logged holds no password: helper/redact sees to it. This is for what a later line may add.
    redact: ['password', '*.password'],
  };
  return pino(options, stream ?? (forPeople ? prettyStream() : jsonStream()));
}

/** Lines leave at the end of the turn of the event loop that they were made in, in one write; none stays behind. */
function jsonStream(): DestinationStream {
  const output = destination({ fd: 1, sync: true });
  let lines = '';
  const flush = (): void => {
    if (lines !== '') output.write(lines);
    lines = '';
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
}

function prettyStream(): DestinationStream {
  return pretty({
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    sync: true,
    errorLikeObjectKeys: [],
  });
}

/** The listener of the event stream that writes the log: one line an event. */
export function logEvents(logger: Logger): Observer {
  return (event) => {
    const level = levelOf(event);
    if (logger.isLevelEnabled(level)) logger[level](fieldsOf(event), wordsOf(event));
  };
}

function levelOf(event: Event): Level {
  switch (event.type) {
    case 'command':
    case 'reply':
      return 'trace';
    case 'session-closed':
      // Somebody has set something wrong, here or there.
      return event.reason === 'tls-on-clear-port' ? 'warn' : 'info';
    case 'command-refused':
      // It is a question, and was answered.
      return event.reason === 'tls-not-understood' ? 'info' : 'warn';
    case 'session-refused':
    case 'login-failed':
    case 'pinhole-refused':
    case 'reply-remarked':
    case 'public-address-failed':
    case 'table-restored':
      return 'warn';
    case 'session-opaque':
      return event.unavailable.length > 0 ? 'warn' : 'info';
    default:
      return 'info';
  }
}

/** `session-opened` -> `session opened` */
function wordsOf(event: Event): string {
  return event.type === 'transfer-ended' ? 'transfer' : event.type.replaceAll('-', ' ');
}

function fieldsOf(event: Event): object {
  switch (event.type) {
    case 'session-opened': {
      const { session, client, reached, server } = event;
      return {
        session,
        client: formatEndpoint(client),
        reached: formatEndpoint(reached),
        server: formatEndpoint(server),
      };
    }
    case 'session-closed':
    case 'session-refused':
    case 'login-failed':
    case 'command-refused': {
      const { type, client, ...rest } = event;
      const session = 'session' in event ? { session: event.session } : {};
      const seconds = 'seconds' in event ? { seconds: rounded(event.seconds) } : {};
      return { ...session, client: formatEndpoint(client), ...rest, ...seconds };
    }
    case 'session-opaque': {
      const { session, unavailable } = event;
      const ports = unavailable.map(formatPortRange).join(', ');
      return { session, unavailable: ports === '' ? undefined : ports };
    }
    case 'pinhole-opened':
    case 'pinhole-closed': {
      const { type, session, ...rest } = event;
      return { session, client: clientOf(event), ...rest, ...endpointsOf(event) };
    }
    case 'pinhole-taken': {
      const { type, session, from, ...rest } = event;
      const client = clientOf(event);
      return { session, client, ...rest, ...endpointsOf(event), from: formatEndpoint(from) };
    }
    case 'pinhole-refused':
      return { at: formatEndpoint(event.at), from: formatEndpoint(event.from), reason: event.reason };
    case 'data-channel-closed': {
      const { session, expectation, plane, mode, command, seconds, cause, error } = event;
      const of = { session, expectation, plane, mode, client: clientOf(event) };
      return { ...of, command: command?.verb, path: command?.path, seconds: rounded(seconds), cause, error };
    }
    case 'transfer-ended': {
      const { session, expectation, plane, mode, command, uploaded, downloaded, seconds, cause, error } =
        event;
      const { protection = 'none' } = event;
      return {
        session,
        expectation,
        plane,
        mode,
        protection: protection === 'none' ? undefined : protection,
        client: clientOf(event),
        command: command?.verb,
        path: command?.path,
        direction: directionOf(event),
        bytes: uploaded + downloaded,
        seconds: rounded(seconds),
        cause,
        error,
      };
    }
    default: {
      const { type, ...rest } = event;
      return rest;
    }
  }
}

/** Whose data connection it is: the client waits where an active one leads. */
function clientOf({ mode, peer, to }: PinholeFacts): string {
  return mode === 'passive' ? peer : to.address;
}

function directionOf({ command, uploaded, downloaded }: Event & { type: 'transfer-ended' }): string {
  return (command ? isUpload(command) : uploaded > downloaded) ? 'upload' : 'download';
}

function endpointsOf({ at, to }: PinholeFacts): { at: string; to: string } {
  return { at: formatEndpoint(at), to: formatEndpoint(to) };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
