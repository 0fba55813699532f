/** One line of the control connection: a command, or what is wrong with it as the text of a 500 reply. */
export type CommandLine =
  | { readonly kind: 'command'; readonly verb: string; readonly argument: string }
  | { readonly kind: 'bad'; readonly problem: string };

/** Longer lines are answered with 500 and not kept. */
const maxLineBytes = 8192;

const IAC = 0xff;
const WILL = 0xfb;
const DONT = 0xfe;
const firstTelnetCommand = 0xf0;
const LF = 0x0a;

/**
 * Cuts the bytes of a control connection into commands. Lines end at LF, with or without CR before it. Telnet
 * sequences (RFC 854) are taken out: FF F4 and FF F2 before ABOR, FF FB xx of a client that negotiates; FF FF
 * is one byte FF of a name.
 */
export class CommandLines {
  #line = '';
  #tooLong = false;
  #telnet: 'none' | 'command' | 'option' = 'none';

  /** The lines that `bytes` completes. */
  push(bytes: Buffer): CommandLine[] {
    const lines: CommandLine[] = [];
    for (const byte of bytes) {
      if (this.#telnet === 'option') {
        this.#telnet = 'none';
      } else if (this.#telnet === 'command') {
        this.#telnet = byte >= WILL && byte <= DONT ? 'option' : 'none';
        // An FF before a byte that is no Telnet command is a byte of a name that was not doubled, or stands
        // before a DM that travelled as urgent data and so left the stream.
        if (byte < firstTelnetCommand || byte === IAC) this.#add(IAC);
        if (byte < firstTelnetCommand) this.#addOrEnd(byte, lines);
      } else if (byte === IAC) {
        this.#telnet = 'command';
      } else {
        this.#addOrEnd(byte, lines);
      }
    }
    return lines;
  }

  #addOrEnd(byte: number, lines: CommandLine[]): void {
    if (byte !== LF) {
      this.#add(byte);
      return;
    }
    lines.push(this.#tooLong ? { kind: 'bad', problem: 'Line too long' } : parse(this.#line));
    this.#line = '';
    this.#tooLong = false;
  }

  #add(byte: number): void {
    if (this.#line.length < maxLineBytes) this.#line += String.fromCharCode(byte);
    else this.#tooLong = true;
  }
}

/** `stor a b ` -> verb `STOR`, argument `a b `: spaces at the end may belong to a name. */
function parse(raw: string): CommandLine {
  const line = raw.replace(/^\xff+/, '').replace(/\r+$/, '');
  if (/[\0\r]/.test(line)) return { kind: 'bad', problem: 'NUL and CR have no place in a command' };
  const [, verb, argument] = /^([A-Za-z]+)(?: (.*))?$/s.exec(line) ?? [];
  if (verb === undefined) return { kind: 'bad', problem: 'Not a command' };
  return { kind: 'command', verb: verb.toUpperCase(), argument: argument ?? '' };
}
