/** What may become of the lines of a client: which of them the server gets, as what, and which the relay answers. */
import type { Entry, Facts, Place } from '../transcript.ts';
import { bare, isAllowed, isOtherProtocol, read, readEprt, readPort, type Reading } from './commands.ts';
import type { Line } from './lines.ts';
import type { Pairing, State } from './pairing.ts';

/** One thing that may become of a line. */
type Way =
  | { readonly kind: 'pass'; readonly text: string }
  /** PORT or EPRT, with other numbers. */
  | {
      readonly kind: 'announce';
      readonly before: string;
      readonly after: string;
      readonly to: Place;
      readonly verb: 'PORT' | 'EPRT';
    }
  /** The client gets one of these from the relay. */
  | { readonly kind: 'own'; readonly replies: readonly string[]; readonly ends?: boolean };

/** What has become of a line. */
export type Fate =
  | { readonly kind: 'passed'; readonly out: number; readonly announced?: Announced }
  | {
      readonly kind: 'own';
      readonly replies: readonly string[];
      readonly ends: boolean;
      readonly after: number;
    }
  /** It was not read any more, or was lost with the connection to the server. */
  | { readonly kind: 'unread' };

/** A data port of the client that the server was told of as one of the relay's. */
interface Announced {
  readonly to: Place;
  readonly at: Place;
}

export interface Known {
  readonly facts: Facts;
  readonly entries: readonly Entry[];
  readonly pairing: Pairing;
  /** By the index of a client's line: how many replies the client had seen when it had said it. */
  readonly seen: readonly number[];
  /** By the index of an entry: how many replies the server had ended before it. */
  readonly saidBefore: (entry: number) => number;
}

const wholeSynch = '\xff\xf4\xff\xf2';
const mechanisms: ReadonlySet<string> = new Set(['TLS', 'TLS-C', 'SSL', 'TLS-P']);
const unserved: ReadonlySet<string> = new Set(['LPRT', 'LPSV', 'SPSV', 'CPSV', 'ESTA', 'ESTP']);
const setUps: ReadonlySet<string> = new Set(['PORT', 'EPRT', 'PASV', 'EPSV', ...unserved]);
const logins: ReadonlySet<string> = new Set(['USER', 'PASS', 'ACCT']);
const longest = 8192;
/** How many readings of one dialogue are tried. */
const most = 40;

const own = (...replies: string[]): Way => ({ kind: 'own', replies });
const ending = (...replies: string[]): Way => ({ kind: 'own', replies, ends: true });

/**
 * Every way to read the server's lines as the client's, each by the fate of each line of the client; at most a few. None:
 * the server got something that the client did not say.
 */
export function* fatesOf(said: readonly Line[], got: readonly Line[], known: Known): Generator<Fate[]> {
  const dead = new Set<number>();
  const fates: Fate[] = [];
  let count = 0;
  const width = got.length + 1;
  const isCut = wasCut(known.entries);
  function* from(line: number, out: number): Generator<Fate[]> {
    if (count >= most || dead.has(line * width + out)) return;
    const before = count;
    const next = said[line];
    if (next && next.end !== '') {
      for (const { fate, ends } of stepsOf(next, line, got[out], out, known)) {
        fates.push(fate);
        const isOut = fate.kind === 'passed';
        if (ends) yield* rest(line + 1, out);
        else yield* from(line + 1, isOut ? out + 1 : out);
        fates.pop();
      }
    }
    if (next && next.end !== '' && out === got.length && isCut) {
      // It may have been on its way when the server was gone.
      fates.push({ kind: 'unread' });
      yield* from(line + 1, out);
      fates.pop();
    }
    yield* rest(line, out);
    if (count === before) dead.add(line * width + out);
  }
  function* rest(line: number, out: number): Generator<Fate[]> {
    const left = got[out];
    // A line leaves whole, but where the connection was cut while it was on its way.
    if (out < got.length && !(out === got.length - 1 && left?.end === '' && isCut)) return;
    count++;
    const unread: Fate[] = said.slice(line).map(() => ({ kind: 'unread' }));
    yield [...fates, ...unread];
  }
  yield* from(0, 0);
}

function wasCut(entries: readonly Entry[]): boolean {
  return entries.some((entry) => (entry.what === 'ended' || entry.what === 'saw') && entry.how === 'reset');
}

/** The first line of the server's that no line of the client's explains, for people. */
export function farthest(said: readonly Line[], got: readonly Line[], known: Known): string {
  let best = 0;
  const visited = new Set<string>();
  const walk: [number, number][] = [[0, 0]];
  for (let at = walk.pop(); at; at = walk.pop()) {
    const [line, out] = at;
    best = Math.max(best, out);
    const next = said[line];
    if (visited.has(`${line} ${out}`) || !next || next.end === '') continue;
    visited.add(`${line} ${out}`);
    for (const { fate } of stepsOf(next, line, got[out], out, known)) {
      walk.push([line + 1, fate.kind === 'passed' ? out + 1 : out]);
    }
  }
  return JSON.stringify(got[best]?.text.slice(0, 200) ?? '(nothing)');
}

