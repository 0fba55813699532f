/**
 * Where the design decides otherwise than the kernel's helper does, and in what way that shows. A case of the corpus
 * names one of these where it differs; that it differs then, and so, is checked.
 */
export interface Decision {
  /** Of DESIGN.md. */
  readonly number: string;
  readonly words: string;
  /** What may become of it with the helper and with Pinhole, as judge.ts says it. */
  readonly ways: readonly `${HelperKind} / ${PinholeKind}`[];
  /** Only the bytes differ: the same connections are let through to the same places. */
  readonly bytesAlone?: true;
}

type HelperKind = 'held up' | 'opens' | 'passes';
type PinholeKind = 'opens' | 'passes' | 'closes' | `refuses ${number}`;

export type DecisionName =
  | 'delimiter kept'
  | 'LF ends a line'
  | 'CRLF sent on'
  | 'overlong line'
  | 'NUL or CR within'
  | 'hidden command'
  | 'split line'
  | 'many in one segment'
  | 'before login'
  | 'exact form'
  | 'no such command'
  | 'every delimiter'
  | 'other address'
  | 'port below 1024'
  | 'protocol not served'
  | 'refused by the server'
  | 'EPSV ALL'
  | 'HTTP'
  | 'AUTH'
  | 'not the answer'
  | 'where clients find it'
  | 'no use to a client'
  | "server's own address"
  | 'port of the range'
  | 'gone with its session'
  | "server's own name";

const decisions: Readonly<Record<DecisionName, Decision>> = {
  'delimiter kept': {
    number: '1',
    words: 'bytes are kept, only numbers are replaced: the helper writes every delimiter as |',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'LF ends a line': {
    number: '2',
    words: 'a line ends at LF: the helper drops a PORT without CR',
    ways: ['held up / opens'],
  },
  'CRLF sent on': {
    number: '2',
    words: 'CRLF is what is sent on',
    ways: ['passes / passes', 'opens / opens'],
    bytesAlone: true,
  },
  'overlong line': {
    number: '2',
    words: 'a line of over 8 KiB announces nothing: a command gets 500, a reply goes on as it is',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'held up / passes', 'opens / passes'],
  },
  'NUL or CR within': {
    number: '2',
    words: 'NUL, and CR within a line, get 500: servers differ in where they end the line',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'opens / refuses 500'],
  },
  'hidden command': {
    number: '2',
    words: 'Telnet sequences, blanks, tabs and other names do not hide a command that servers would take',
    ways: ['passes / opens', 'held up / opens', 'passes / refuses 500'],
  },
  'split line': {
    number: '3',
    words: 'a line may come split anywhere: the helper drops the beginning of one',
    ways: ['held up / opens'],
  },
  'many in one segment': {
    number: '3',
    words: 'lines may come many in one segment: the helper sees the first alone',
    ways: ['passes / opens', 'opens / opens'],
  },
  'before login': {
    number: '4',
    words: 'nothing is opened before a login: 530',
    ways: ['passes / refuses 530', 'opens / refuses 530'],
  },
  'exact form': {
    number: '5',
    words: 'PORT and EPRT are read to the letter, 501: the helper drops the packet, or lets numbers wrap',
    ways: ['held up / refuses 501', 'opens / refuses 501', 'passes / refuses 501'],
  },
  'no such command': {
    number: '5',
    words: 'what only begins with PORT or EPRT is another command',
    ways: ['held up / passes', 'opens / passes'],
  },
  'every delimiter': {
    number: '5',
    words: 'every delimiter of RFC 2428, also one that stands in the address',
    ways: ['held up / opens'],
  },
  'other address': {
    number: '5',
    words: "the address must be the client's own, 500: the helper passes another one on to the server",
    ways: ['passes / refuses 500', 'opens / refuses 500'],
  },
  'port below 1024': {
    number: '5',
    words: 'the port must not be below 1024, 500',
    ways: ['opens / refuses 500'],
  },
  'protocol not served': {
    number: '5',
    words: 'a protocol that is not served gets 522, or 502 where it has its own command',
    ways: ['held up / refuses 522', 'passes / refuses 502', 'opens / refuses 502'],
  },
  'refused by the server': {
    number: '6',
    words: 'a PORT that the server refuses opens nothing',
    ways: ['opens / passes'],
  },
  'EPSV ALL': {
    number: '7',
    words: 'after EPSV ALL the others get 501',
    ways: ['opens / refuses 501'],
  },
  HTTP: {
    number: '8',
    words: 'a session that begins with HTTP is closed',
    ways: ['passes / closes', 'opens / closes'],
  },
  AUTH: {
    number: 'TLS',
    words: 'AUTH gets 534',
    ways: ['passes / refuses 534'],
  },
  'not the answer': {
    number: '9',
    words: 'a 227 or 229 counts only as the first answer to PASV or EPSV',
    ways: ['opens / passes', 'opens / opens'],
  },
  'where clients find it': {
    number: '10',
    words:
      'a 227 or 229 is read wherever a common client would find it: the helper drops it, or passes it on',
    ways: ['held up / opens', 'passes / opens', 'opens / opens'],
  },
  'no use to a client': {
    number: '10',
    words: 'what no client would act on goes on unchanged: the helper drops it, or lets numbers wrap',
    ways: ['held up / passes', 'opens / passes'],
  },
  "server's own address": {
    number: '11',
    words:
      'the server is known, whatever address it announces: the helper passes another one on to the client',
    ways: ['passes / opens'],
  },
  'port of the range': {
    number: '12',
    words: 'the port is one of the range, and one that no pending pinhole has',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'gone with its session': {
    number: '13',
    words:
      "an expectation ends with its session: the helper's stays as long as the kernel remembers that, two minutes",
    ways: ['opens / passes'],
  },
  "server's own name": {
    number: '20',
    words: 'HOST names the address that the client would have dialled without a gateway',
    ways: ['passes / passes'],
    bytesAlone: true,
  },
};

export const decisionNames: readonly DecisionName[] = Object.keys(decisions) as DecisionName[];

export function decisionOf(name: DecisionName): Decision {
  return decisions[name];
}
