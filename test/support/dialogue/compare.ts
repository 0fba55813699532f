/**
 * Says in what two dialogues differ when addresses and ports, and what changes from run to run, are left out. Pure.
 */
import { isIPv6 } from 'node:net';

import { describe, render, verb } from './dialogue.ts';
import type { ControlChannel, DataChannel, Dialogue, Exchange, Line, Stream } from './dialogue.ts';

/**
 * A unified diff of what the two rendered dialogues say, `-` for `direct` and `+` for `relayed`; empty when they are
 * equal but for addresses and ports. Compared are every line of both directions paired as exchanges, and each data
 * channel's mode, opener, byte counts, checksums and the order of FINs and RSTs until both sides have said FIN. Not
 * compared: which side closes the control channel first after QUIT (both do at once), how lines lay in segments, and
 * how pipelined commands overlapped with replies.
 */
export function compareDialogues(direct: Dialogue, relayed: Dialogue): string {
  return diff(render(normalise(direct)), render(normalise(relayed)));
}

/**
 * The same dialogue with placeholders: `<address>` and `<port>` for the numbers of PORT, EPRT, 227 and 229 and for
 * every literal address, `<date>`, `<time>`, `<duration>`, `<rate>`, `<count>`, `<pid>` and `<unique>` for what
 * another run says differently. Listings on data channels are treated the same, and their checksum is that of the
 * result.
 */
export function normalise(dialogue: Dialogue): Dialogue {
  return { controls: dialogue.controls.map(normaliseControl), strays: dialogue.strays };
}

function normaliseControl(control: ControlChannel): ControlChannel {
  const exchanges = control.exchanges.map(normaliseExchange);
  const lines = exchanges
    .flatMap(({ command, replies }) => [...(command === undefined ? [] : [command]), ...replies])
    .sort((a, b) => a.at - b.at);
  return { ...control, exchanges, lines };
}

function normaliseExchange(exchange: Exchange): Exchange {
  const { command, replies, data } = exchange;
  const isListing = ['LIST', 'NLST', 'MLSD'].includes(verb(exchange));
  const code = replies.at(-1)?.text.slice(0, 3) ?? '';
  return {
    ...(command === undefined ? {} : { command: rewritten(command, commandText) }),
    replies: replies
      .filter(({ text }) => !whim.test(text))
      .map((line) => rewritten(line, (text) => replyText(code, text))),
    data: (isListing ? data.map(normaliseListing) : data).map(normaliseEnds),
  };
}

function rewritten(line: Line, rewrite: (text: string) => string): Line {
  return { ...line, text: rewrite(line.text) };
}

/** Pure-FTPd says this now and then, and not for anything that the client did. */
const whim = /^150-The computer is your friend\. Trust the computer$/;

const sixNumbers = /\d+(?:\s*,\s*\d+){5}/;

function commandText(text: string): string {
  if (/^\s*PORT\s/i.test(text)) return text.replace(sixNumbers, '<address>,<port>');
  // EPRT |1|198.51.100.10|6275|: the delimiter and the protocol's number stay.
  const eprt = /^(\s*EPRT\s+)([!-~])(\d+)\2[^\s]*?\2\d+\2/i;
  if (eprt.test(text)) return text.replace(eprt, '$1$2$3$2<address>$2<port>$2');
  // RFC 7151: lftp names the host that it dialled.
  if (/^\s*HOST\s/i.test(text)) return literalAddresses(text);
  return dates(text);
}

function replyText(code: string, text: string): string {
  if (code === '227') return text.replace(sixNumbers, '<address>,<port>');
  if (code === '229') return text.replace(/([!-~])\1\1\d+\1/, '$1$1$1<port>$1');
  return variable(text);
}

function normaliseListing(channel: DataChannel): DataChannel {
  const rewrite = (stream: Stream): Stream =>
    stream.content === undefined
      ? stream
      : describe(Buffer.from(variable(stream.content.toString('latin1')), 'latin1'));
  return { ...channel, sent: { client: rewrite(channel.sent.client), server: rewrite(channel.sent.server) } };
}

/**
 * Where both sides have said FIN, no reset cuts anything off: who has closed answers with it what TCP sent once more,
 * as happens on a machine that is slow at that moment. A side that closes on unread bytes says RST instead of FIN.
 */
function normaliseEnds(channel: DataChannel): DataChannel {
  const fins = channel.ends.filter(({ kind }) => kind === 'FIN');
  const isOver = new Set(fins.map(({ by }) => by)).size === 2;
  const last = channel.ends.findLastIndex(({ kind }) => kind === 'FIN');
  return isOver ? { ...channel, ends: channel.ends.slice(0, last + 1) } : channel;
}

function variable(text: string): string {
  return (
    dates(literalAddresses(text))
      .replace(/\b\d{1,2}:\d{2}(?::\d{2})?\b/g, '<time>')
      // pyftpdlib: whether the client's connection came in before its transfer command is the client's race to win.
      .replace(
        /^(?:125 Data connection already open.*|150 File status okay\. About to open.*)$/,
        '<125 or 150>',
      )
      // Pure-FTPd: 150 Connecting to port 40745
      .replace(/\bto port \d+/g, 'to port <port>')
      // Pure-FTPd: 226 0.001 seconds (measured here), 1.23 Mbytes per second
      .replace(/\b\d+(?:\.\d+)? seconds/g, '<duration> seconds')
      .replace(/\b\d+(?:\.\d+)? \w*bytes per second/gi, '<rate>')
      // Pure-FTPd: You are user number 1 of 50 allowed; vsftpd: client count was 1
      .replace(/\b(user number|client count was) \d+/g, '$1 <count>')
      .replace(/\bpid[ =:]+\d+/gi, 'pid <pid>')
      .replace(/\bunique=[^;\s]*/gi, 'unique=<unique>')
  );
}

/** `20261122225547` and `Nov 22 22:55`, `Jan 02  2020`. */
function dates(text: string): string {
  const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
  return text
    .replace(/\b\d{14}(?:\.\d+)?\b/g, '<date>')
    .replace(new RegExp(`\\b${month} +\\d{1,2} +(?:\\d{4}|\\d{1,2}:\\d{2})\\b`, 'g'), '<date>');
}

function literalAddresses(text: string): string {
  return text
    .replace(/(?<![\w:.])(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)/gi, '<address>')
    .replace(/(?<![\w:.])[0-9a-f]*:[0-9a-f:]+(?![\w.])/gi, (word) => (isIPv6(word) ? '<address>' : word));
}

/** The longest common subsequence, with up to three equal lines around each difference. */
function diff(before: readonly string[], after: readonly string[]): string {
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }

  const marked: { sign: ' ' | '-' | '+'; text: string }[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    const [old, now] = [before[i], after[j]];
    if (old !== undefined && old === now) {
      marked.push({ sign: ' ', text: old });
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || at(i + 1, j) >= at(i, j + 1))) {
      marked.push({ sign: '-', text: old });
      i++;
    } else {
      marked.push({ sign: '+', text: now ?? '' });
      j++;
    }
  }
  const context = 3;
  return marked
    .filter((_, index) =>
      marked.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== ' '),
    )
    .map(({ sign, text }) => `${sign}${text}`)
    .join('\n');
}
