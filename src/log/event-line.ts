import type { Level } from 'pino';
import type { Event, PinholeFacts } from '../events.ts';
import { directionOf } from '../ftp/transfer.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';

export function levelOf(event: Event): Level {
  switch (event.type) {
    case 'command':
    case 'reply':
      return 'trace';
    case 'session-user':
    case 'session-logged-in':
    case 'transfer-begun':
      return 'debug';
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
export function wordsOf(event: Event): string {
  if (event.type === 'transfer-ended') return 'transfer';
  return event.type === 'session-logged-in' ? 'logged in' : event.type.replaceAll('-', ' ');
}

export function fieldsOf(event: Event): object {
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
    case 'session-logged-in':
    case 'login-failed':
    case 'command-refused': {
      const { type, client, ...rest } = event;
      const session = 'session' in event ? { session: event.session } : {};
      const seconds = 'seconds' in event ? { seconds: rounded(event.seconds) } : {};
      return { ...session, client: formatEndpoint(client), ...rest, ...seconds };
    }
    case 'command':
    case 'reply':
      // Its texts are made when they are asked for.
      return { session: event.session, received: event.received, sent: event.sent };
    case 'session-opaque': {
      const { session, unavailable } = event;
      const ports = unavailable.map(formatPortRange).join(', ');
      return { session, unavailable: ports === '' ? undefined : ports };
    }
    case 'pinhole-opened': {
      const { type, session, seconds, timeout, ...rest } = event;
      return { session, client: clientOf(event), ...rest, ...endpointsOf(event) };
    }
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

function endpointsOf({ at, to }: PinholeFacts): { at: string; to: string } {
  return { at: formatEndpoint(at), to: formatEndpoint(to) };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
