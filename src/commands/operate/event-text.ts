import { visibleControls } from '../../log/harmless-line.ts';
import { formatBytes, formatRate } from '../../net/size-text.ts';
import type { StreamedEvent } from './admin-client.ts';
import { expectationEventLine, type ExpectationFacts } from './conntrack.ts';
import { shown } from './print.ts';
import { formatSeconds } from './units.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An expectation as `conntrack -E expect` prints it, and everything else as `TIME SESSION CLIENT USER WHAT`. */
export function eventText({ type, fields }: StreamedEvent): string {
  if (typeof fields['expires'] === 'number') {
    const facts = fields as unknown as ExpectationFacts;
    return expectationEventLine(type === 'pinhole-opened' ? 'NEW' : 'DESTROY', facts);
  }
  const time = new Date(String(fields['time'])).toTimeString().slice(0, 8);
  const client = addressOf(textOf(fields['client'] ?? fields['from']));
  return [
    time,
    shown(textOf(fields['session'])),
    shown(client),
    shown(textOf(fields['user'])),
    whatOf(type, fields),
  ].join(' ');
}

function whatOf(type: string, fields: Fields): string {
  const text = (name: string): string => visibleControls(textOf(fields[name]));
  switch (type) {
    case 'session-opened':
      return `session opened, to ${text('server')}`;
    case 'session-closed':
      return `session closed: ${text('reason')}, after ${formatSeconds(Number(fields['seconds']))}${errorOf(fields)}`;
    case 'session-refused':
      return `session refused: ${text('reason')}${errorOf(fields)}`;
    case 'session-user':
      return 'named';
    case 'login-failed':
      return `login failed: ${text('code')}`;
    case 'session-secured':
      return `TLS with the ${text('side')}: ${text('protocol')} ${text('cipher')}`;
    case 'command-refused':
      return `refused: ${text('reason')}: ${text('command')} (${text('reply')})`;
    case 'reply-remarked':
      return `remarked: ${text('reason')}: ${text('reply')}`;
    case 'pinhole-refused':
      return `refused: ${text('reason')}: connection from ${text('from')} to ${text('at')}`;
    case 'transfer-begun': {
      const { size } = fields;
      return `begun: ${transferOf(fields)}${typeof size === 'number' ? ` (${formatBytes(size)})` : ''}`;
    }
    case 'transfer-ended': {
      const [bytes, seconds] = [Number(fields['bytes']), Number(fields['seconds'])];
      const rate = seconds > 0 ? `, ${formatRate(bytes / seconds)}` : '';
      return `transfer: ${transferOf(fields)}: ${text('cause')}, ${formatBytes(bytes)}${rate}${errorOf(fields)}`;
    }
    case 'data-channel-closed':
      return `data connection closed: ${transferOf(fields)}: ${text('cause')}${errorOf(fields)}`;
    default:
      return `${text('what')}${restOf(fields)}`;
  }
}

/** `RETR /pub/file` */
function transferOf({ command, path }: Fields): string {
  const { verb, path: named } = (typeof command === 'object' ? command : { verb: command, path }) as Fields;
  return visibleControls(`${textOf(verb) || 'no command'} ${textOf(named)}`.trimEnd());
}

function errorOf({ error }: Fields): string {
  return error === undefined ? '' : ` (${visibleControls(textOf(error))})`;
}

const told: ReadonlySet<string> = new Set(['time', 'level', 'what', 'session', 'client', 'user']);

function restOf(fields: Fields): string {
  const rest = Object.entries(fields).filter(
    ([name, value]) => !told.has(name) && value !== undefined && value !== null,
  );
  return rest.map(([name, value]) => ` ${name}=${visibleControls(textOf(value))}`).join('');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** Without the port. */
function addressOf(client: string): string {
  return client.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([^:]*):\d+$/, '$1');
}
