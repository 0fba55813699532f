/** Which pinholes a dialogue allows, and how many at a time. */
import type { Complaint, Entry, Facts, Place } from '../transcript.ts';
import type { Line } from './lines.ts';
import { isAllowed, isPortAllowed, read, readEprt, readPort, bare } from './commands.ts';
import type { Pairing } from './pairing.ts';
import { portsNamed, type Replies, type Reply } from './replies.ts';
import type { Fate } from './towards-server.ts';

export interface Agreed {
  readonly facts: Facts;
  readonly entries: readonly Entry[];
  readonly pairing: Pairing;
  readonly replies: Replies;
  readonly serverLines: readonly Line[];
  readonly clientLines: readonly Line[];
  readonly fates: readonly Fate[];
  /** By the index of an entry: how many replies the client has seen whole. */
  readonly seenBefore: (entry: number) => number;
}

type Opened = Entry & { readonly what: 'opened' };

const same = (one: Place, other: Place): boolean => one.address === other.address && one.port === other.port;
const words = ({ address, port }: Place): string => `${address}:${port}`;
const isIn = (port: number, [first, last]: readonly [number, number]): boolean =>
  port >= first && port <= last;

export function complaintsOfPinholes(agreed: Agreed): Complaint[] {
  return [...unagreed(agreed), ...dialledTooEarly(agreed), ...tooMany(agreed), ...leftOver(agreed)].map(
    ([property, text]) => ({ property, words: text }),
  );
}

type Found = readonly [property: 4 | 5, text: string];

function* unagreed(agreed: Agreed): Generator<Found> {
  const passive: Opened[] = [];
  const usedReplies = new Set<number>();
  let actives = 0;
  const { facts, fates, entries } = agreed;
  const announced = fates.flatMap((fate) =>
    fate.kind === 'passed' && fate.announced ? [fate.announced] : [],
  );
  const unread = unreadPlaces(agreed);
  for (const [at, entry] of entries.entries()) {
    if (entry.what !== 'opened') continue;
    const [peer, near, ports] =
      entry.mode === 'passive'
        ? [facts.client, facts.relay, facts.passivePorts]
        : [facts.server, facts.inside, facts.activePorts];
    if (entry.peer !== peer || entry.at.address !== near || !isIn(entry.at.port, ports)) {
      yield [4, `a pinhole for ${entry.peer} at ${words(entry.at)}, which is neither's`];
    }
    if (entry.mode === 'active') {
      const one = announced[actives++];
      const isOf = one
        ? same(one.to, entry.to) && same(one.at, entry.at)
        : unread.some((each) => same(each, entry.to));
      if (!isOf || !isAllowed(entry.to, facts)) {
        yield [4, `an active pinhole to ${words(entry.to)} that no PORT or EPRT has asked for`];
      }
    } else {
      passive.push(entry);
      if (!isAnnounced(entry, at, usedReplies, passive.length, agreed)) {
        yield [
          4,
          `a passive pinhole to ${words(entry.to)} that no 227 or 229 of a PASV or EPSV has announced`,
        ];
      }
    }
  }
}

/** The places of each PORT that the server never got: its session ended while the pinhole was opened, or behind that. */
function unreadPlaces({ fates, clientLines }: Agreed): Place[] {
  return clientLines.flatMap(({ text }, index) => {
    if (fates[index]?.kind !== 'unread') return [];
    const reading = read(text);
    const argument = bare(reading).text;
    const place = reading.verb === 'PORT' ? readPort(argument) : readEprt(argument);
    return typeof place === 'object' ? [place] : [];
  });
}

