import { resolvePath } from '../file-tree.ts';
import { formatHostPort, parseExtended, parseHostPort, protocolNumber, type Endpoint } from './address.ts';
import { asciiLength } from './ascii.ts';
import { ActivePort, listenPassive, type PassivePort } from './data-port.ts';
import { factLine, knownFacts, timeValue } from './listing.ts';
import type { Session } from './session.ts';
import { append, list, machineList, nameList, retrieve, status, store, storeUnique } from './transfers.ts';

/** One command of the server; `run` sends every reply to it. */
interface Command {
  readonly run: (session: Session, argument: string) => void | Promise<void>;
  /** For HELP: `<x>` must be given, `[<x>]` may be, and nothing may be where it is empty. */
  readonly syntax: string;
  readonly beforeLogin?: true;
}

/** RFC 1635: the two names of the guest, both with any password, and one user for a demonstration. */
export const defaultUsers: Readonly<Record<string, string | true>> = {
  anonymous: true,
  ftp: true,
  demo: 'demo',
};

const accessCommands: Record<string, Command> = {
  USER: { syntax: '<name>', run: user, beforeLogin: true },
  PASS: { syntax: '[<password>]', run: pass, beforeLogin: true },
  ACCT: {
    syntax: '<account>',
    run: (session) => {
      session.reply(202, 'No account is needed');
    },
  },
  AUTH: {
    syntax: '<mechanism>',
    run: (session) => {
      session.reply(502, 'TLS is not served');
    },
    beforeLogin: true,
  },
  REIN: { syntax: '', run: reinitialize },
  QUIT: { syntax: '', run: quit, beforeLogin: true },
};

const informationCommands: Record<string, Command> = {
  NOOP: {
    syntax: '',
    run: (session) => {
      session.reply(200, 'OK');
    },
    beforeLogin: true,
  },
  SYST: {
    syntax: '',
    run: (session) => {
      session.reply(215, 'UNIX Type: L8');
    },
    beforeLogin: true,
  },
  FEAT: { syntax: '', run: features, beforeLogin: true },
  OPTS: { syntax: '<command> [<options>]', run: options, beforeLogin: true },
  HELP: { syntax: '[<command>]', run: help, beforeLogin: true },
  SITE: { syntax: '<command>', run: site },
  STAT: { syntax: '[<path>]', run: status },
};

const parameterCommands: Record<string, Command> = {
  TYPE: { syntax: '<A|I>', run: type },
  MODE: {
    syntax: '<S>',
    run: (session, argument) => {
      oneOf(session, 'MODE', argument, 'S', 'BC');
    },
  },
  STRU: {
    syntax: '<F>',
    run: (session, argument) => {
      oneOf(session, 'STRU', argument, 'F', 'RP');
    },
  },
  ALLO: { syntax: '<bytes> [R <bytes>]', run: allocate },
  REST: { syntax: '<offset>', run: restart },
  PASV: { syntax: '', run: passive },
  EPSV: { syntax: '[<protocol>|ALL]', run: extendedPassive },
  PORT: { syntax: '<h1,h2,h3,h4,p1,p2>', run: port },
  EPRT: { syntax: '<|protocol|address|port|>', run: extendedPort },
};

const fileCommands: Record<string, Command> = {
  CWD: { syntax: '<path>', run: changeDirectory },
  CDUP: {
    syntax: '',
    run: (session) => {
      changeDirectory(session, '..');
    },
  },
  PWD: {
    syntax: '',
    run: (session) => {
      session.reply(257, `${quote(session.cwd)} is the current directory`);
    },
  },
  MKD: { syntax: '<path>', run: makeDirectory },
  RMD: { syntax: '<path>', run: removeDirectory },
  DELE: { syntax: '<path>', run: removeFile },
  RNFR: { syntax: '<path>', run: renameFrom },
  RNTO: { syntax: '<path>', run: renameTo },
  SIZE: { syntax: '<path>', run: size },
  MDTM: { syntax: '<path>', run: modificationTime },
  MLST: { syntax: '[<path>]', run: machineListOne },
};

