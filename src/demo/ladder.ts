import type { Event, Observer } from '../events.ts';
import { formatEndpoint } from '../net/endpoint.ts';

/** How a ladder is drawn. `style` is the identity where no colour is wanted. */
export interface LadderOptions {
  readonly write: (text: string) => void;
  readonly style: (text: string, kind: 'command' | 'reply' | 'rewritten' | 'pinhole') => string;
}

const width = 52;

/** The rungs' heading. */
export function ladderHeading(): string {
  return `${'client'.padEnd(width)} relay ${'server'.padStart(width)}\n`;
}

/**
 * The listener of the event stream that draws the dialogue: client | relay | server, each line as it came and
 * as it went on, and what becomes of the pinholes.
 */
export function drawLadder({ write, style }: LadderOptions): Observer {
  const rung = (left: string, arrow: string, right: string): void => {
    write(`${left.padEnd(width)} ${arrow} ${right}`.trimEnd() + '\n');
  };
  const note = (text: string): void => {
    write(`${' '.repeat(width + 1)}${style(`  *  ${text}`, 'pinhole')}\n`);
  };

  return (event: Event) => {
    switch (event.type) {
      case 'command': {
        const changed = event.sent !== event.received;
        rung(event.received, '-->', style(event.sent ?? '', changed ? 'rewritten' : 'command'));
        break;
      }
      case 'command-refused':
        rung(event.command, '-->', '');
        write(`${style(event.reply.padEnd(width), 'rewritten')} <-- (the relay: ${event.reason})\n`);
        break;
      case 'reply': {
        const { received, sent } = event;
        const left = sent.padEnd(width);
        const drawn = style(left, received === sent ? 'reply' : 'rewritten');
        write(`${drawn} <-- ${received ?? '(the relay)'}\n`);
        break;
      }
      case 'pinhole-opened':
        note(`pinhole opened: ${event.peer} -> ${formatEndpoint(event.at)} => ${formatEndpoint(event.to)}`);
        break;
      case 'pinhole-taken':
        note(`pinhole taken:  ${formatEndpoint(event.from)} -> ${formatEndpoint(event.at)}`);
        break;
      case 'pinhole-closed':
        note(`pinhole closed: ${event.reason}`);
        break;
      case 'transfer-ended': {
        const bytes = event.uploaded + event.downloaded;
        note(
          `data connection closed: ${event.cause}, ${bytes} bytes (${event.command?.verb ?? 'no command'})`,
        );
        break;
      }
      default:
        break;
    }
  };
}
