/** A command line, read for its verb. All text is binary (one character a byte). */
export interface Command {
  /** In capitals; the other names that servers take for PASV and PORT become those. Empty for an empty line. */
  readonly verb: string;
  /** The text after the one separator that follows the verb; empty if there is none. */
  readonly argument: string;
  /** The line as it came. */
  readonly raw: string;
  /** The line without its Telnet sequences. */
  readonly plain: string;
  /** Where the argument starts in `plain`. */
  readonly argumentStart: number;
  /** The Telnet sequences that stood in the line, in order. */
  readonly telnet: string;
}

/** vsftpd and Pure-FTPd answer to these too, so a helper that does not is walked around. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['P@SW', 'PASV'],
  ['P@RT', 'PORT'],
]);

// Servers that skip blanks before the verb, or accept any blank after it, must not read a different command than we
// do.
const shape = /^([\t\v\f ]*)([^\t\v\f ]*)[\t\v\f ]?/;

export function parseCommand(text: string): Command {
  const { plain, telnet } = stripTelnet(text);
  const match = shape.exec(plain);
  // ASCII alone: the capital of byte FF is no byte, and that of DF is two letters.
  const word = (match?.[2] ?? '').replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  const argumentStart = match?.[0].length ?? 0;
  return {
    verb: aliases.get(word) ?? word,
    argument: plain.slice(argumentStart),
    raw: text,
    plain,
    argumentStart,
    telnet,
  };
}

/**
 * Takes Telnet sequences out (RFC 854; RFC 959 section 4.1.3 has `IAC IP IAC DM` before ABOR).
 *
 *     FF F4 FF F2 "ABOR"   as the RFC says
 *     FF F4 F2 "ABOR"      as it arrives where the second IAC went as TCP urgent data
 *     FF F4 FF "ABOR"      the same where the DM did, to the letter of the RFC
 */
function stripTelnet(text: string): { plain: string; telnet: string } {
  if (!mayHoldTelnet.test(text)) return { plain: text, telnet: '' };
  let telnet = '';
  const take = (sequence: string): string => {
    telnet += sequence;
    return '';
  };
  const plain = text
    .replace(leadingSequences, take)
    .replace(innerSequences, (sequence) => (sequence === '\xff\xff' ? '\xff' : take(sequence)));
  return { plain, telnet };
}

// Bytes F0-FE are letters in GBK and KOI8-R: only in front of the verb can they be Telnet's without an IAC.
const mayHoldTelnet = /^[\xf0-\xfe]|\xff/;
// Where the DM went as urgent data, its IAC stands alone: it is taken for that before ABOR and nothing else. Bytes have no
// case: without it, D0-DE would be taken for F0-FE.
const leadingSequences = /^(?:\xff[\xfb-\xfe][^]?|\xff?[\xf0-\xfe])*(?:\xff(?=[aA][bB][oO][rR](?![^ ])))?/;
const innerSequences = /\xff(?:[\xfb-\xfe][^]?|[\xf0-\xfa]|\xff)/g;

/**
 * Where in a line, with its end, the byte is sent that TCP is told is urgent, counted behind it: the DM of a Synch before
 * the verb (RFC 854, "the TCP urgent notification"), else the last of all, as who sends a whole line so has it.
 */
export function endOfSynch(line: string): number {
  const [before = ''] = leadingSequences.exec(line) ?? [];
  const mark = before.lastIndexOf('\xf2');
  return mark === -1 ? line.length : mark + 1;
}
