import { familyOf } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';
import type { Command } from '../../ftp/command.ts';
import { formatExtendedPort, parseExtendedHostPort, protocolNumber } from '../../ftp/extended-host-port.ts';
import { formatHostPort, parseHostPort } from '../../ftp/host-port.ts';
import { wireLength } from './ascii.ts';
import { dialForData, listenForData } from './data-port.ts';
import { factLine, facts, timeValue } from './listing.ts';
import { limits, type Reply, type Session } from './session.ts';
import { append, list, machineList, nameList, retrieve, status, store } from './transfers.ts';

type Run = (session: Session, argument: string) => Reply | Promise<Reply>;

/** For HELP: `<x>` must be given, `[<x>]` may be, and nothing may be where it is empty. */
type Served = readonly [syntax: string, run: Run];

const transferCommands: Readonly<Record<string, Served>> = {
  RETR: ['<path>', retrieve],
  STOR: ['<path>', store],
  APPE: ['<path>', append],
  LIST: ['[<path>]', list],
  NLST: ['[<path>]', nameList],
  MLSD: ['[<path>]', machineList],
  // By now the transfer that it was meant for has had its 426; RFC 959 answers ABOR with 226 either way.
  ABOR: ['', () => [226, 'No transfer in progress']],
};

const commands: ReadonlyMap<string, Served> = new Map<string, Served>([
  ['USER', ['<name>', user]],
  ['PASS', ['[<password>]', pass]],
  ['REIN', ['', reinitialize]],
  ['QUIT', ['', () => [221, 'Goodbye']]],
  ['NOOP', ['', () => [200, 'OK']]],
  ['SYST', ['', () => [215, 'UNIX Type: L8']]],
  ['FEAT', ['', features]],
  ['OPTS', ['<command> [<options>]', options]],
  ['HELP', ['[<command>]', help]],
  ['STAT', ['[<path>]', status]],
  ['TYPE', ['<A|I>', type]],
  ['MODE', ['<S>', (_, letter) => onlyOne('MODE', letter, 'S', /^[BC]$/)]],
  ['STRU', ['<F>', (_, letter) => onlyOne('STRU', letter, 'F', /^[RP]$/)]],
  ['ALLO', ['<bytes> [R <bytes>]', allocate]],
  ['REST', ['<offset>', restart]],
  ['PASV', ['', passive]],
  ['EPSV', ['[<protocol>|ALL]', extendedPassive]],
  ['PORT', ['<h1,h2,h3,h4,p1,p2>', port]],
  ['EPRT', ['<|protocol|address|port|>', extendedPort]],
  ['CWD', ['<path>', changeDirectory]],
  ['CDUP', ['', (session) => changeDirectory(session, '..')]],
  ['PWD', ['', ({ state }) => [257, `${quote(state.cwd)} is the current directory`]]],
  ['MKD', ['<path>', makeDirectory]],
  ['RMD', ['<path>', (session, path) => done(session.tree.removeDirectory(session.resolve(path)), 550)]],
  ['DELE', ['<path>', (session, path) => done(session.tree.removeFile(session.resolve(path)), 550)]],
  ['RNFR', ['<path>', renameFrom]],
  ['RNTO', ['<path>', renameTo]],
  ['SIZE', ['<path>', size]],
  ['MDTM', ['<path>', modificationTime]],
  ['MLST', ['[<path>]', machineListOne]],
  ...Object.entries(transferCommands),
]);

const beforeLogin = new Set('USER PASS QUIT NOOP SYST FEAT OPTS HELP'.split(' '));

/** RFC 1123, section 4.1.3.1: the names that RFC 775 gave the directory commands. */
const oldNames = new Map([
  ['XCWD', 'CWD'],
  ['XCUP', 'CDUP'],
  ['XPWD', 'PWD'],
  ['XMKD', 'MKD'],
  ['XRMD', 'RMD'],
]);

/** Commands of the RFCs that are known to exist and not served: 502, where others get 500. */
const notServed = new Set(
  'ACCT SITE STOU SMNT AUTH ADAT PBSZ PROT CCC MIC CONF ENC LANG HOST LPRT LPSV'.split(' '),
);

/** REST counts for the transfer that follows; what arranges that transfer may stand between. */
const keepRestart = new Set('REST PASV EPSV PORT EPRT TYPE MODE STRU ALLO NOOP STAT'.split(' '));

/** RFC 1635: the two names of the guest, both with any password, and one user for a demonstration. */
const passwords = new Map<string | undefined, string | true>([
  ['anonymous', true],
  ['ftp', true],
  ['demo', 'demo'],
]);

