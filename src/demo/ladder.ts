import type { Event, Observer } from '../events.ts';
import { formatEndpoint } from '../net/endpoint.ts';

type Style = 'command' | 'reply' | 'rewritten' | 'pinhole';

/** A text in a colour; `style` is the identity where no colour is wanted. */
export type LadderStyle = (text: string, kind: Style) => string;

/** How a ladder is drawn. */
export interface LadderOptions {
  readonly write: (text: string) => void;
  readonly style: LadderStyle;
}

/** What a ladder shows of an event, in the words of the event stream of a running relay. */
export type LadderEvent =
  | { readonly type: 'command'; readonly received: string; readonly sent: string | undefined }
  | {
      readonly type: 'command-refused';
      readonly command: string;
      readonly reason: string;
      readonly reply: string;
    }
  | { readonly type: 'reply'; readonly received: string | undefined; readonly sent: string }
  | { readonly type: 'pinhole-opened'; readonly peer: string; readonly at: string; readonly to: string }
  | { readonly type: 'pinhole-taken'; readonly from: string; readonly at: string }
  | { readonly type: 'pinhole-closed'; readonly reason: string }
  | {
      readonly type: 'transfer-ended';
      readonly cause: string;
      readonly bytes: number;
      /** The verb. */
      readonly command: string | undefined;
    };

/** A side of a rung. */
interface Side {
  readonly text: string;
  readonly style?: Style;
}

/** A line between client, relay and server, as it came on one side and as it went on at the other; or what else happened. */
export type LadderLine =
  | { readonly kind: 'rung'; readonly client: Side; readonly arrow: '-->' | '<--'; readonly server: Side }
  | { readonly kind: 'note'; readonly text: string };

const width = 52;

/** The rungs' heading. */
export function ladderHeading(columns: number = width): string {
  // Two columns longer than an arrow, which a rung has in its place.
  return `${'client'.padEnd(columns)} relay ${'server'.padStart(columns - 2)}\n`;
}

/**
 * The listener of the event stream that draws the dialogue: client | relay | server, each line as it came and
 * as it went on, and what becomes of the pinholes.
 */
export function drawLadder({ write, style }: LadderOptions): Observer {
  return (event: Event) => {
    const shown = ladderEventOf(event);
    if (!shown) return;
    for (const line of ladderLines(shown)) write(`${lineText(line, style)}\n`);
  };
}

/** A line as it is drawn where there is room enough, without its end. */
export function lineText(line: LadderLine, style: LadderStyle): string {
  if (line.kind === 'note') return `${' '.repeat(width + 1)}${style(`  *  ${line.text}`, 'pinhole')}`;
  const { client, arrow, server } = line;
  const side = ({ text, style: kind }: Side): string => (kind && text !== '' ? style(text, kind) : text);
  return `${side({ ...client, text: client.text.padEnd(width) })} ${arrow} ${side(server)}`.trimEnd();
}

/** What happened, line by line. */
export function ladderLines(event: LadderEvent): LadderLine[] {
  switch (event.type) {
    case 'command': {
      const { received, sent } = event;
      const style = sent === received ? 'command' : 'rewritten';
      return [rung({ text: received }, '-->', { text: sent ?? '', style })];
    }
    case 'command-refused': {
      const { command, reply, reason } = event;
      const client: Side = { text: reply, style: 'rewritten' };
      return [
        rung({ text: command }, '-->', { text: '' }),
        rung(client, '<--', { text: `(the relay: ${reason})` }),
      ];
    }
    case 'reply': {
      const { received, sent } = event;
      const style = received === sent ? 'reply' : 'rewritten';
      return [rung({ text: sent, style }, '<--', { text: received ?? '(the relay)' })];
    }
    case 'pinhole-opened':
      return [note(`pinhole opened: ${event.peer} -> ${event.at} => ${event.to}`)];
    case 'pinhole-taken':
      return [note(`pinhole taken:  ${event.from} -> ${event.at}`)];
    case 'pinhole-closed':
      return [note(`pinhole closed: ${event.reason}`)];
    case 'transfer-ended': {
      const { cause, bytes, command } = event;
      return [note(`data connection closed: ${cause}, ${bytes} bytes (${command ?? 'no command'})`)];
    }
  }
}

function rung(client: Side, arrow: '-->' | '<--', server: Side): LadderLine {
  return { kind: 'rung', client, arrow, server };
}

function note(text: string): LadderLine {
  return { kind: 'note', text };
}

function ladderEventOf(event: Event): LadderEvent | undefined {
  switch (event.type) {
    case 'command':
    case 'command-refused':
    case 'reply':
    case 'pinhole-closed':
      return event;
    case 'pinhole-opened':
      return { ...event, at: formatEndpoint(event.at), to: formatEndpoint(event.to) };
    case 'pinhole-taken':
      return { ...event, at: formatEndpoint(event.at), from: formatEndpoint(event.from) };
    case 'transfer-ended':
      return { ...event, bytes: event.uploaded + event.downloaded, command: event.command?.verb };
    default:
      return undefined;
  }
}
