/** Whether the lines that a client got are the server's, in order, with what the relay may say of its own. */
import type { Entry, Place } from '../transcript.ts';
import type { Line } from './lines.ts';
import { isPortAllowed } from './commands.ts';
import { transferVerbs, type Pairing } from './pairing.ts';
import { isPlainAnnouncement, portsNamed, rewritten, type Replies, type Reply } from './replies.ts';
import type { Facts } from '../transcript.ts';
import type { Fate } from './towards-server.ts';

export interface Heard {
  readonly entries: readonly Entry[];
  readonly facts: Facts;
  /** The server's lines, and their replies. */
  readonly said: readonly Line[];
  readonly replies: Replies;
  readonly pairing: Pairing;
  readonly got: readonly Line[];
}

/** Where one reading of what the client got stands. */
interface Point {
  /** The next line of the server's, and in a reply whose lines are others, how many of those have come. */
  readonly line: number;
  readonly within: number;
  /** The next of the relay's own replies. */
  readonly own: number;
  /** The relay has answered a transfer in the server's place, whose own final reply may be left out. */
  readonly owed: boolean;
  /** The relay has said its last. */
  readonly over: boolean;
}

type OwnFate = Fate & { readonly kind: 'own' };

const beginRefused = '425 Cannot open data connection: the client cannot be reached.';
const notDelivered = '426 Data connection closed; transfer aborted.';
const noPinhole = /^425 /;
const serverGone = '421 Service not available: the server closed the control connection.';
/** What the relay says when a session comes to an end that is no fault of the dialogue's. */
const goodbyes: readonly string[] = [
  '421 Idle timeout.',
  '421 Login timeout.',
  '421 Service closing control connection.',
];
/** A longer line comes in pieces. */
const longest = 8192;
/** So many refusals in a row may end a session. */
const manyRefusals = 50;

/** What is wrong with what a client got, and up to which line nothing is. */
export interface Wrong {
  readonly words: string;
  readonly from: number;
}

/** Undefined where all is well. */
export function whatIsWrong(heard: Heard, fates: readonly Fate[]): Wrong | undefined {
  const owns = fates.filter((fate): fate is OwnFate => fate.kind === 'own');
  let points: Point[] = [{ line: 0, within: 0, own: 0, owed: false, over: false }];
  for (const [from, got] of heard.got.entries()) {
    const next = new Map<string, Point>();
    for (const point of points) {
      for (const moved of movesOf(point, got, heard, owns)) next.set(keyOf(moved), moved);
    }
    if (next.size === 0) {
      if (got.end === '' && wasCut(heard.entries)) break;
      const [at] = points;
      const expected = at && (heard.said[at.line]?.text.slice(0, 200) ?? '(nothing)');
      const mine = at && owns[at.own]?.replies.join(' or ');
      const words = `the client got ${JSON.stringify(got.text.slice(0, 200) + got.end)}, expected the server's ${JSON.stringify(expected)} or the relay's ${JSON.stringify(mine ?? '(nothing)')}`;
      return { words, from };
    }
    points = [...next.values()];
  }
  const open = points.map((point) => whatIsMissing(point, heard, owns, fates));
  const [words] = open;
  return words === undefined || open.includes(undefined) ? undefined : { words, from: heard.got.length };
}

const keyOf = ({ line, within, own, owed, over }: Point): string => [line, within, own, owed, over].join(' ');

function wasCut(entries: readonly Entry[]): boolean {
  return entries.some(
    (entry) =>
      (entry.what === 'ended' || entry.what === 'saw') && entry.side === 'client' && entry.how === 'reset',
  );
}

function* movesOf(point: Point, got: Line, heard: Heard, owns: readonly OwnFate[]): Generator<Point> {
  if (point.over) return;
  yield* relaysOwn(point, got, heard, owns);
  const skipped = point.owed && point.within === 0 ? afterOwed(point, heard) : undefined;
  if (skipped) {
    yield* relaysOwn(skipped, got, heard, owns);
    yield* serversNext(skipped, got, heard);
  }
  yield* serversNext(point, got, heard);
}

/** The final reply of the transfer that the relay has answered is for nobody. */
function afterOwed(point: Point, { replies }: Heard): Point | undefined {
  const reply = [...replies.whole, ...replies.possible].find(({ first }) => first === point.line);
  return reply && { ...point, line: reply.last + 1, owed: false };
}

