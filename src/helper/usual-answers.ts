import { isCompletion } from '../ftp/reply.ts';

/**
 * The positive replies that identify the reply to each command (RFC 959 section 5.4, and the RFCs of the later
 * commands): such a reply can be distinguished from the replies to other commands around it. Servers may send others:
 * a final 226 or 250 ends any transfer, and a failure may belong to any command.
 */
const marks: ReadonlyMap<string, readonly number[]> = new Map([
  // An empty line.
  ['', []],
  ['USER', [230, 331, 332]],
  ['PASS', [202, 230, 332]],
  ['ACCT', [202, 230]],
  ['CWD', [250]],
  ['XCWD', [250]],
  ['CDUP', [200, 250]],
  ['XCUP', [200, 250]],
  ['SMNT', [202, 250]],
  ['REIN', [220]],
  ['QUIT', [221]],
  ['PORT', [200]],
  ['EPRT', [200]],
  ['PASV', [227, 229]],
  ['EPSV', [227, 229]],
  ['TYPE', [200]],
  ['STRU', [200]],
  ['MODE', [200]],
  ['ALLO', [200, 202]],
  ['REST', [350]],
  ['RETR', [125, 150]],
  ['STOR', [125, 150]],
  ['STOU', [125, 150]],
  ['APPE', [125, 150]],
  ['LIST', [125, 150]],
  ['NLST', [125, 150]],
  ['MLSD', [125, 150]],
  ['RNFR', [350]],
  ['RNTO', [250]],
  ['ABOR', [225, 226]],
  ['DELE', [250]],
  ['RMD', [250]],
  ['XRMD', [250]],
  ['MKD', [257]],
  ['XMKD', [257]],
  ['PWD', [257]],
  ['XPWD', [257]],
  ['SYST', [215]],
  ['STAT', [211, 212, 213]],
  ['HELP', [211, 214]],
  ['SITE', [200, 202]],
  ['NOOP', [200]],
  ['AUTH', [234, 334]],
  ['PBSZ', [200]],
  ['PROT', [200]],
  ['CCC', [200]],
  ['FEAT', [211]],
  ['OPTS', [200, 202]],
  ['LANG', [200]],
  ['SIZE', [213]],
  ['MDTM', [213]],
  ['MFMT', [213]],
  ['MLST', [250]],
  ['HOST', [220]],
  ['CLNT', [200]],
]);

/** Whether a reply with this code, and no reply to most other commands, is what this command is answered with. */
export function isMarkOf(verb: string, code: number): boolean {
  return marks.get(verb)?.includes(code) ?? false;
}

/** The commands whose replies show text that a client may have chosen, file names above all. */
const telling: ReadonlySet<string> = new Set(['STAT', 'HELP', 'SITE', 'FEAT', 'MLST']);

/** Those whose refusal may be in the words of the program that makes the listing. */
const listing: ReadonlySet<string> = new Set(['LIST', 'NLST', 'MLSD']);

/** Whether any text may stand in the reply to this command: so it is with every command that is not known here. */
export function maySayAnything(verb: string): boolean {
  return telling.has(verb) || !marks.has(verb);
}

/**
 * Whether a reply of several lines with this code to this command (undefined: to none that is outstanding) may show
 * what users have written. Servers put messages of users into their consents: 230- (after a log in), 250- (of a
 * directory), 226-, 221-; in 211- to 214- the text is what was asked for.
 */
export function mayShowFiles(verb: string | undefined, code: number): boolean {
  if (isCompletion(code)) return true;
  return verb !== undefined && (maySayAnything(verb) || listing.has(verb));
}
