import { parseCommand, type Command } from '../ftp/command.ts';
import { greeting, type SentExchange } from './exchange-queue.ts';

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
/** A shorter one is hidden only where it stands as a word of its own: it may be a part of any. */
const shortest = 4;

/** What was said to log in, what stands behind other commands that are not shown, and what is no command. */
type SecretKind = 'login' | 'argument' | 'word';

const logins: ReadonlySet<string> = new Set(['PASS', 'ACCT']);

/** What a client said that nobody is to read, for as long as a session goes on: servers say such things back. */
export class Secrets {
  /** What is said of one kind takes no place of another. */
  readonly #patterns: Readonly<Record<SecretKind, Map<string, RegExp>>> = {
    login: new Map(),
    argument: new Map(),
    word: new Map(),
  };

  /** Remembers what of a command is secret. */
  add({ verb, argument, plain }: Pick<Command, 'verb' | 'argument' | 'plain'>): void {
    const secret = (secretive.has(verb) ? argument : showable.has(verb) ? '' : plain).trim();
    if (secret === '') return;
    const patterns = this.#patterns[kindOf(verb)];
    // Said again it is the latest.
    patterns.delete(secret);
    patterns.set(secret, patternOf(secret));
    const [oldest] = patterns.keys();
    if (patterns.size > mostSecrets && oldest !== undefined) patterns.delete(oldest);
  }

  /** The text without them, in whatever case. */
  hide(text: string): string {
    let shown = text;
    for (const patterns of Object.values(this.#patterns)) {
      for (const pattern of patterns.values()) shown = shown.replace(pattern, hidden);
    }
    return shown;
  }
}

function kindOf(verb: string): SecretKind {
  if (logins.has(verb)) return 'login';
  return secretive.has(verb) ? 'argument' : 'word';
}

function patternOf(secret: string): RegExp {
  const text = escaped(secret.slice(0, longestSecret));
  // How much of the rest is what is not remembered, nobody knows.
  if (secret.length > longestSecret) return new RegExp(`${text}[^]*`, 'i');
  return new RegExp(secret.length >= shortest ? text : `(?<![^\\s"'(:=])${text}(?![^\\s"').,;:])`, 'gi');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** A command as logs may show it: no password at any level, no control bytes. */
export function showCommand({ verb, argument, plain }: Command): string {
  // Behind a CR or NUL may stand what its sender took for the next command: a PASS.
  const [shown = '', ...behind] = plain.split(/[\r\0]/);
  if (showable.has(verb)) return behind.length > 0 ? `${showBytes(shown)} ${hidden}` : showBytes(shown);
  const word = secretive.has(verb) ? verb : hidden;
  return argument === '' ? word : `${word} ${hidden}`;
}

/** A command that went to the server as logs may show it. */
export function showSent({ verb, argument }: SentExchange): string {
  return showCommand(parseCommand(argument === '' ? verb : `${verb} ${argument}`));
}

/**
 * A line of a reply as logs may show it. A server may say back what it was told: of a reply to a command that is
 * not shown, the code alone is; but for PASS and ACCT, whose usual replies are harmless and worth reading.
 */
export function showReply(text: string, inAnswerTo: string | undefined): string {
  if (inAnswerTo === undefined || harmless.has(inAnswerTo)) return showBytes(text);
  const isUsual = (inAnswerTo === 'PASS' || inAnswerTo === 'ACCT') && /^(?:[23]|530)/.test(text);
  return isUsual ? showBytes(text) : `${/^\d{3}[ -]?/.exec(text)?.[0] ?? ''}${hidden}`;
}

/** How much of a text is shown, in bytes: nobody reads more, and who sends the longest lines has it made for nobody. */
const mostShown = 1000;

/** Binary text for people: UTF-8 where it is that, control bytes as escapes, so that no line can forge another. */
export function showBytes(binary: string): string {
  if (binary.length > mostShown) {
    return `${showBytes(binary.slice(0, mostShown))}... [${binary.length - mostShown} bytes left out]`;
  }
  const bytes = Buffer.from(binary, 'latin1');
  const utf8 = bytes.toString('utf8');
  const text = utf8.includes('\ufffd') ? binary : utf8;
  return text.replace(
    /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => {
      const code = character.charCodeAt(0);
      return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
    },
  );
}
