import { formatHostPort } from '../../src/ftp/host-port.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { readCases } from './cases.ts';

/**
 * What is said in an order.
 * - `client`: lines that go to the server.
 * - `refused`: a line of the client that the relay answers itself.
 * - `server`: lines of the server.
 *
 * The third text is what the client hears then, where it is not what the server has said, or not nothing. Where the
 * server names an endpoint of its own stands `{AT}` (`{PORT}`), which the client hears as the announced one, or `{at}`
 * (`{port}`), which goes on as it is.
 */
export type DialogueStep = readonly [who: 'client' | 'refused' | 'server', text: string, hears?: string];

/** A dialogue with a peer that does something odd. */
export interface Dialogue {
  readonly name: string;
  /** Where it begins, if not behind the log in. */
  readonly from?: 'greeting';
  readonly steps: readonly DialogueStep[];
  /** How many pinholes are opened for it. */
  readonly opens: number;
  /** How many lines are said to be announcements that went on unread. */
  readonly unread: number;
}

/** Where the server says that it listens, and what the client is told. */
interface Places {
  readonly inside: Endpoint;
  readonly announced: Endpoint;
}

export function readDialogues(): Dialogue[] {
  return readCases<Dialogue>('dialogues.jsonl');
}

/** The text with endpoints in their places; `{AT}` is the one `as` which it is seen. */
export function fillIn(text: string, places: Places, as: keyof Places): string {
  const seen = places[as];
  return text
    .replaceAll('{AT}', formatHostPort(seen))
    .replaceAll('{PORT}', String(seen.port))
    .replaceAll('{at}', formatHostPort(places.inside))
    .replaceAll('{port}', String(places.inside.port));
}

/** What the client hears of a step. */
export function heard([who, text, hears]: DialogueStep, places: Places): string {
  return fillIn(hears ?? (who === 'server' ? text : ''), places, 'announced');
}
