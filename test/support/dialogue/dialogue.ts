/**
 * What an FTP client and its server said to each other, from a capture. Pure; {@link ./record.ts} makes the capture
 * and {@link ./compare.ts} puts two dialogues beside each other:
 *
 *     const direct = await recordDialogue(network, () => runClient(network, 'curl', { address: server, ... }));
 *     const relayed = await recordDialogue(network, () => runClient(network, 'curl', { address: gateway, ... }));
 *     assert.equal(compareDialogues(direct.dialogue, relayed.dialogue), '');
 *
 * A {@link Dialogue} is a value that can be looked at as well: `dialogue.controls[0].exchanges` are the commands with
 * their replies, each with the data channels that it led to; `render(dialogue)` prints it.
 */
import { createHash } from 'node:crypto';

import { assemble } from './tcp-connections.ts';
import type { Connection } from './tcp-connections.ts';
import type { Endpoint, Segment } from './pcap.ts';

type Side = 'client' | 'server';

export interface Line {
  from: Side;
  /** Latin-1, so that every byte is one character, without the ending. */
  text: string;
  /** `none`: the connection ended within the line. */
  ending: 'CRLF' | 'LF' | 'none';
  /** Whether one segment carried all of it, for clients that take one segment for one reply. */
  whole: boolean;
  /** The packet that completed it; only the order means something. */
  at: number;
}

export interface Stream {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** What was sent, where that is at most 64 KiB. */
  content?: Buffer;
}

export interface DataChannel {
  /** The command that announced it; `unannounced` is a connection that none did, or one behind TLS. */
  mode: 'PORT' | 'EPRT' | 'PASV' | 'EPSV' | 'unannounced';
  openedBy: Side;
  outcome: 'established' | 'refused' | 'unanswered';
  sent: Record<Side, Stream>;
  /** FINs and RSTs in order: `server FIN` first is a download that came to its end. */
  ends: { by: Side; kind: 'FIN' | 'RST' }[];
}

export interface Exchange {
  /** Absent for the greeting. */
  command?: Line;
  /** All lines of all replies to it: 1xx, then the final one. */
  replies: Line[];
  /** On the transfer's exchange (RETR, LIST ...), or on the announcement's where no transfer followed. */
  data: DataChannel[];
}

export interface ControlChannel {
  client: Endpoint;
  server: Endpoint;
  /** Both directions as they passed. */
  lines: Line[];
  /** The same paired: independent of how commands and replies overlapped on the way. */
  exchanges: Exchange[];
  /** Whether it went on in TLS after a 234; nothing is told of that part. */
  tls: boolean;
  ends: { by: Side; kind: 'FIN' | 'RST' }[];
}

export interface Dialogue {
  /** In the order in which the client opened them. */
  controls: ControlChannel[];
  /** Connections that belong to none of them. */
  strays: DataChannel[];
}

const contentLimit = 64 * 1024;
const transferCommands = new Set(['RETR', 'STOR', 'APPE', 'STOU', 'LIST', 'NLST', 'MLSD']);

/**
 * The dialogue in a capture of one client's machine. A connection to `controlPort` is a control channel, every other
 * one a data channel. Throws where the capture lost bytes.
 */
export function readDialogue(segments: readonly Segment[], options: { controlPort?: number } = {}): Dialogue {
  const controlPort = options.controlPort ?? 21;
  const connections = assemble(segments);
  for (const { beyondGap, opener, acceptor, ends } of connections) {
    if (beyondGap > 0 && !ends.some(({ kind }) => kind === 'RST')) {
      throw new Error(`the capture lost bytes between ports ${opener.port} and ${acceptor.port}`);
    }
  }
  const isControl = ({ acceptor }: Connection): boolean => acceptor.port === controlPort;
  const controls = connections.filter(isControl).map(readControl);
  const announcements = controls.flatMap(readAnnouncements);
  const strays: DataChannel[] = [];
  for (const connection of connections.filter((each) => !isControl(each))) {
    const announcement = announcements
      .filter((each) => each.at < connection.opened && matches(each, connection))
      .reduce<Announcement | undefined>(
        (latest, each) => (latest && latest.at > each.at ? latest : each),
        undefined,
      );
    const channel = readData(connection, announcement, controls);
    if (announcement === undefined) strays.push(channel);
    else announcement.transfer.data.push(channel);
  }
  return { controls, strays };
}

