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
    helper: 'rewrites the delimiter of an EPRT or 229 to `|`',
    pinhole: 'keeps the delimiter',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'LF ends a line': {
    number: '2',
    helper: 'drops a PORT that ends with LF alone',
    pinhole: 'accepts it',
    ways: ['held up / opens'],
  },
  'CRLF sent on': {
    number: '2',
    helper: 'passes on a line that ends with LF alone unchanged',
    pinhole: 'sends CRLF',
    ways: ['passes / passes', 'opens / opens'],
    bytesAlone: true,
  },
  'overlong line': {
    number: '2',
    helper: 'examines only the first segment of a long line',
    pinhole:
      'answers a command over 8 KiB with 500; passes on a reply over 8 KiB unchanged and opens nothing',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'held up / passes', 'opens / passes'],
  },
  'NUL or CR within': {
    number: '2',
    helper: 'passes on a command that contains NUL or CR, drops it, or opens for the part before it',
    pinhole: 'answers 500, because servers disagree where such a line ends',
    ways: ['passes / refuses 500', 'held up / refuses 500', 'opens / refuses 500'],
  },
  'hidden command': {
    number: '2',
    helper:
      'does not recognise a PORT after a space, a tab or Telnet bytes, nor P@RT; drops one that contains a tab or Telnet bytes',
    pinhole: 'recognises what servers would recognise',
    ways: ['passes / opens', 'held up / opens', 'passes / refuses 500'],
  },
  'split line': {
    number: '3',
    helper:
      'drops the first segment of a PORT, EPRT, 227 or 229 that arrives in several, and of anything that might become one, such as the P of PASV',
    pinhole: 'reassembles the line',
    ways: ['held up / opens'],
  },
  'many in one segment': {
    number: '3',
    helper: 'reads only the first line of a segment: a PORT, 227 or 229 after it is passed on unchanged',
    pinhole: 'reads every line',
    ways: ['passes / opens', 'opens / opens'],
  },
  'before login': {
    number: '4',
    helper: 'opens ports before a login',
    pinhole: 'answers 530',
    ways: ['passes / refuses 530', 'opens / refuses 530'],
  },
  'exact form': {
    number: '5',
    helper:
      'drops a PORT or EPRT that it cannot parse, so that the client hangs; wraps numbers over 255 and ports over 65535',
    pinhole: 'follows the RFC to the letter, and answers 501',
    ways: ['held up / refuses 501', 'opens / refuses 501', 'passes / refuses 501'],
  },
  'blanks around': {
    number: '5',
    helper: 'drops a PORT with spaces around its numbers, and an EPRT with spaces before them',
    pinhole: 'accepts it, as servers do',
    ways: ['held up / opens'],
  },
  'no such command': {
    number: '5',
    helper: 'treats any word that begins with PORT or EPRT as that command',
    pinhole: 'passes it on, and the server refuses it',
    ways: ['held up / passes', 'opens / passes'],
  },
  'every delimiter': {
    number: '5',
    helper: 'drops an EPRT whose delimiter also occurs in its address',
    pinhole: 'accepts it',
    ways: ['held up / opens'],
  },
  'other address': {
    number: '5',
    helper: "passes on a PORT or EPRT with an address other than the client's",
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
    helper: 'drops an EPRT for the other address family; passes on LPRT, LPSV, SPSV and CPSV',
    pinhole: 'answers 522, or 502',
    ways: ['held up / refuses 522', 'passes / refuses 502', 'opens / refuses 502'],
  },
  'refused by the server': {
    number: '6',
    helper: 'opens for a PORT or EPRT whatever the server replies',
    pinhole: 'opens after the server has accepted it',
    ways: ['opens / passes'],
  },
  'EPSV ALL': {
    number: '7',
    helper: 'does not know EPSV ALL',
    pinhole: 'answers a later PORT, EPRT or PASV with 501',
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
    helper: 'passes on AUTH, and can read nothing afterwards',
    pinhole: 'answers 534',
    ways: ['passes / refuses 534'],
  },
  'not the answer': {
    number: '9',
    helper: 'accepts a 227 or 229 at the start of any segment, even within another reply',
    pinhole: 'accepts only the first reply to a PASV or EPSV',
    ways: ['opens / passes', 'opens / opens'],
  },
  'where clients find it': {
    number: '10',
    helper:
      'drops or passes on a 227 with spaces or other digits or with several lines, and a 229 without parentheses, with filled fields, or with other delimiters or spaces around its port',
    pinhole: 'recognises it wherever a common client would',
    ways: ['held up / opens', 'passes / opens', 'opens / opens'],
  },
  'no use to a client': {
    number: '10',
    helper: 'drops a 227 or 229 that no client can use, or wraps its numbers',
    pinhole: 'passes it on unchanged, opens nothing and logs it',
    ways: ['held up / passes', 'opens / passes'],
  },
  "server's own address": {
    number: '11',
    helper: "passes on a 227 with an address other than the server's",
    pinhole: 'announces the gateway, and forwards to the server',
    ways: ['passes / opens'],
  },
  'port of the range': {
    number: '12',
    helper: "announces the server's port",
    pinhole: 'announces a port of the range without a pending pinhole',
    ways: ['opens / opens'],
    bytesAlone: true,
  },
  'port of a service': {
    number: '25',
    helper: 'forwards a client to any port that the server names',
    pinhole: 'answers 425 if the port is below 1024 or denied',
    ways: ['opens / passes'],
  },
  'gone with its session': {
    number: '13',
    helper:
      'keeps an expectation for two minutes after its control connection, until the kernel forgets that',
    pinhole: 'removes it with the session',
    ways: ['opens / passes'],
  },
  "server's own name": {
    number: '20',
    helper: "passes on HOST with the gateway's address",
    pinhole: "names the server's address",
    ways: ['passes / passes'],
    bytesAlone: true,
  },
};

export const decisionNames: readonly DecisionName[] = Object.keys(decisions) as DecisionName[];

export function decisionOf(name: DecisionName): Decision {
  return decisions[name];
}