function isAnnounced(
  { to }: Opened,
  at: number,
  used: Set<number>,
  count: number,
  { facts, pairing, replies, serverLines, clientLines, fates }: Agreed,
): boolean {
  if (to.address !== facts.server || !isPortAllowed(to.port, facts.denyPorts)) return false;
  // The relay may read what the client has said before what the server said earlier.
  const asks = clientLines.flatMap((line, index) => {
    const fate = fates[index];
    const command = fate?.kind === 'passed' ? pairing.commands[fate.out] : undefined;
    return command && isAsking(command) && line.at < at ? [line] : [];
  });
  if (asks.length < count) return false;
  for (const [index, reply] of replies.whole.entries()) {
    if (used.has(index) || reply.at >= at || (reply.code !== 227 && reply.code !== 229)) continue;
    const answers = pairing.answers[index];
    const verb = answers === undefined ? undefined : pairing.commands[answers]?.verb;
    if (answers !== undefined && verb !== 'PASV' && verb !== 'EPSV') continue;
    const lines = serverLines.slice(reply.first, reply.last + 1);
    if (!lines.some(({ text }) => portsNamed(text, reply.code).includes(to.port))) continue;
    used.add(index);
    return true;
  }
  // As a reader that an odd reply has led astray finds it.
  return serverLines.some(({ text, begun }, index) => {
    const code = Number(/^22[79]/.exec(text)?.[0]);
    if (begun >= at || !replies.mayBegin[index] || Number.isNaN(code) || index < replies.sureUntil)
      return false;
    return serverLines.slice(index, index + 50).some((line) => portsNamed(line.text, code).includes(to.port));
  });
}

/** Some servers answer EPSV ALL as any other EPSV. */
function isAsking({ verb }: Pairing['commands'][number]): boolean {
  return verb === 'PASV' || verb === 'EPSV';
}

/** A client is dialled when the server has accepted its PORT; in the kernel's hands nobody waits for that. */
function* dialledTooEarly({
  facts,
  entries,
  fates,
  pairing,
  replies,
  serverLines,
}: Agreed): Generator<Found> {
  if (facts.plane === 'kernel') return;
  for (const [at, entry] of entries.entries()) {
    if (entry.what !== 'data-accepted') continue;
    const isAccepted = fates.some((fate) => {
      if (fate.kind !== 'passed' || !fate.announced || !same(fate.announced.to, entry.at)) return false;
      const index = pairing.finals.get(fate.out) ?? -1;
      const answer = replies.whole[index];
      if (answer) return answer.code >= 200 && answer.code < 300 && answer.at < at;
      const asked = pairing.commands[fate.out]?.at ?? at;
      const all = [...replies.whole, ...replies.possible];
      // Where an earlier reply has not ended, the server's consent to the PORT may be the line that ends that one: no line
      // tells whose end it is. A reply that was over before the server had the PORT consents to nothing.
      const isBehind = ({ last }: Reply): boolean => (serverLines[last]?.begun ?? 0) > asked;
      return !pairing.isExact && all.some((each) => each.code < 300 && each.begun < at && isBehind(each));
    });
    if (!isAccepted)
      yield [4, `the client was connected to at ${words(entry.at)} before the server had accepted that`];
  }
}

/** One that is pending, and the one of a PORT whose answer the client has not had yet. */
function* tooMany({ entries, fates, pairing, seenBefore }: Agreed): Generator<Found> {
  const live = new Set<number>();
  const ports = fates.flatMap((fate) => (fate.kind === 'passed' && fate.announced ? [fate.out] : []));
  for (const [at, entry] of entries.entries()) {
    if (entry.what === 'opened') live.add(entry.id);
    else if (entry.what === 'taken' || entry.what === 'closed') live.delete(entry.id);
    else if (entry.what === 'got' && entry.side === 'client') {
      const seen = seenBefore(at);
      const isOutstanding = ports.some((command) => {
        const answer = pairing.finals.get(command) ?? -1;
        return answer === -1 || answer >= seen;
      });
      const most = pairing.isExact && !isOutstanding ? 1 : 2;
      if (live.size > most) yield [5, `${live.size} pinholes of one session are pending`];
    }
    // The new one is there before the old one goes.
    if (live.size > 3) yield [5, `${live.size} pinholes of one session are pending`];
  }
}

function* leftOver({ entries }: Agreed): Generator<Found> {
  const live = new Map<number, Place>();
  const taken = new Set<number>();
  for (const entry of entries) {
    if (entry.what === 'opened') live.set(entry.id, entry.at);
    if (entry.what === 'taken') taken.add(entry.id);
    if (entry.what === 'taken' || entry.what === 'closed') live.delete(entry.id);
    if (entry.what === 'carried' || entry.what === 'closed') taken.delete(entry.id);
  }
  for (const place of live.values()) yield [5, `the pinhole at ${words(place)} has outlived its session`];
  for (const id of taken) yield [5, `the data channel of pinhole ${id} has not ended`];
}