const transferCommands: Record<string, Command> = {
  RETR: { syntax: '<path>', run: retrieve },
  STOR: { syntax: '<path>', run: store },
  STOU: { syntax: '[<name>]', run: storeUnique },
  APPE: { syntax: '<path>', run: append },
  LIST: { syntax: '[<path>]', run: list },
  NLST: { syntax: '[<path>]', run: nameList },
  MLSD: { syntax: '[<path>]', run: machineList },
  ABOR: { syntax: '', run: abort },
};

/** RFC 1123, section 4.1.3.1: the names that RFC 775 gave the directory commands. */
const oldNames = { XCWD: 'CWD', XCUP: 'CDUP', XPWD: 'PWD', XMKD: 'MKD', XRMD: 'RMD' };

/** Commands of the RFCs that are known to exist and not served: 502, where others get 500. */
const notServed = new Set('SMNT ADAT PBSZ PROT CCC MIC CONF ENC LANG HOST LPRT LPSV'.split(' '));

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...accessCommands,
    ...informationCommands,
    ...parameterCommands,
    ...fileCommands,
    ...transferCommands,
  }),
);

/** REST counts for the transfer that follows; what arranges that transfer may stand between. */
const keepRestart = new Set('PASV EPSV PORT EPRT TYPE MODE STRU ALLO NOOP STAT'.split(' '));

/** Runs one command and sends its replies. */
export async function execute(session: Session, given: string, argument: string): Promise<void> {
  const verb = given in oldNames ? oldNames[given as keyof typeof oldNames] : given;
  const command = commands.get(verb);
  if (verb !== 'RNTO') session.renameFrom = undefined;
  if (command === undefined) {
    if (notServed.has(verb)) session.reply(502, `${verb} is not served`);
    else session.reply(500, `${verb} is not a command`);
  } else if (!session.loggedIn && command.beforeLogin === undefined) {
    session.reply(530, 'Log in with USER and PASS first');
  } else if (argument === '' && command.syntax.startsWith('<')) {
    session.reply(501, `${verb} needs ${command.syntax}`);
  } else if (argument.trim() !== '' && command.syntax === '') {
    session.reply(501, `${verb} takes nothing`);
  } else {
    await command.run(session, argument);
  }
  if (verb !== 'REST' && !keepRestart.has(verb)) session.restartAt = 0;
}

function user(session: Session, name: string): void {
  session.user = name;
  session.loggedIn = false;
  const any = session.settings.users.get(name) === true;
  session.reply(331, any ? 'Any password will do, an e-mail address is usual' : 'Password, please');
}

function pass(session: Session, password: string): void {
  if (session.user === undefined || session.loggedIn) {
    session.reply(503, 'USER comes first');
    return;
  }
  const expected = session.settings.users.get(session.user);
  if (expected === true || expected === password) {
    session.loggedIn = true;
    session.reply(230, 'Logged in');
  } else {
    session.user = undefined;
    session.reply(530, 'Login incorrect');
  }
}

function reinitialize(session: Session): void {
  session.reset();
  session.reply(220, 'Ready for a new user');
}

function quit(session: Session): void {
  session.reply(221, 'Goodbye');
  session.control.end();
}

function features(session: Session): void {
  const facts = knownFacts.map((fact) => `${fact}${session.facts.has(fact) ? '*' : ''};`).join('');
  const lines = ['EPRT', 'EPSV', 'MDTM', `MLST ${facts}`, 'REST STREAM', 'SIZE', 'TVFS', 'UTF8'];
  session.replyLines(
    211,
    'Features:',
    lines.map((line) => ` ${line}`),
    'End',
  );
}

function options(session: Session, argument: string): void {
  const [name = '', value = ''] = argument.toUpperCase().trim().split(/ +/, 2);
  if (name === 'UTF8' && ['', 'ON', 'NLST'].includes(value)) {
    session.reply(200, 'Names are kept byte for byte, UTF-8 among them');
  } else if (name === 'MLST') {
    // RFC 3659, section 7.9: unknown facts are passed over, and the reply says what is left.
    const wanted = new Set(value.toLowerCase().split(';'));
    session.facts = new Set(knownFacts.filter((fact) => wanted.has(fact)));
    const left = [...session.facts].map((fact) => `${fact};`).join('');
    session.reply(200, `MLST OPTS ${left}`.trimEnd());
  } else {
    session.reply(501, `No such option: ${argument}`);
  }
}

