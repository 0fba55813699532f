/** How a line of a client is to be read: RFC 959 sections 4.1 and 5.3, RFC 854, RFC 2428, RFC 7151, docs/what-it-does.md. */
import type { Facts, Place } from '../transcript.ts';

export interface Reading {
  /** In capitals. */
  readonly verb: string;
  readonly argument: string;
  /** The line without Telnet's sequences, and where the argument begins in it. */
  readonly plain: string;
  readonly argumentStart: number;
  readonly telnet: string;
}

const code = (text: string, at: number): number => (at < text.length ? text.charCodeAt(at) : -1);

/** Takes Telnet's sequences out, which stand before a verb with or without the IAC that went as urgent data. */
export function read(text: string): Reading {
  let plain = '';
  let telnet = '';
  let at = 0;
  const isCommand = (value: number): boolean => value >= 0xf0 && value <= 0xfe;
  const take = (length: number): void => {
    telnet += text.slice(at, at + length);
    at += length;
  };
  while (at < text.length) {
    const here = code(text, at);
    const next = code(text, at + 1);
    if (here === 0xff && next >= 0xfb && next <= 0xfe) take(3);
    else if (plain === '' && here === 0xff && isCommand(next)) take(2);
    else if (plain === '' && isCommand(here)) take(1);
    else break;
  }
  if (code(text, at) === 0xff && /^abor(?:$| )/i.test(text.slice(at + 1))) take(1);
  while (at < text.length) {
    const here = code(text, at);
    const next = code(text, at + 1);
    if (here === 0xff && next === 0xff) {
      plain += '\xff';
      at += 2;
    } else if (here === 0xff && next >= 0xfb && next <= 0xfe) take(3);
    else if (here === 0xff && next >= 0xf0 && next <= 0xfa) take(2);
    else {
      plain += text.charAt(at);
      at++;
    }
  }
  let start = 0;
  while (isBlank(plain.charAt(start))) start++;
  let end = start;
  while (end < plain.length && !isBlank(plain.charAt(end))) end++;
  const word = Array.from(plain.slice(start, end), (letter) =>
    /[a-z]/.test(letter) ? letter.toUpperCase() : letter,
  );
  const verb = word.join('');
  const argumentStart = Math.min(plain.length, end + 1);
  const argument = plain.slice(argumentStart);
  return { verb: other[verb] ?? verb, argument, plain, argumentStart, telnet };
}

/** Other names that servers take. */
const other: Readonly<Record<string, string>> = { 'P@SW': 'PASV', 'P@RT': 'PORT' };

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\v' || character === '\f';
}

/** An argument without the blanks around it, and what stands before and behind it in the line. */
export function bare({ plain, argument, argumentStart, telnet }: Reading): {
  readonly text: string;
  readonly before: string;
  readonly after: string;
} {
  let from = 0;
  let to = argument.length;
  while (from < to && isBlank(argument.charAt(from))) from++;
  while (to > from && isBlank(argument.charAt(to - 1))) to--;
  return {
    text: argument.slice(from, to),
    before: telnet + plain.slice(0, argumentStart + from),
    after: argument.slice(to),
  };
}

/** `undefined`: not of the RFC's form. */
export function readPort(text: string): Place | undefined {
  if (!/^\d{1,3}(?:,\d{1,3}){5}$/.test(text)) return undefined;
  const numbers = text.split(',').map(Number);
  const [high = 0, low = 0] = numbers.slice(4);
  const port = high * 256 + low;
  if (numbers.some((number) => number > 255) || port === 0) return undefined;
  return { address: numbers.slice(0, 4).join('.'), port };
}

/**
 * `unserved`: of another protocol than IPv4; `odd`: what is an address or a number to one and none to another;
 * `undefined`: not of the RFC's form.
 */
export function readEprt(text: string): Place | 'unserved' | 'odd' | undefined {
  const delimiter = text.charAt(0);
  if (!/^[!-/:-~]$/.test(delimiter)) return undefined;
  const fields = text.split(delimiter);
  const [first, protocol = '', ...rest] = fields;
  const last = rest.pop();
  const port = rest.pop() ?? '';
  // The delimiter may stand in the address.
  const address = rest.join(delimiter);
  if (first !== '' || last !== '' || address === '' || !/^[1-9]\d{0,4}$/.test(protocol)) return undefined;
  if (!/^\d{1,5}$/.test(port)) return undefined;
  if (protocol !== '1' && protocol !== '2') return 'unserved';
  if (protocol === '2') return 'odd';
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(address)) {
    return /^[\d.]+$/.test(address) ? 'odd' : undefined;
  }
  if (address.split('.').some((number) => Number(number) > 255)) return undefined;
  if (Number(port) < 1 || Number(port) > 65_535) return undefined;
  if (port.startsWith('0')) return 'odd';
  return { address, port: Number(port) };
}

/** Whether the relay may connect to what a client has announced. */
export function isAllowed({ address, port }: Place, { client, denyPorts }: Facts): boolean {
  return address === client && isPortAllowed(port, denyPorts);
}

export function isPortAllowed(port: number, denyPorts: Facts['denyPorts']): boolean {
  return port >= 1024 && !denyPorts.some(([first, last]) => port >= first && port <= last);
}

const http = 'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' ');

/** The commands of RFC 959, 775, 1123, 1639, 2228, 2389, 2428, 2640, 3659, 4217 and 7151, and what servers have besides. */
const known: ReadonlySet<string> = new Set(
  (
    'USER PASS ACCT CWD CDUP SMNT QUIT REIN PORT PASV TYPE STRU MODE RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR ' +
    'DELE RMD MKD PWD LIST NLST SITE SYST STAT HELP NOOP XMKD XRMD XPWD XCUP XCWD LPRT LPSV AUTH ADAT PBSZ PROT CCC ' +
    'MIC CONF ENC FEAT OPTS EPRT EPSV LANG MDTM MLSD MLST SIZE HOST CLNT MFMT SPSV CPSV ESTA ESTP'
  ).split(' '),
);

/** Whether the first line that a client says ends the session: it must, it may, or it must not. */
export function isOtherProtocol({ verb, plain }: Reading, text: string): 'must' | 'may' | 'no' {
  if (http.includes(verb)) return 'must';
  if (isBinary(text)) return 'must';
  if (/[ \t](?:HTTP|SIP)\/\d/.test(plain)) return known.has(verb) ? 'may' : 'must';
  if (verb === 'EHLO' || verb === 'HELO' || /^[A-Z]{5,}$/.test(verb)) return 'must';
  return known.has(verb) || verb === '' ? 'no' : 'may';
}

/** Whether a connection begins as no line of text does. */
function isBinary(text: string): boolean {
  return /^[\x00-\x08\x0e-\x1f\x7f]/.test(text);
}