/** Runs one command; returns its final reply. */
export async function execute(session: Session, command: Command): Promise<Reply> {
  const verb = oldNames.get(command.verb) ?? command.verb;
  if (verb !== 'RNTO') session.state.renameFrom = undefined;
  const reply = await run(session, verb, command.argument);
  if (!keepRestart.has(verb)) session.state.restartAt = 0;
  return reply;
}

async function run(session: Session, verb: string, argument: string): Promise<Reply> {
  const [syntax, serve] = commands.get(verb) ?? [];
  if (syntax === undefined || serve === undefined) {
    return notServed.has(verb) ? [502, `${verb} is not implemented`] : [500, 'No such command'];
  }
  if (!session.state.loggedIn && !beforeLogin.has(verb)) return [530, 'Log in with USER and PASS first'];
  if (argument === '' && syntax.startsWith('<')) return [501, `${verb} needs ${syntax}`];
  if (argument.trim() !== '' && syntax === '') return [501, `${verb} takes no argument`];
  const reply = await serve(session, argument);
  // A transfer that is refused gives up the data connection that was arranged for it.
  if (verb in transferCommands) session.setDataPort(undefined);
  return reply;
}

function user({ state }: Session, name: string): Reply {
  state.user = name;
  state.loggedIn = false;
  const any = passwords.get(name) === true;
  return [331, any ? 'Any password will do; an e-mail address is customary' : 'Password required'];
}

function pass({ state }: Session, password: string): Reply {
  if (state.user === undefined || state.loggedIn) return [503, 'USER comes first'];
  const expected = passwords.get(state.user);
  state.loggedIn = expected === true || expected === password;
  if (state.loggedIn) return [230, 'Logged in'];
  state.user = undefined;
  return [530, 'Login incorrect'];
}

function reinitialize(session: Session): Reply {
  session.reset();
  return [220, 'Ready for a new user'];
}

function features(): Reply {
  const lines = ['EPRT', 'EPSV', 'MDTM', `MLST ${facts}`, 'REST STREAM', 'SIZE', 'TVFS', 'UTF8'];
  return [211, 'Features:', ...lines.map((line) => ` ${line}`), 'End'];
}

function options(_: Session, argument: string): Reply {
  if (!/^ *UTF8( +(ON|NLST))? *$/i.test(argument)) return [501, `No such option: ${argument}`];
  return [200, 'File names are kept byte for byte, including UTF-8'];
}

function help(_: Session, argument: string): Reply {
  const verb = argument.trim().toUpperCase();
  const [syntax] = commands.get(verb) ?? [];
  if (syntax !== undefined) return [214, `Syntax: ${verb} ${syntax}`.trimEnd()];
  if (verb !== '') return [501, 'No such command'];
  const names = [...commands.keys()].sort();
  const lines = [];
  for (let at = 0; at < names.length; at += 8) lines.push(` ${names.slice(at, at + 8).join(' ')}`);
  return [214, 'These commands are implemented:', ...lines, 'HELP <command> shows its syntax'];
}

function type({ state }: Session, argument: string): Reply {
  const wanted = argument.toUpperCase().trim();
  if (/^A( ?N)?$/.test(wanted)) state.type = 'A';
  else if (/^(I|L ?8)$/.test(wanted)) state.type = 'I';
  else return [/^([AE] ?[NTC]?|L ?\d+)$/.test(wanted) ? 504 : 501, 'TYPE A and TYPE I are served'];
  return [200, `TYPE is ${state.type}`];
}

/** MODE and STRU: one letter is served, others exist. */
function onlyOne(verb: string, argument: string, served: string, known: RegExp): Reply {
  const letter = argument.trim().toUpperCase();
  if (letter === served) return [200, `${verb} is ${served}`];
  return [known.test(letter) ? 504 : 501, `Only ${verb} ${served} is implemented`];
}

function allocate(_: Session, argument: string): Reply {
  const isNumber = /^\d+( R \d+)?$/i.test(argument.trim());
  return isNumber ? [202, 'No storage needs to be allocated'] : [501, 'ALLO needs a number of bytes'];
}

function restart({ state }: Session, argument: string): Reply {
  const offset = Number(argument.trim());
  if (!/^\d+$/.test(argument.trim()) || !Number.isSafeInteger(offset)) {
    return [501, 'REST needs a number of bytes'];
  }
  state.restartAt = offset;
  return [350, `Restarting at ${offset}, send the transfer command`];
}

/** RFC 2428, section 4: after EPSV ALL every other way to a data connection is refused. */
const afterEpsvAll: Reply = [501, 'Only EPSV is allowed after EPSV ALL'];