function help(session: Session, argument: string): void {
  const verb = argument.trim().toUpperCase();
  const command = commands.get(verb);
  if (command !== undefined) {
    session.reply(214, `Syntax: ${verb} ${command.syntax}`.trimEnd());
  } else if (verb !== '') {
    session.reply(501, `${verb} is not a command`);
  } else {
    const names = [...commands.keys()].sort();
    const lines = [];
    for (let at = 0; at < names.length; at += 8) lines.push(` ${names.slice(at, at + 8).join(' ')}`);
    session.replyLines(214, 'These commands are served:', lines, 'HELP <command> tells its syntax');
  }
}

function site(session: Session, argument: string): void {
  if (argument.trim().toUpperCase() === 'HELP') session.reply(214, 'SITE serves HELP only');
  else session.reply(500, 'SITE serves HELP only');
}

function type(session: Session, argument: string): void {
  const [, letter = '', form = ''] = /^([A-Z]) ?(.*)$/.exec(argument.toUpperCase().trim()) ?? [];
  if ((letter === 'A' && (form === '' || form === 'N')) || (letter === 'I' && form === '')) {
    session.type = letter;
  } else if (letter === 'L' && form === '8') {
    session.type = 'I';
  } else {
    const exists = /^([AE] ?[NTC]?|L ?\d+)$/.test(argument.toUpperCase().trim());
    session.reply(exists ? 504 : 501, 'TYPE A and TYPE I are served');
    return;
  }
  session.reply(200, `TYPE is ${session.type}`);
}

/** MODE and STRU: one letter is served, others exist. */
function oneOf(session: Session, verb: string, argument: string, served: string, known: string): void {
  const letter = argument.trim().toUpperCase();
  if (letter === served) session.reply(200, `${verb} is ${served}`);
  else
    session.reply(letter.length === 1 && known.includes(letter) ? 504 : 501, `${verb} ${served} is served`);
}

function allocate(session: Session, argument: string): void {
  if (!/^\d+( R \d+)?$/i.test(argument.trim())) session.reply(501, 'ALLO needs a number of bytes');
  else session.reply(202, 'No storage needs to be allocated');
}

function restart(session: Session, argument: string): void {
  const offset = Number(argument.trim());
  if (!/^\d+$/.test(argument.trim()) || !Number.isSafeInteger(offset)) {
    session.reply(501, 'REST needs a number of bytes');
    return;
  }
  session.restartAt = offset;
  session.reply(350, `Restarting at ${offset}, send the transfer command`);
}

async function passive(session: Session): Promise<void> {
  if (refusedByEpsvAll(session)) return;
  if (protocolNumber(session.local) !== '1') {
    session.reply(425, 'PASV has no room for an IPv6 address, use EPSV');
    return;
  }
  const opened = await openPassive(session);
  if (opened === undefined) return;
  const numbers = formatHostPort({ address: session.local, port: opened.port });
  session.reply(227, `Entering Passive Mode (${numbers})`);
}

async function extendedPassive(session: Session, argument: string): Promise<void> {
  const wanted = argument.trim().toUpperCase();
  const own = protocolNumber(session.local);
  if (wanted === 'ALL') {
    session.extendedOnly = true;
    session.reply(200, 'EPSV only from here on');
  } else if (!/^\d*$/.test(wanted)) {
    session.reply(501, 'EPSV takes a protocol number or ALL');
  } else if (wanted !== '' && wanted !== own) {
    session.reply(522, `Network protocol not supported, use (${own})`);
  } else {
    const opened = await openPassive(session);
    if (opened !== undefined) session.reply(229, `Entering Extended Passive Mode (|||${opened.port}|)`);
  }
}

/** Listens in place of the data port before; `undefined` when 425 was sent. */
async function openPassive(session: Session): Promise<PassivePort | undefined> {
  session.setDataPort(undefined);
  const { dataPorts, handles } = session.settings;
  const opened = await listenPassive(session.local, session.peer, dataPorts, handles).catch(() => undefined);
  session.setDataPort(opened);
  if (opened === undefined) session.reply(425, 'No data port is free');
  return opened;
}

function port(session: Session, argument: string): void {
  if (refusedByEpsvAll(session)) return;
  const endpoint = parseHostPort(argument.trim());
  if (endpoint === undefined) session.reply(501, 'PORT needs h1,h2,h3,h4,p1,p2');
  else useActive(session, 'PORT', endpoint);
}