function* relaysOwn(point: Point, got: Line, heard: Heard, owns: readonly OwnFate[]): Generator<Point> {
  const { text } = got;
  const fate = owns[point.own];
  if (
    fate &&
    point.within === 0 &&
    fate.replies.some((each) => (each.endsWith(' ') ? text.startsWith(each) : text === each))
  ) {
    if (fate.ends || isItsTurn(point, fate, heard)) yield { ...point, own: point.own + 1, over: fate.ends };
  }
  const isAfterEnd = heard.entries.some(
    (entry, index) => entry.what === 'ended' && entry.side === 'server' && index < got.at,
  );
  if (text === serverGone && isAfterEnd) yield { ...point, over: true };
  if (goodbyes.includes(text)) yield { ...point, over: true };
  if (text.startsWith('421 ') && point.own >= manyRefusals) yield { ...point, over: true };
  if (text.startsWith('421 ') && beginsBinary(heard.entries)) yield { ...point, over: true };
  const isInHandshake = owns
    .slice(0, point.own)
    .some(({ replies }) => replies.some((reply) => reply.startsWith('234 ')));
  const pipelined = '503 No command may follow this one before its reply.';
  if (isInHandshake && (text === '421 A TLS handshake was expected.' || text === pipelined)) {
    yield { ...point, over: true };
  }
  if (heard.facts.tls === 'pass' && text === pipelined) yield { ...point, over: true };
}

function beginsBinary(entries: readonly Entry[]): boolean {
  const first = entries.find((entry) => entry.what === 'sent' && entry.side === 'client');
  return first?.what === 'sent' && /^[\x00-\x08\x0e-\x1f\x7f]/.test(first.text);
}

/** Answers come in the order of the commands, the relay's and the server's alike. */
function isItsTurn({ line }: Point, { after }: OwnFate, { replies, pairing }: Heard): boolean {
  if (!pairing.isExact) return true;
  const lastBefore = pairing.finals.get(after - 1) ?? -1;
  const firstBehind = pairing.answers.findIndex((command) => command !== undefined && command >= after);
  const before = replies.whole[lastBefore];
  const behind = replies.whole[firstBehind];
  return before !== undefined && line > before.last && (behind === undefined || line <= behind.first);
}

function* serversNext(point: Point, got: Line, heard: Heard): Generator<Point> {
  const { said, replies, pairing, facts } = heard;
  const line = said[point.line];
  if (!line || line.begun > got.at) return;
  const index = replies.whole.findIndex(({ first, last }) => first <= point.line && point.line <= last);
  const reply = replies.whole[index];
  const command = index === -1 ? undefined : pairing.answers[index];
  const verb = command === undefined ? undefined : pairing.commands[command]?.verb;
  const isSure = command !== undefined;
  const onward: Point = { ...point, line: point.line + 1 };

  const features = [...(reply ? [reply] : []), ...replies.possible].find(
    ({ code, first }) => code === 211 && first === point.line,
  );
  if (features && facts.tls === 'terminate' && (verb === 'FEAT' || !isSure)) {
    const mine = withOwnTls(said.slice(features.first, features.last + 1));
    if (mine[point.within] === got.text) {
      const isLast = point.within === mine.length - 1;
      yield isLast
        ? { ...point, line: features.last + 1, within: 0 }
        : { ...point, within: point.within + 1 };
    }
    if (isSure || point.within > 0) return;
  }
  const begins = reply?.first === point.line ? reply : undefined;
  if (begins) yield* inItsPlace(point, got, begins, verb, isSure, heard);
  for (const each of replies.possible) {
    if (each.first === point.line) yield* inItsPlace(point, got, each, undefined, false, heard);
  }
  const announces = announcementAt(point.line, reply, verb, isSure, heard);
  for (const text of announces?.texts ?? []) if (text === got.text && sameEnd(line, got)) yield onward;
  if (announces?.must === true) return;
  if (line.text === got.text && sameEnd(line, got)) yield onward;
  if (isCutShort(line, got, heard)) yield onward;
}

/** An overlong line goes on in pieces; where the relay ends the session meanwhile, it ends the line and says why. */
function isCutShort(said: Line, got: Line, { got: all }: Heard): boolean {
  const isBeforeLast = all.at(-2) === got && all.at(-1)?.end === '\r\n';
  return isBeforeLast && got.text.length > longest && said.text.startsWith(got.text);
}

/** The rest of a line that the server never ended gets an end, and a line that was cut has none. */
function sameEnd(said: Line, got: Line): boolean {
  return (
    said.end === got.end || (said.end === '' && got.end === '\r\n') || (said.end === '' && got.end === '')
  );
}