interface Step {
  readonly fate: Fate;
  readonly ends: boolean;
}

function stepsOf(line: Line, index: number, out: Line | undefined, at: number, known: Known): Step[] {
  const steps: Step[] = [];
  const replies: string[] = [];
  for (const way of waysOf(line, index, out, at, known)) {
    if (way.kind === 'own') {
      if (way.ends) steps.push(answered(way.replies, at, true));
      else replies.push(...way.replies);
    } else if (out?.end === '\r\n' && out.at > line.begun) {
      if (way.kind === 'pass' && out.text === way.text) {
        steps.push({ fate: { kind: 'passed', out: at }, ends: false });
      }
      const place = way.kind === 'announce' ? placeIn(way, out, known) : undefined;
      if (way.kind === 'announce' && place) {
        steps.push({ fate: { kind: 'passed', out: at, announced: { to: way.to, at: place } }, ends: false });
      }
    }
  }
  // Which of them it was the client's side tells.
  if (replies.length > 0) steps.push(answered(replies, at, false));
  return steps;
}

function answered(replies: readonly string[], after: number, ends: boolean): Step {
  return { fate: { kind: 'own', replies, ends, after }, ends };
}

/** The place that a rewritten PORT or EPRT names: where the relay waits for the server on behalf of this client. */
function placeIn(
  { before, after, verb, to }: Way & { readonly kind: 'announce' },
  out: Line,
  { facts, entries }: Known,
): Place | undefined {
  const { text } = out;
  if (!text.startsWith(before) || !text.endsWith(after) || text.length < before.length + after.length)
    return undefined;
  const numbers = text.slice(before.length, text.length - after.length);
  const place = verb === 'PORT' ? readPort(numbers) : readEprt(numbers);
  if (typeof place !== 'object' || place.address !== facts.inside) return undefined;
  const isOpened = entries.some(
    (entry, index) =>
      entry.what === 'opened' &&
      index < out.at &&
      entry.mode === 'active' &&
      entry.at.port === place.port &&
      entry.to.port === to.port &&
      entry.to.address === to.address,
  );
  return isOpened ? place : undefined;
}

function* waysOf(
  line: Line,
  index: number,
  out: Line | undefined,
  outIndex: number,
  known: Known,
): Generator<Way> {
  const { text } = line;
  const reading = read(text);
  const { verb } = reading;
  const { facts } = known;
  const isOther = index === 0 ? isOtherProtocol(reading, text) : 'no';
  if (isOther !== 'no') yield ending('421 ');
  if (isOther === 'must') return;
  if (text.length > longest) {
    yield index === 0 ? ending('421 ') : own('500 Line too long.');
    return;
  }
  const broken = [
    ...(text.includes('\0') ? ['500 A command cannot contain a NUL byte.'] : []),
    ...(text.includes('\r') ? ['500 A command cannot contain a CR without an LF.'] : []),
  ];
  if (broken.length > 0) {
    yield own(...broken);
    return;
  }
  if (verb.includes('\xff')) {
    yield own('500 Command not understood.');
    return;
  }
  if (setUps.has(verb)) {
    yield* waysOfSetUp(line, reading, index, out, outIndex, known);
    return;
  }
  const ofTls = waysOfTls(reading, index, known);
  if (ofTls) {
    yield* ofTls;
    if (facts.tls !== 'pass' || verb !== 'AUTH') return;
  }
  if (verb === 'ABOR' && reading.telnet !== '') {
    const whole = text.startsWith(wholeSynch) ? text : wholeSynch + reading.plain;
    yield { kind: 'pass', text: whole };
    // Its last byte may have gone as urgent data, which is not read in line.
    yield { kind: 'pass', text: whole.replace('\xf2', '') };
    return;
  }
  const { text: argument, before, after } = bare(reading);
  if (verb === 'HOST' && (argument === facts.relay || argument === `[${facts.relay}]`)) {
    yield { kind: 'pass', text: `${before}${facts.server}${after}` };
    return;
  }
  yield { kind: 'pass', text };
}

