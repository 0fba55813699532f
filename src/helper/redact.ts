import { parseCommand, type Command } from '../ftp/command.ts';
import { greeting, type SentExchange } from './exchange-queue.ts';
import { replaceHarmful } from '../net/harmful-text.ts';

/** Commands whose arguments hold no secret. A word that is no command may be a password. */
const showable: ReadonlySet<string> = new Set(
  (
    'USER CWD CDUP SMNT QUIT REIN PORT PASV TYPE STRU MODE RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR DELE ' +
    'RMD MKD PWD LIST NLST SYST STAT HELP NOOP FEAT OPTS EPRT EPSV LPRT LPSV LANG MDTM MLSD MLST SIZE HOST ' +
    'SPSV CPSV ESTA ESTP MFMT XCUP XCWD XMKD XPWD XRMD CLNT AUTH PBSZ PROT CCC'
  ).split(' '),
);

/** What a reply may be in answer to and be shown. */
const harmless: ReadonlySet<string> = new Set([...showable, greeting, '']);

/** Commands that are shown by their verb alone. */
const secretive: ReadonlySet<string> = new Set(['PASS', 'ACCT', 'SITE', 'ADAT', 'MIC', 'CONF', 'ENC']);

const hidden = '****';

/** How many of a kind are remembered, and how long one is at most, in characters. */
const mostSecrets = 4;
const longestSecret = 512;
/** How much of a text is shown, in bytes: nobody reads more, and who sends the longest lines has it made for nobody. */
const mostShown = 1000;

/** A shorter one is hidden only where it stands as a word of its own: it may be a part of any. */
const shortest = 4;

/** Login arguments, arguments of other commands that are not shown, and lines that are not commands. */
type SecretKind = 'login' | 'argument' | 'word';

const logins: ReadonlySet<string> = new Set(['PASS', 'ACCT']);

/** Texts of a client that must not be shown for the duration of the session: servers repeat them. */
export class Secrets {
  /** The latest last. */
  readonly #known: readonly Secret[];

  constructor(known: readonly Secret[] = []) {
    this.#known = known;
  }