/** What a line of an announcement may have become, and whether it can't have gone on as it was. */
function announcementAt(
  at: number,
  reply: Reply | undefined,
  verb: string | undefined,
  isSure: boolean,
  { said, replies, entries }: Heard,
): { readonly texts: readonly string[]; readonly must: boolean } | undefined {
  const line = said[at];
  if (!line) return undefined;
  const isAnswer = isSure && reply !== undefined && (reply.code === 227 || reply.code === 229);
  if (isSure && !(isAnswer && (verb === 'PASV' || verb === 'EPSV'))) return undefined;
  const code = isAnswer ? reply.code : codeOfAnnouncement(at, said, replies);
  if (code === undefined) return undefined;
  const places = entries.flatMap((entry): Place[] =>
    entry.what === 'opened' && entry.mode === 'passive' ? [entry.at] : [],
  );
  const texts = places.flatMap((place) => rewritten(line.text, code, place));
  if (!isAnswer) return { texts, must: false };
  const lines = said.slice(reply.first, reply.last + 1);
  const isShort =
    lines.every(({ text }) => text.length <= 8192) &&
    lines.reduce((sum, { text }) => sum + text.length, 0) < 60_000;
  const named = code === 227 || isPlainAnnouncement([line.text], code) ? portsNamed(line.text, code) : [];
  return {
    texts,
    must:
      isShort &&
      named.length > 0 &&
      isPlainAnnouncement(
        lines.map(({ text }) => text),
        code,
      ),
  };
}

/** Where the pairing is not sure: a line of any reply that may be an announcement. */
function codeOfAnnouncement(at: number, said: readonly Line[], { mayBegin }: Replies): number | undefined {
  for (let line = at; line >= 0 && line > at - 200; line--) {
    const code = /^22[79]/.exec(said[line]?.text ?? '')?.[0];
    if (code !== undefined && mayBegin[line]) return Number(code);
  }
  return undefined;
}

/** The relay's own reply in the place of one that can't be. */
function* inItsPlace(
  point: Point,
  got: Line,
  reply: Reply,
  verb: string | undefined,
  isSure: boolean,
  { said, facts, entries }: Heard,
): Generator<Point> {
  const { text } = got;
  const behind: Point = { ...point, line: reply.last + 1 };
  const isTransfer = !isSure || (verb !== undefined && transferVerbs.has(verb));
  const isTaken = entries.some((entry, index) => entry.what === 'taken' && index < got.at);
  if (text === beginRefused && reply.code < 200 && isTransfer && isTaken) yield { ...behind, owed: true };
  // Of a server that keeps to no RFC, what is no refusal is taken for a success.
  const isSuccess = reply.code >= 200 && reply.code < (isSure ? 300 : 400);
  if (text === notDelivered && isSuccess && isTransfer && isTaken) yield behind;
  const isAnnouncement = reply.code === 227 || reply.code === 229;
  const lines = said.slice(reply.first, reply.last + 1).map((each) => each.text);
  const ports = lines.flatMap((each) => portsNamed(each, reply.code));
  const isForbidden = ports.some((port) => !isPortAllowed(port, facts.denyPorts));
  if (
    noPinhole.test(text) &&
    isAnnouncement &&
    isForbidden &&
    (!isSure || verb === 'PASV' || verb === 'EPSV')
  )
    yield behind;
}

/** RFC 4217 section 6: the TLS in the list is the relay's, and not the server's. */
function withOwnTls(lines: readonly Line[]): string[] {
  const texts = lines.map(({ text }) => text);
  const [first = '', ...others] = texts;
  const isOne = texts.length === 1;
  const middle = others
    .slice(0, -1)
    .filter((text) => !/^(?:211-)?\s*(?:AUTH|PBSZ|PROT|CCC)(?:[\s;]|$)/i.test(text));
  const opening = isOne ? `211-${first.slice(4)}` : first;
  return [opening, ...middle, ' AUTH TLS', ' PBSZ', ' PROT', isOne ? '211 End' : (others.at(-1) ?? '')];
}

/** What a client that has seen the end of its session had to get and did not. */
function whatIsMissing(
  point: Point,
  heard: Heard,
  owns: readonly OwnFate[],
  fates: readonly Fate[],
): string | undefined {
  const { entries, said } = heard;
  const isWhole =
    entries.some((entry) => entry.what === 'saw' && entry.side === 'client' && entry.how === 'fin') &&
    !entries.some((entry) => entry.what === 'ended' && entry.how === 'reset') &&
    !fates.some((fate) => fate.kind === 'own' && fate.ends) &&
    !entries.some(({ what }) => what === 'hello' || what === 'opaque');
  if (!isWhole || point.over) return undefined;
  if (beginsBinary(entries)) return undefined;
  const end = point.owed ? (afterOwed(point, heard)?.line ?? point.line) : point.line;
  if (Math.max(end, point.line) < said.length) {
    return `the client never got the server's ${JSON.stringify(said[point.line]?.text.slice(0, 200))}`;
  }
  const own = owns[point.own];
  if (own && heard.pairing.isExact && isItsTurn(point, own, heard)) {
    return `the client never got the relay's ${JSON.stringify(own.replies.join(' or '))}`;
  }
  return undefined;
}
