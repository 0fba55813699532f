/**
 * Where the design decides otherwise than the kernel's helper does, and in what way that shows. A case of the corpus
 * names one of these where it differs; that it differs then, and so, is checked.
 */
export interface Decision {
  /** The design's. */
  readonly number: string;
  /** What each does, in words for the table and the docs. */
  readonly helper: string;
  readonly pinhole: string;
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
  | 'blanks around'
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
  | 'port of a service'
  | 'gone with its session'
  | "server's own name";

const decisions: Readonly<Record<DecisionName, Decision>> = {
  'delimiter kept': {
    number: '1',
    helper: 'writes every delimiter of an EPRT and a 229 as `|`',
    pinhole: 'keeps it',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'LF ends a line': {
    number: '2',
    helper: 'drops a PORT that ends in LF alone',
    pinhole: 'takes it',
    ways: ['held up / opens'],
  },
  'CRLF sent on': {
    number: '2',
    helper: 'passes a line with LF alone on as it is',
    pinhole: 'sends CRLF on',
    ways: ['passes / passes', 'opens / opens'],
    bytesAlone: true,
  },
  'overlong line': {
    number: '2',
    helper: 'looks at the first segment of a long line alone',
    pinhole:
      'answers a command of more than 8 KiB with 500; a reply of more goes on as it is and opens nothing',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'held up / passes', 'opens / passes'],
  },
  'NUL or CR within': {
    number: '2',
    helper: 'passes a command with a NUL or a CR in it on, drops it, or opens what stands before it',
    pinhole: 'answers 500, as servers differ in where such a line ends',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'opens / refuses 500'],
  },
  'hidden command': {
    number: '2',
    helper:
      'does not see a PORT behind a blank, a tab or Telnet bytes, nor P@RT; drops one with a tab or Telnet bytes in it',
    pinhole: 'sees what servers would see',
    ways: ['passes / opens', 'held up / opens', 'passes / refuses 500'],
  },
  'split line': {
    number: '3',
    helper:
      'drops the first segment of a PORT, EPRT, 227 or 229 that comes in several, and one that only might be, as P of PASV',
    pinhole: 'puts the line together',
    ways: ['held up / opens'],
  },
  'many in one segment': {
    number: '3',
    helper: 'sees the first line of a segment alone: a PORT, 227 or 229 behind it goes on as it is',
    pinhole: 'sees each line',
    ways: ['passes / opens', 'opens / opens'],
  },
  'before login': {
    number: '4',
    helper: 'opens before a login',
    pinhole: 'answers 530',
    ways: ['passes / refuses 530', 'opens / refuses 530'],
  },
  'exact form': {
    number: '5',
    helper:
      'drops a PORT or EPRT that it can not read, so that the client hangs; lets numbers over 255 and ports over 65535 wrap',
    pinhole: 'reads it to the letter of the RFC, and answers 501',
    ways: ['held up / refuses 501', 'opens / refuses 501', 'passes / refuses 501'],
  },
  'blanks around': {
    number: '5',
    helper: 'drops a PORT with blanks around its numbers, and an EPRT with blanks before them',
    pinhole: 'takes it, as servers do',
    ways: ['held up / opens'],
  },
  'no such command': {
    number: '5',
    helper: 'takes each word that begins with PORT or EPRT for it',
    pinhole: 'passes it on, for the server to refuse',
    ways: ['held up / passes', 'opens / passes'],
  },
  'every delimiter': {
    number: '5',
    helper: 'drops an EPRT whose delimiter stands in its address too',
    pinhole: 'takes it',
    ways: ['held up / opens'],
  },
  'other address': {
    number: '5',
    helper: "passes a PORT or EPRT with another address than the client's on to the server",
    pinhole: 'answers 500',
    ways: ['passes / refuses 500', 'opens / refuses 500'],
  },
  'port below 1024': {
    number: '5',
    helper: "opens for a client's port below 1024",
    pinhole: 'answers 500',
    ways: ['opens / refuses 500'],
  },
  'protocol not served': {
    number: '5',
    helper: 'drops an EPRT of the other family; passes LPRT, LPSV, SPSV and CPSV on',
    pinhole: 'answers 522, or 502',
    ways: ['held up / refuses 522', 'passes / refuses 502', 'opens / refuses 502'],
  },
  'refused by the server': {
    number: '6',
    helper: 'opens for a PORT or EPRT whatever the server answers',
    pinhole: 'opens when the server has accepted it',
    ways: ['opens / passes'],
  },
  'EPSV ALL': {
    number: '7',
    helper: 'does not know EPSV ALL',
    pinhole: 'answers a PORT, EPRT or PASV behind it with 501',
    ways: ['opens / refuses 501'],
  },
  HTTP: {
    number: '8',
    helper: "lets a browser's request open a port of the browser's host (NAT slipstreaming)",
    pinhole: 'closes a session that begins with HTTP',
    ways: ['passes / closes', 'opens / closes'],
  },
  AUTH: {
    number: 'TLS',
    helper: 'passes AUTH on, and is blind from then on',
    pinhole: 'answers 534',
    ways: ['passes / refuses 534'],
  },
  'not the answer': {
    number: '9',
    helper: 'takes a 227 or 229 wherever a line with it begins a segment, also within another reply',
    pinhole: 'takes the first answer to a PASV or EPSV alone',
    ways: ['opens / passes', 'opens / opens'],
  },
  'where clients find it': {
    number: '10',
    helper:
      'drops, or passes on, a 227 with blanks or other digits or of several lines, and a 229 without parentheses, with filled fields, or with other delimiters or blanks around its port',
    pinhole: 'reads it wherever a common client would',
    ways: ['held up / opens', 'passes / opens', 'opens / opens'],
  },
  'no use to a client': {
    number: '10',
    helper: 'drops a 227 or 229 that no client can use, or lets its numbers wrap',
    pinhole: 'passes it on as it is, opens nothing and logs it',
    ways: ['held up / passes', 'opens / passes'],
  },
  "server's own address": {
    number: '11',
    helper: "passes a 227 with another address than the server's own on to the client",
    pinhole: 'announces the gateway, and leads to the server',
    ways: ['passes / opens'],
  },
  'port of the range': {
    number: '12',
    helper: "announces the server's port",
    pinhole: 'announces a port of the range that no pending pinhole has',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'port of a service': {
    number: '25',
    helper: 'leads a client to any port that the server names',
    pinhole: 'answers 425 where that is below 1024, or denied',
    ways: ['opens / passes'],
  },
  'gone with its session': {
    number: '13',
    helper:
      'keeps an expectation for the two minutes in which the kernel remembers the connection that it came from',
    pinhole: 'ends it with the session',
    ways: ['opens / passes'],
  },
  "server's own name": {
    number: '20',
    helper: "passes HOST with the gateway's address on",
    pinhole: "names the server's address",
    ways: ['passes / passes'],
    bytesAlone: true,
  },
};

export const decisionNames: readonly DecisionName[] = Object.keys(decisions) as DecisionName[];

export function decisionOf(name: DecisionName): Decision {
  return decisions[name];
}