function extendedPort(session: Session, argument: string): void {
  if (refusedByEpsvAll(session)) return;
  const own = protocolNumber(session.local);
  const endpoint = parseExtended(argument.trim());
  if (endpoint === undefined) {
    session.reply(501, 'EPRT needs |protocol|address|port|');
  } else if (endpoint === 'protocol' || protocolNumber(endpoint.address) !== own) {
    session.reply(522, `Network protocol not supported, use (${own})`);
  } else {
    useActive(session, 'EPRT', endpoint);
  }
}

/** RFC 2577, section 3: no third host, and no port of a well-known service. */
function useActive(session: Session, verb: string, endpoint: Endpoint): void {
  if (endpoint.address !== session.peer || endpoint.port < 1024) {
    session.reply(500, `Illegal ${verb} command`);
    return;
  }
  const { activePort, handles } = session.settings;
  session.setDataPort(new ActivePort(endpoint, session.local, activePort, handles));
  session.reply(200, `${verb} command successful`);
}

/** RFC 2428, section 4: after EPSV ALL every other way to a data connection is refused. */
function refusedByEpsvAll(session: Session): boolean {
  if (session.extendedOnly) session.reply(501, 'Only EPSV is allowed after EPSV ALL');
  return session.extendedOnly;
}

function changeDirectory(session: Session, argument: string): void {
  const path = resolvePath(session.cwd, argument);
  if (session.settings.tree.find(path)?.kind !== 'directory') {
    session.reply(550, 'No such directory');
    return;
  }
  session.cwd = path;
  session.reply(250, `Now in ${quote(path)}`);
}

function makeDirectory(session: Session, argument: string): void {
  const path = resolvePath(session.cwd, argument);
  const refusal = session.settings.tree.makeDirectory(path);
  if (refusal === undefined) session.reply(257, `${quote(path)} created`);
  else session.reply(550, refusal);
}

function removeDirectory(session: Session, argument: string): void {
  done(session, session.settings.tree.removeDirectory(resolvePath(session.cwd, argument)), 550);
}

function removeFile(session: Session, argument: string): void {
  done(session, session.settings.tree.removeFile(resolvePath(session.cwd, argument)), 550);
}

function renameFrom(session: Session, argument: string): void {
  const path = resolvePath(session.cwd, argument);
  if (session.settings.tree.find(path) === undefined) {
    session.reply(550, 'No such file or directory');
    return;
  }
  session.renameFrom = path;
  session.reply(350, 'Send RNTO');
}

function renameTo(session: Session, argument: string): void {
  const from = session.renameFrom;
  session.renameFrom = undefined;
  if (from === undefined) session.reply(503, 'RNFR comes first');
  else done(session, session.settings.tree.rename(from, resolvePath(session.cwd, argument)), 553);
}

function done(session: Session, refusal: string | undefined, code: 550 | 553): void {
  if (refusal === undefined) session.reply(250, 'Done');
  else session.reply(code, refusal);
}

/** RFC 3659, section 4: the bytes that RETR would send under the current TYPE. */
function size(session: Session, argument: string): void {
  const node = session.settings.tree.find(resolvePath(session.cwd, argument));
  if (node?.kind !== 'file') session.reply(550, 'Not a plain file');
  else session.reply(213, String(session.type === 'A' ? asciiLength(node.content) : node.content.length));
}

function modificationTime(session: Session, argument: string): void {
  const node = session.settings.tree.find(resolvePath(session.cwd, argument));
  if (node?.kind !== 'file') session.reply(550, 'Not a plain file');
  else session.reply(213, timeValue(node.modified));
}

function machineListOne(session: Session, argument: string): void {
  const path = resolvePath(session.cwd, argument);
  const node = session.settings.tree.find(path);
  if (node === undefined) session.reply(550, 'No such file or directory');
  else session.replyLines(250, `Listing ${path}`, [` ${factLine(path, node, session.facts)}`], 'End');
}

/** By now the transfer that it was meant for has had its 426; RFC 959 answers ABOR with 226 either way. */
function abort(session: Session): void {
  session.setDataPort(undefined);
  session.reply(226, 'Nothing is being transferred any more');
}

/** RFC 959, appendix II: a quote in a name is written twice. */
function quote(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}
