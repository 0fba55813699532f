/**
 * What a dialogue through the relay may be: slow and plain, made from RFC 959, 1123, 2228, 2389, 2428 and 4217 and from
 * docs/what-it-does.md, and from no line of src. It looks at what the two peers said and heard, and at what the relay says
 * that it opened; what it can't know (what the relay had read when it decided) it allows both ways.
 */
import { linesOf, type Line } from './model/lines.ts';
import { complaintOfData } from './model/data.ts';
import { pair } from './model/pairing.ts';
import { complaintsOfPinholes } from './model/pinholes.ts';
import { repliesOf } from './model/replies.ts';
import { whatIsWrong, type Heard } from './model/towards-client.ts';
import { farthest, fatesOf, type Fate, type Known } from './model/towards-server.ts';
import type { Complaint, Entry, Transcript } from './transcript.ts';

export function judge(transcript: Transcript): Complaint[] {
  const { entries, data } = transcript;
  const opaque = entries.findIndex(({ what }) => what === 'opaque');
  const ofData = complaintOfData(data);
  const isOpen =
    entries.some(({ what }) => what === 'session-opened') &&
    !entries.some(({ what }) => what === 'session-closed');
  return [
    ...(isOpen
      ? [{ property: 1 as const, words: 'both peers are gone, and the session has not ended' }]
      : []),
    ...(ofData === undefined ? [] : [{ property: 3 as const, words: ofData }]),
    ...(opaque === -1 ? judgeDialogue(transcript) : judgeOpaque(transcript, opaque)),
  ];
}

/** The mark that each of the scripted server's replies ends with, and that no other has. */
const mark = /~[a-z]+~/;

function judgeDialogue({ facts, entries }: Transcript): Complaint[] {
  const clientLines = linesOf(entries, 'sent', 'client');
  const serverGot = linesOf(entries, 'got', 'server');
  const serverLines = linesOf(entries, 'sent', 'server');
  const clientGot = linesOf(entries, 'got', 'client');
  const replies = repliesOf(serverLines);
  const pairing = pair(serverGot, serverLines, replies);

  const seenAt = whenSeen(
    serverLines,
    clientGot,
    replies.whole.map(({ last }) => last),
  );
  const seenBefore = (entry: number): number =>
    seenAt.findLastIndex((at) => at !== undefined && at < entry) + 1;
  const known: Known = {
    facts,
    entries,
    pairing,
    seen: clientLines.map(({ at }) => seenBefore(at)),
    saidBefore: (entry) => {
      const isUnsure = (serverLines[replies.sureUntil]?.begun ?? Infinity) < entry;
      return isUnsure ? pairing.states.length : replies.whole.filter(({ at }) => at < entry).length;
    },
  };
  const heard: Heard = { entries, facts, said: serverLines, replies, pairing, got: clientGot };

  let best: Judgement | undefined;
  for (const fates of fatesOf(clientLines, serverGot, known)) {
    const judgement = judgeFates(fates, heard, clientLines, seenBefore);
    if (judgement.complaints.length === 0) return [];
    if (!best || judgement.from > best.from) best = judgement;
  }
  const unexplained = `the server got ${farthest(clientLines, serverGot, known)}, which no line of the client explains`;
  return best?.complaints ?? [{ property: 3, words: unexplained }];
}

/** What one reading of a dialogue comes to, and up to which line of the client's it holds. */
interface Judgement {
  readonly complaints: Complaint[];
  readonly from: number;
}

function judgeFates(
  fates: readonly Fate[],
  heard: Heard,
  clientLines: readonly Line[],
  seenBefore: (entry: number) => number,
): Judgement {
  const wrong = whatIsWrong(heard, fates);
  const { facts, entries, pairing, replies, said } = heard;
  const agreed = { facts, entries, pairing, replies, serverLines: said, clientLines, fates, seenBefore };
  const complaints = complaintsOfPinholes(agreed);
  if (wrong) complaints.unshift({ property: 3, words: wrong.words });
  return { complaints, from: wrong?.from ?? Infinity };
}

/** When the client had the last line of each reply, as far as its mark tells. */
function whenSeen(
  said: readonly Line[],
  got: readonly Line[],
  lasts: readonly number[],
): (number | undefined)[] {
  const times = new Map(
    got.flatMap(({ text, at }) => {
      const [found] = mark.exec(text) ?? [];
      return found === undefined ? [] : [[found, at] as const];
    }),
  );
  return lasts.map((last) => {
    const [found] = mark.exec(said[last]?.text ?? '') ?? [];
    return found === undefined ? undefined : times.get(found);
  });
}

/** Behind an AUTH that was passed on the bytes are the two peers' alone, and none is changed. */
function judgeOpaque({ facts, entries, data }: Transcript, opaque: number): Complaint[] {
  const before = entries.slice(0, opaque);
  const behind = entries.slice(opaque);
  const complaints: Complaint[] = [];
  // What the relay had not read yet when it passed the 234 on, the client has said to the server alone.
  const [, unreadByRelay = ''] =
    /AUTH[^\n]*\n(?![^]*AUTH[^\n]*\n)([^]*)$/i.exec(textOf(before, 'sent', 'client')) ?? [];
  const saidToServer = unreadByRelay + textOf(behind, 'sent', 'client');
  if (!saidToServer.startsWith(textOf(behind, 'got', 'server'))) {
    complaints.push({ property: 3, words: 'the server got other bytes than the client sent behind AUTH' });
  }
  // The client may read later what was for it before that, and the 234 behind which all is the server's.
  const lines = linesOf(before, 'sent', 'server');
  const consent = lines.findLastIndex(({ text }) => text.startsWith('234'));
  const held = lines.slice(consent).map(({ text, end }) => text + end);
  const heard = textOf(entries, 'got', 'client');
  const at = heard.lastIndexOf(held[0] ?? '');
  const rest = at === -1 ? '' : heard.slice(at);
  if (!(held.join('') + textOf(behind, 'sent', 'server')).startsWith(rest)) {
    complaints.push({ property: 3, words: 'the client got other bytes than the server sent behind AUTH' });
  }
  const late = heard.slice(textOf(before, 'got', 'client').length, at === -1 ? heard.length : at);
  const clear: Entry[] = late === '' ? before : [...before, { what: 'got', side: 'client', text: late }];
  const ofClear = judgeDialogue({ facts, data, entries: clear });
  // A pinhole of the time before that may be taken, or go, behind it.
  return [...complaints, ...ofClear.filter(({ property }) => property !== 5)];
}

function textOf(entries: readonly Entry[], what: 'sent' | 'got', side: 'client' | 'server'): string {
  return entries.map((entry) => (entry.what === what && entry.side === side ? entry.text : '')).join('');
}