  /** These, and what of a command is secret. */
  with({ verb, argument, plain }: Pick<Command, 'verb' | 'argument' | 'plain'>): Secrets {
    const text = (secretive.has(verb) ? argument : showable.has(verb) ? '' : plain).trim();
    if (text === '') return this;
    const secret = new Secret(kindOf(verb), text);
    // Said again it is the latest.
    const known = [...this.#known.filter((each) => !each.isSame(secret)), secret];
    // Texts of one kind do not displace those of another.
    const isTooMany = known.filter(({ kind }) => kind === secret.kind).length > mostSecrets;
    const oldest = isTooMany ? known.find(({ kind }) => kind === secret.kind) : undefined;
    return new Secrets(known.filter((each) => each !== oldest));
  }

  /** The text without them, in whatever case, as far as it is shown. */
  hide(text: string): string {
    if (this.#known.length === 0) return text.slice(0, mostShown);
    // All of a secret of which any is within what is shown.
    const seen = bytesOf(text.slice(0, mostShown + longestSecret));
    const isHidden = new Uint8Array(seen.length);
    for (const secret of this.#known) secret.mark(seen, isHidden);
    let shown = '';
    let at = 0;
    const end = Math.min(seen.length, mostShown);
    while (at < end) {
      const from = isHidden.indexOf(1, at);
      if (from === -1 || from >= end) return shown + text.slice(at, end);
      shown += text.slice(at, from) + hidden;
      const to = isHidden.indexOf(0, from);
      at = to === -1 ? end : to;
    }
    return shown;
  }
}

/** One of them, in small letters. */
class Secret {
  readonly kind: SecretKind;
  readonly #bytes: Uint8Array;
  /** How much of the rest of it is not remembered nobody knows. */
  readonly #isCut: boolean;
  #borders: Uint16Array | undefined;

  constructor(kind: SecretKind, text: string) {
    this.kind = kind;
    // A copy: a buffer would keep the block that it was cut from.
    this.#bytes = new Uint8Array(bytesOf(text.slice(0, longestSecret)));
    this.#isCut = text.length > longestSecret;
  }

  isSame(other: Secret): boolean {
    const isAlike = other.kind === this.kind && other.#isCut === this.#isCut;
    return isAlike && Buffer.compare(other.#bytes, this.#bytes) === 0;
  }

  /**
   * Marks with 1 where it stands in a text. The search is Knuth's, Morris's and Pratt's: two steps a byte at most, whatever
   * the two are made of.
   */
  mark(text: Uint8Array, marks: Uint8Array): void {
    const secret = this.#bytes;
    const { length } = secret;
    const borders = (this.#borders ??= bordersOf(secret));
    let matched = 0;
    let marked = 0;
    for (let at = 0; at < text.length; at++) {
      while (matched > 0 && secret[matched] !== text[at]) matched = borders[matched - 1] ?? 0;
      if (secret[matched] === text[at]) matched++;
      if (matched < length) continue;
      matched = borders[length - 1] ?? 0;
      const from = at + 1 - length;
      if (length < shortest && !isWord(text, from, at + 1)) continue;
      marks.fill(1, Math.max(from, marked), this.#isCut ? text.length : at + 1);
      if (this.#isCut) return;
      marked = at + 1;
    }
  }
}

/** Of each beginning of a text: how long the longest shorter one is that it ends with. */
function bordersOf(text: Uint8Array): Uint16Array {
  const borders = new Uint16Array(text.length);
  let matched = 0;
  for (let at = 1; at < text.length; at++) {
    while (matched > 0 && text[matched] !== text[at]) matched = borders[matched - 1] ?? 0;
    if (text[matched] === text[at]) matched++;
    borders[at] = matched;
  }
  return borders;
}

const blanks = '\t\n\v\f\r \xa0';
const beforeWord = bytesOf(`${blanks}"'(:=`);
const behindWord = bytesOf(`${blanks}"').,;:`);

function isWord(text: Uint8Array, from: number, to: number): boolean {
  const [before, behind] = [text[from - 1], text[to]];
  if (before !== undefined && !beforeWord.includes(before)) return false;
  return behind === undefined || behindWord.includes(behind);
}

/** Of text of one character a byte, in small letters. */
function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.toLowerCase(), 'latin1');
}

function kindOf(verb: string): SecretKind {
  if (logins.has(verb)) return 'login';
  return secretive.has(verb) ? 'argument' : 'word';
}

/** Nothing is known to be secret. */
const none: Secrets = new Secrets();

/** A command as logs may show it: no password at any level, no control bytes. */
export function showCommand({ verb, argument, plain }: Command, secrets: Secrets = none): string {
  if (showable.has(verb)) {
    // Behind a CR or NUL may stand what its sender took for the next command: a PASS.
    const end = plain.search(/[\r\0]/);
    return end === -1 ? showBytes(plain, secrets) : `${showBytes(plain.slice(0, end), secrets)} ${hidden}`;
  }
  const word = secretive.has(verb) ? verb : hidden;
  return argument === '' ? word : `${word} ${hidden}`;
}

/** A command that went to the server as logs may show it. */
export function showSent({ verb, argument }: SentExchange): string {
  return showCommand(parseCommand(argument === '' ? verb : `${verb} ${argument}`));
}

/**
 * A line of a reply as logs may show it. A server may repeat what it received: of a reply to a command that is not
 * shown, only the code is shown, except for PASS and ACCT, whose usual replies are harmless and worth reading.
 */
export function showReply(text: string, inAnswerTo: string | undefined, secrets: Secrets = none): string {
  const shown = showBytes(text, secrets);
  if (inAnswerTo === undefined || harmless.has(inAnswerTo)) return shown;
  const isUsual = (inAnswerTo === 'PASS' || inAnswerTo === 'ACCT') && /^(?:[23]|530)/.test(shown);
  return isUsual ? shown : `${/^\d{3}[ -]?/.exec(shown)?.[0] ?? ''}${hidden}`;
}

/**
 * Binary text for people, without secrets: UTF-8 where it is that, control bytes as escapes, so that no line can forge
 * another.
 */
export function showBytes(binary: string, secrets: Secrets = none): string {
  const shown = escapeBytes(secrets.hide(binary));
  const leftOut = binary.length - mostShown;
  return leftOut > 0 ? `${shown}... [${leftOut} bytes left out]` : shown;
}

function escapeBytes(binary: string): string {
  const bytes = Buffer.from(binary, 'latin1');
  const utf8 = bytes.toString('utf8');
  const text = utf8.includes('\ufffd') ? binary : utf8;
  return replaceHarmful(text, (character) => {
    const code = character.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