function readControl(connection: Connection): ControlChannel {
  const { lines, tls } = readLines(connection);
  return {
    client: connection.opener,
    server: connection.acceptor,
    lines,
    exchanges: pair(lines),
    tls,
    ends: connection.ends.map(({ by, kind }) => ({ by: by === 'opener' ? 'client' : 'server', kind })),
  };
}

function readLines(connection: Connection): { lines: Line[]; tls: boolean } {
  const lines: Line[] = [];
  const rest: Record<Side, { text: string; at: number }> = {
    client: { text: '', at: 0 },
    server: { text: '', at: 0 },
  };
  for (const { by, at, bytes } of connection.chunks) {
    const from: Side = by === 'opener' ? 'client' : 'server';
    const pending = rest[from];
    let carried = pending.text.length;
    pending.text += bytes.toString('latin1');
    pending.at = at;
    for (let end = pending.text.indexOf('\n'); end >= 0; end = pending.text.indexOf('\n')) {
      const raw = pending.text.slice(0, end);
      pending.text = pending.text.slice(end + 1);
      const crlf = raw.endsWith('\r');
      const text = crlf ? raw.slice(0, -1) : raw;
      lines.push({ from, text, ending: crlf ? 'CRLF' : 'LF', whole: carried === 0, at });
      carried = 0;
      // RFC 4217, section 4: what follows the 234 is the TLS handshake.
      if (from === 'server' && text.startsWith('234 ')) return { lines, tls: true };
    }
  }
  for (const from of ['client', 'server'] as const) {
    const { text, at } = rest[from];
    if (text !== '') lines.push({ from, text, ending: 'none', whole: false, at });
  }
  return { lines: lines.sort((a, b) => a.at - b.at), tls: false };
}

/**
 * A final reply answers the oldest command that has none (RFC 959, section 5.4 lets a client send ahead); a 1xx
 * leaves it open. A reply with nothing to answer, as a 421 out of the blue, stays with the exchange before it.
 */
function pair(lines: readonly Line[]): Exchange[] {
  const greeting: Exchange = { replies: [], data: [] };
  const commands = lines
    .filter(({ from }) => from === 'client')
    .map((command): Exchange => ({ command, replies: [], data: [] }));
  const exchanges = [greeting, ...commands];
  let current = 0;
  for (const reply of groupReplies(lines.filter(({ from }) => from === 'server'))) {
    const asked = exchanges[current];
    const isAsked = asked !== undefined && (asked.command?.at ?? -1) < (reply[0]?.at ?? 0);
    const exchange = isAsked ? asked : exchanges[current - 1];
    exchange?.replies.push(...reply);
    if (isAsked && !(reply[0]?.text.startsWith('1') ?? false)) current++;
  }
  return exchanges;
}

/** `220-Hello`, anything, `220 Ready`: one reply, RFC 959, section 4.2. */
function groupReplies(lines: readonly Line[]): Line[][] {
  const groups: Line[][] = [];
  let until: string | undefined;
  for (const line of lines) {
    if (until === undefined) {
      groups.push([line]);
      if (/^\d{3}-/.test(line.text)) until = `${line.text.slice(0, 3)} `;
    } else {
      groups.at(-1)?.push(line);
      if (line.text.startsWith(until)) until = undefined;
    }
  }
  return groups;
}

interface Announcement {
  control: ControlChannel;
  mode: 'PORT' | 'EPRT' | 'PASV' | 'EPSV';
  /** From when on it could be acted on. */
  at: number;
  port: number;
  /** Where its data channels are told. */
  transfer: Exchange;
}

function readAnnouncements(control: ControlChannel): Announcement[] {
  const found: Announcement[] = [];
  for (const [index, exchange] of control.exchanges.entries()) {
    const mode = verb(exchange);
    if (mode !== 'PORT' && mode !== 'EPRT' && mode !== 'PASV' && mode !== 'EPSV') continue;
    const source = mode === 'PORT' || mode === 'EPRT' ? exchange.command : exchange.replies.at(-1);
    const port = source === undefined ? undefined : announcedPort(mode, exchange, source);
    if (source === undefined || port === undefined) continue;
    const transfer = transferAfter(control.exchanges, index) ?? exchange;
    found.push({ control, mode, at: source.at, port, transfer });
  }
  return found;
}

function transferAfter(exchanges: readonly Exchange[], index: number): Exchange | undefined {
  for (const exchange of exchanges.slice(index + 1)) {
    const name = verb(exchange);
    if (transferCommands.has(name)) return exchange;
    if (['PORT', 'EPRT', 'PASV', 'EPSV', 'QUIT', 'REIN'].includes(name)) return undefined;
  }
  return undefined;
}