function* waysOfSetUp(
  { text }: Line,
  reading: Reading,
  index: number,
  out: Line | undefined,
  outIndex: number,
  known: Known,
): Generator<Way> {
  const { verb } = reading;
  const { pairing, facts, seen } = known;
  const least = seen[index] ?? 0;
  const states = pairing.states.slice(least);
  // What is still to be said of a log in is waited for.
  const lastLogin = pairing.commands.slice(0, outIndex).findLastIndex((each) => logins.has(each.verb));
  const isOutside = ({ loggedIn, isExact, answered }: State): boolean =>
    loggedIn !== 'yes' && (!isExact || (answered > lastLogin && answered >= 0));
  if (states.some(isOutside)) yield own('530 Please login with USER and PASS.');
  const isInside = ({ loggedIn }: State): boolean => loggedIn !== 'no';
  const inside = states.filter(isInside);
  if (inside.length === 0) return;
  if (unserved.has(verb)) {
    yield own(`502 ${verb} not implemented; use EPRT or EPSV.`);
    return;
  }
  if (verb !== 'EPSV' && inside.some(({ epsvAll }) => epsvAll !== 'no')) {
    yield own(`501 ${verb} not allowed after EPSV ALL.`);
  }
  if (verb !== 'EPSV' && inside.every(({ epsvAll }) => epsvAll === 'yes')) return;
  // What the relay knew when it passed the line on, the server had said before it got that.
  const known_ = out && pairing.states.slice(least, known.saidBefore(out.at) + 1).some(isInside);
  if (verb === 'PASV' || verb === 'EPSV') {
    if (known_) yield { kind: 'pass', text };
    return;
  }
  const { text: argument, before, after } = bare(reading);
  if (verb === 'PORT') {
    const place = readPort(argument);
    if (!place) yield own('501 Illegal PORT command: expected six numbers from 0 to 255.');
    else if (!isAllowed(place, facts)) yield own('500 Illegal PORT command');
    else if (known_) yield { kind: 'announce', before, after, to: place, verb };
    return;
  }
  const place = readEprt(argument);
  const illegal = '501 Illegal EPRT command: expected |protocol|address|port|.';
  const foreign = '522 Network protocol not supported, use (1)';
  if (place === undefined) yield own(illegal);
  else if (place === 'unserved') yield own(foreign);
  else if (place === 'odd') yield own(illegal, foreign, '500 Illegal EPRT command');
  else if (!isAllowed(place, facts)) yield own('500 Illegal EPRT command');
  else if (known_) yield { kind: 'announce', before, after, to: place, verb: 'EPRT' };
}

/** RFC 4217 and docs/ftps.md; undefined for what has nothing to do with TLS. */
function waysOfTls(
  { verb, argument }: Reading,
  index: number,
  { facts, entries, seen, pairing }: Known,
): Way[] | undefined {
  const mechanism = argument.trim().toUpperCase();
  const hasHello = entries.some(({ what }) => what === 'hello');
  if (verb === 'AUTH' && facts.tls === 'refuse') {
    return [
      own(
        mechanisms.has(mechanism)
          ? '534 TLS is not available through this relay.'
          : '504 Unknown AUTH mechanism.',
      ),
    ];
  }
  const pipelined = ending('503 No command may follow this one before its reply.');
  if (verb === 'AUTH') {
    const states = pairing.states.slice(seen[index] ?? 0);
    const canBegin = states.some(({ loggedIn }) => loggedIn !== 'yes');
    const always = [own('503 TLS is already in use.', '503 AUTH must come before USER.'), pipelined];
    if (!mechanisms.has(mechanism)) return [...always, own('504 Unknown AUTH mechanism; use AUTH TLS.')];
    if (facts.tls === 'terminate' && canBegin) return [...always, own('234 Proceed with the TLS handshake.')];
    return always;
  }
  if (facts.tls !== 'terminate') return undefined;
  if (verb === 'REIN')
    return hasHello ? [own('502 REIN not implemented with TLS; reconnect instead.')] : undefined;
  const outside = `503 ${verb} requires AUTH TLS first.`;
  if (verb !== 'PBSZ' && verb !== 'PROT' && verb !== 'CCC') return undefined;
  if (!hasHello) return [own(outside)];
  switch (verb) {
    case 'CCC':
      return [own(outside, '533 The control connection must stay protected.')];
    case 'PBSZ':
      return [
        own(
          outside,
          /^\d{1,10}$/.test(mechanism) ? '200 PBSZ=0' : '501 Illegal PBSZ command: expected a number.',
        ),
      ];
    case 'PROT':
      return [own(outside, '503 PROT requires PBSZ 0 first.', answerToProt(mechanism))];
  }
}

function answerToProt(level: string): string {
  if (level === 'P') return '200 Data connections will be protected.';
  if (level === 'C') return '200 Data connections will be in the clear.';
  return level === 'S' || level === 'E'
    ? '536 Protection level not supported with TLS; use PROT P or PROT C.'
    : '504 Unknown protection level; use PROT P or PROT C.';
}
