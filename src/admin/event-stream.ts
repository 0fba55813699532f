import type { ServerResponse } from 'node:http';
import { fieldsOf, levelOf, wordsOf } from '../log/event-line.ts';
import { harmlessJson } from '../log/harmless-line.ts';
import { clientOf, type Event } from '../events.ts';
import type { Roster } from '../status/roster.ts';
import { controlOf, secondsOf } from './answers.ts';
import type { Inside } from './inside.ts';

/** Which events a reader wants. */
export interface EventFilter {
  /** Of this session alone. */
  readonly session: number | undefined;
  /** Of this client's sessions alone. */
  readonly client: string | undefined;
  /** Every line of the dialogue too. */
  readonly isWithDialogue: boolean;
}

/** Bytes that wait for a reader, at most: what comes beyond that is counted, and lost. */
const mostWaiting = 256 * 1024;
/** How often a reader hears that the stream is alive, in milliseconds. */
const alive = 15_000;
/** How often one after the other it may have taken nothing by then. */
const mostHangs = 4;

/**
 * Sends events as they happen, as server-sent events: `event: transfer-ended`, and `data:` with the fields that the log
 * has, in JSON. A reader that does not keep up loses some, and is told how many by `event: missed`.
 */
export function streamEvents(inside: Inside, filter: EventFilter, response: ServerResponse): void {
  let missed = 0;
  let hangs = 0;
  let hasTaken = false;
  const send = (name: string, fields: object): boolean => {
    if (response.writableLength > mostWaiting) return false;
    response.write(`event: ${name}\ndata: ${harmlessJson(fields)}\n\n`);
    return true;
  };
  const observe = (event: Event): void => {
    if (!isWanted(event, filter, inside.roster)) return;
    if (missed > 0 && send('missed', { events: missed })) missed = 0;
    if (!send(event.type, told(event, inside.roster))) missed++;
  };
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': events\n\n');
  const unsubscribe = inside.subscribe(observe);
  const timer = setInterval(() => {
    // Also what was missed while nothing more happened.
    if (missed > 0 && send('missed', { events: missed })) missed = 0;
    else if (response.writableLength === 0) response.write(': alive\n\n');
    hangs = hasTaken || response.writableLength === 0 ? 0 : hangs + 1;
    hasTaken = false;
    if (hangs >= mostHangs) response.destroy();
  }, alive).unref();
  response.on('drain', () => (hasTaken = true));
  response.on('close', () => {
    clearInterval(timer);
    unsubscribe();
  });
}

function isWanted(event: Event, { session, client, isWithDialogue }: EventFilter, roster: Roster): boolean {
  if (!isWithDialogue && (event.type === 'command' || event.type === 'reply')) return false;
  if (session !== undefined && !('session' in event && event.session === session)) return false;
  return client === undefined || addressOfClient(event, roster) === client;
}

/** An address alone, as the filter has it. */
function addressOfClient(event: Event, roster: Roster): string | undefined {
  if ('client' in event) return event.client.address;
  if (event.type === 'pinhole-refused') return event.from.address;
  // A data connection outlives its session.
  return roster.clientOf(event)?.address ?? ('mode' in event ? clientOf(event) : undefined);
}

function told(event: Event, roster: Roster): object {
  return {
    time: new Date().toISOString(),
    level: levelOf(event),
    what: wordsOf(event),
    ...fieldsOf(event, roster),
    ...expectationOf(event, roster),
  };
}

/** What `conntrack -E expect` tells of an expectation beyond the log: seconds until it expires, and the control connection. */
function expectationOf(event: Event, roster: Roster): object {
  if (event.type !== 'pinhole-opened' && event.type !== 'pinhole-taken' && event.type !== 'pinhole-closed')
    return {};
  const pinhole = roster.pinhole(event.expectation);
  // Of an opaque session nothing is announced: nobody was expected.
  if (pinhole?.announcedBy === undefined) return {};
  const left = event.type === 'pinhole-opened' ? event.timeout : pinhole.expires - performance.now();
  return { expires: secondsOf(Math.max(0, left)), control: controlOf(roster.session(event.session)) };
}