/** The command's name in capitals, without Telnet bytes before it. */
export function verb(exchange: Exchange): string {
  return (/[A-Za-z]+/.exec(exchange.command?.text ?? '')?.[0] ?? '').toUpperCase();
}

function announcedPort(mode: Announcement['mode'], exchange: Exchange, source: Line): number | undefined {
  const texts = mode === 'PASV' || mode === 'EPSV' ? exchange.replies.map(({ text }) => text) : [source.text];
  for (const text of texts) {
    const numbers = announced[mode].exec(text)?.groups;
    if (numbers !== undefined) return Number(numbers['high'] ?? 0) * 256 + Number(numbers['low']);
  }
  return undefined;
}

const sixNumbers = /(?:\d+\s*,\s*){4}(?<high>\d+)\s*,\s*(?<low>\d+)/;
const announced: Readonly<Record<Announcement['mode'], RegExp>> = {
  // PORT 198,51,100,10,24,131
  PORT: sixNumbers,
  // 227 Entering Passive Mode (10,77,0,2,117,48).
  PASV: sixNumbers,
  // EPRT |1|198.51.100.10|6275|
  EPRT: /\s([!-~])\d+\1\S+?\1(?<low>\d+)\1/,
  // 229 Entering Extended Passive Mode (|||6446|)
  EPSV: /([!-~])\1\1(?<low>\d+)\1/,
};

function matches({ mode, port, control }: Announcement, { opener, acceptor }: Connection): boolean {
  const active = mode === 'PORT' || mode === 'EPRT';
  const peer = active ? acceptor : opener;
  return acceptor.port === port && peer.address === control.client.address;
}

function readData(
  connection: Connection,
  announcement: Announcement | undefined,
  controls: readonly ControlChannel[],
): DataChannel {
  const clients = controls.map(({ client }) => client.address);
  const openedBy: Side = clients.includes(connection.opener.address) ? 'client' : 'server';
  const other: Side = openedBy === 'client' ? 'server' : 'client';
  const opener = stream(connection, 'opener');
  const acceptor = stream(connection, 'acceptor');
  const refused = connection.ends.some(({ by, kind }) => by === 'acceptor' && kind === 'RST');
  return {
    mode: announcement?.mode ?? 'unannounced',
    openedBy,
    outcome: connection.established ? 'established' : refused ? 'refused' : 'unanswered',
    sent: openedBy === 'client' ? { client: opener, server: acceptor } : { client: acceptor, server: opener },
    ends: connection.ends.map(({ by, kind }) => ({ by: by === 'opener' ? openedBy : other, kind })),
  };
}

function stream(connection: Connection, by: 'opener' | 'acceptor'): Stream {
  return describe(
    Buffer.concat(connection.chunks.filter((chunk) => chunk.by === by).map(({ bytes }) => bytes)),
  );
}

/** Size, checksum and, where it is small, the content itself. */
export function describe(bytes: Buffer): Stream {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes: bytes.length, sha256, ...(bytes.length <= contentLimit ? { content: bytes } : {}) };
}

/** One line of text for each line and data channel, in the order of the exchanges. */
export function render({ controls, strays }: Dialogue): string[] {
  return [
    ...controls.flatMap((control, index) => [
      `control channel ${index + 1}`,
      ...control.exchanges.flatMap(({ command, replies, data }) => [
        ...(command === undefined ? [] : [`> ${shown(command)}`]),
        ...data.map((channel) => `  ${renderData(channel)}`),
        ...replies.map((reply) => `< ${shown(reply)}`),
      ]),
      ...(control.tls ? ['(TLS)'] : []),
    ]),
    ...strays.map(renderData),
  ];
}

function shown({ text, ending }: Line): string {
  const visible = text.replace(
    /[\x00-\x1f\x7f-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return ending === 'CRLF' ? visible : `${visible} (${ending === 'LF' ? 'LF alone' : 'cut off'})`;
}

function renderData({ mode, openedBy, outcome, sent, ends }: DataChannel): string {
  const streams = (['client', 'server'] as const)
    .filter((side) => sent[side].bytes > 0)
    .map((side) => `${side} sent ${sent[side].bytes} bytes ${sent[side].sha256.slice(0, 16)}`);
  const what = streams.length === 0 ? ['nothing sent'] : streams;
  const over = ends.length === 0 ? 'left open' : ends.map(({ by, kind }) => `${by} ${kind}`).join(' ');
  return [`data channel by ${mode}, ${openedBy} opened, ${outcome}`, ...what, over].join(', ');
}
