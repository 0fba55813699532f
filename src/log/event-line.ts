import type { Level } from 'pino';
import {
  clientOf,
  type Event,
  type PinholeFacts,
  type PinholeReason,
  type TransferCommand,
} from '../events.ts';
import { directionOf } from '../ftp/transfer.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';

/** What is known of an event besides what it says. */
export interface Known {
  /** Whom USER had named in its session. */
  userOf(event: Event): string | undefined;
  /** Whose session it is of. */
  clientOf(event: Event): Endpoint | undefined;
  /** Bytes that its transfer was announced to have. */
  sizeOf(event: Event): number | undefined;
}

export const nothingKnown: Known = {
  userOf: () => undefined,
  clientOf: () => undefined,
  sizeOf: () => undefined,
};

export function levelOf(event: Event): Level {
  switch (event.type) {
    case 'command':
    case 'reply':
      return 'trace';
    case 'session-user':
    case 'transfer-begun':
      return 'debug';
    case 'session-closed':
      // Somebody has set something wrong, here or there.
      return event.reason === 'tls-on-clear-port' ? 'warn' : 'info';
    case 'command-refused':
      // It is a question, and was answered: lftp and FileZilla ask every server for TLS, and go on without it.
      return event.reason === 'tls-not-understood' || event.reason === 'tls-refused' ? 'info' : 'warn';
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

/** What a line says; what is undefined is not written. */
export function fieldsOf(event: Event, known: Known = nothingKnown): object {
  return fieldsWith(event, known, known.userOf(event));
}

/** The same with another user than the one that is known now. */
export function fieldsWith(event: Event, known: Known, user: string | undefined): object {
  switch (event.type) {
    case 'session-opened': {
      const { session, client, reached, server } = event;
      return {
        ...{ session, client: formatEndpoint(client), user },
        ...{ reached: formatEndpoint(reached), server: formatEndpoint(server) },
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
      return { ...session, ...{ client: formatEndpoint(client), user }, ...rest, ...seconds };
    }
    case 'command':
    case 'reply':
      return dialogueOf(event, sessionClientOf(event, known), user);
    case 'session-opaque': {
      const { session, unavailable } = event;
      const ports = unavailable.map(formatPortRange).join(', ');
      const client = sessionClientOf(event, known);
      return { session, client, user, unavailable: ports === '' ? undefined : ports };
    }
    case 'pinhole-opened':
      return pinholeOf(event, user, event.command, undefined, undefined);
    case 'pinhole-closed':
      return pinholeOf(event, user, undefined, event.reason, undefined);
    case 'pinhole-taken':
      return pinholeOf(event, user, undefined, undefined, event.from);
    case 'pinhole-refused':
      return { at: formatEndpoint(event.at), from: formatEndpoint(event.from), reason: event.reason };
    case 'transfer-begun': {
      const { session, command, size } = event;
      const client = sessionClientOf(event, known);
      return { session, client, user, command: command.verb, ...pathOf(command), size };
    }
    case 'data-channel-closed': {
      const { session, expectation, plane, mode, command, seconds, cause, error } = event;
      const of = { session, client: clientOf(event), user, expectation, plane, mode };
      return {
        ...of,
        ...{ command: command?.verb, ...pathOf(command), seconds: rounded(seconds), cause, error },
      };
    }
    case 'transfer-ended':
      return transferOf(event, known.sizeOf(event), user);
    default: {
      const { type, ...rest } = event;
      if (!('session' in rest)) return rest;
      return { ...{ session: rest.session, client: sessionClientOf(event, known), user }, ...rest };
    }
  }
}

/** One object of one shape, as of transfers. */
function pinholeOf(
  facts: PinholeFacts,
  user: string | undefined,
  command: string | undefined,
  reason: PinholeReason | undefined,
  from: Endpoint | undefined,
): object {
  const { session, expectation, plane, mode, peer, at, to } = facts;
  return {
    session,
    client: clientOf(facts),
    user,
    command,
    reason,
    expectation,
    plane,
    mode,
    peer,
    at: formatEndpoint(at),
    to: formatEndpoint(to),
    from: from && formatEndpoint(from),
  };
}

type Transfer = Event & { readonly type: 'transfer-ended' };

/** One object of one shape: of these there may be many a second. */
function transferOf(event: Transfer, size: number | undefined, user: string | undefined): object {
  const { session, expectation, plane, mode, command, uploaded, downloaded, seconds, cause, error } = event;
  const { protection = 'none' } = event;
  const bytes = uploaded + downloaded;
  return {
    session,
    client: clientOf(event),
    user,
    expectation,
    plane,
    mode,
    protection: protection === 'none' ? undefined : protection,
    command: command?.verb,
    path: command?.path,
    relative: command?.isRelative === true ? true : undefined,
    direction: directionOf(event),
    bytes,
    size,
    seconds: rounded(seconds),
    rate: seconds > 0 ? Math.round(bytes / seconds) : undefined,
    cause,
    error,
  };
}

/** A line that has gone on as it came is written once. */
function dialogueOf(
  event: Event & { readonly type: 'command' | 'reply' },
  client: string | undefined,
  user: string | undefined,
): object {
  const { session } = event;
  // Its texts are made when they are asked for.
  const [received, sent] = [event.received, event.sent];
  if (received === sent) return { session, client, user, line: sent };
  return { session, client, user, received, sent };
}

function pathOf(command: TransferCommand | undefined): {
  path: string | undefined;
  relative: true | undefined;
} {
  return { path: command?.path, relative: command?.isRelative === true ? true : undefined };
}

function sessionClientOf(event: Event, known: Known): string | undefined {
  const client = known.clientOf(event);
  return client && formatEndpoint(client);
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