async function passive(session: Session): Promise<Reply> {
  const { local } = session;
  if (session.state.extendedOnly) return afterEpsvAll;
  if (familyOf(local) === 6) return [425, 'PASV cannot carry an IPv6 address, use EPSV'];
  return openPassive(session, (opened) => [
    227,
    `Entering Passive Mode (${formatHostPort({ address: local, port: opened })})`,
  ]);
}

async function extendedPassive(session: Session, argument: string): Promise<Reply> {
  const wanted = argument.trim().toUpperCase();
  const own = protocolNumber(familyOf(session.local));
  if (wanted === 'ALL') {
    session.state.extendedOnly = true;
    return [200, 'EPSV ALL command successful'];
  }
  if (!/^\d*$/.test(wanted)) return [501, 'EPSV takes a protocol number or ALL'];
  if (wanted !== '' && wanted !== String(own)) return otherProtocol(own);
  return openPassive(session, (opened) => [
    229,
    `Entering Extended Passive Mode ${formatExtendedPort(opened)}`,
  ]);
}

function otherProtocol(own: number): Reply {
  return [522, `Network protocol not supported, use (${own})`];
}

/** Listens in place of the data port before. */
async function openPassive(session: Session, announce: (port: number) => Reply): Promise<Reply> {
  session.setDataPort(undefined);
  try {
    const opened = await listenForData(session.local, session.peer, session.handles);
    session.setDataPort(opened);
    return announce(opened.port);
  } catch {
    return [425, 'No data port is free'];
  }
}

function port(session: Session, argument: string): Reply {
  if (session.state.extendedOnly) return afterEpsvAll;
  const endpoint = parseHostPort(argument.trim());
  return endpoint ? useActive(session, 'PORT', endpoint) : [501, 'PORT needs h1,h2,h3,h4,p1,p2'];
}

function extendedPort(session: Session, argument: string): Reply {
  if (session.state.extendedOnly) return afterEpsvAll;
  const own = protocolNumber(familyOf(session.local));
  const announced = parseExtendedHostPort(argument.trim());
  if (!announced) return [501, 'EPRT needs |protocol|address|port|'];
  const { protocol, endpoint } = announced;
  return endpoint && protocol === own ? useActive(session, 'EPRT', endpoint) : otherProtocol(own);
}

/** RFC 2577, section 3: no third host, and no port of a well-known service. */
function useActive(session: Session, verb: string, endpoint: Endpoint): Reply {
  if (endpoint.address !== session.peer || endpoint.port < 1024) return [500, `Illegal ${verb} command`];
  session.setDataPort(dialForData(endpoint, session.local, limits.dataConnection, session.handles));
  return [200, `${verb} command successful`];
}

function changeDirectory(session: Session, argument: string): Reply {
  const path = session.resolve(argument);
  if (session.tree.find(path)?.kind !== 'directory') return [550, 'No such directory'];
  session.state.cwd = path;
  return [250, `Now in ${quote(path)}`];
}

function makeDirectory(session: Session, argument: string): Reply {
  const path = session.resolve(argument);
  const refusal = session.tree.makeDirectory(path);
  return refusal === undefined ? [257, `${quote(path)} created`] : [550, refusal];
}

function renameFrom(session: Session, argument: string): Reply {
  const path = session.resolve(argument);
  if (session.tree.find(path) === undefined) return [550, 'No such file or directory'];
  session.state.renameFrom = path;
  return [350, 'Send RNTO'];
}

function renameTo(session: Session, argument: string): Reply {
  const { renameFrom: from } = session.state;
  session.state.renameFrom = undefined;
  if (from === undefined) return [503, 'RNFR comes first'];
  return done(session.tree.rename(from, session.resolve(argument)), 553);
}

function done(refusal: string | undefined, code: 550 | 553): Reply {
  return refusal === undefined ? [250, 'Done'] : [code, refusal];
}

/** RFC 3659, section 4: the bytes that RETR would send under the current TYPE. */
function size(session: Session, argument: string): Reply {
  const node = session.tree.find(session.resolve(argument));
  if (node?.kind !== 'file') return [550, 'Not a plain file'];
  return [213, String(wireLength(node.content, session.state.type))];
}

function modificationTime(session: Session, argument: string): Reply {
  const node = session.tree.find(session.resolve(argument));
  return node?.kind === 'file' ? [213, timeValue(node.modified)] : [550, 'Not a plain file'];
}

function machineListOne(session: Session, argument: string): Reply {
  const path = session.resolve(argument);
  const node = session.tree.find(path);
  if (node === undefined) return [550, 'No such file or directory'];
  return [250, `Listing ${path}`, ` ${factLine(path, node)}`, 'End'];
}

/** RFC 959, appendix II: a quote in a name is written twice. */
function quote(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}
