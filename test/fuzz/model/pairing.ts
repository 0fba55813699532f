/** Which command a reply answers, where the server keeps to RFC 959 section 5.4; and what follows from it. */
import type { Line } from './lines.ts';
import { read } from './commands.ts';
import type { Replies } from './replies.ts';

interface Sent {
  readonly verb: string;
  readonly argument: string;
  /** When the server had it. */
  readonly at: number;
}

type Perhaps = 'yes' | 'no' | 'maybe';

/** What is so once a number of replies is known. */
export interface State {
  readonly loggedIn: Perhaps;
  readonly epsvAll: Perhaps;
  /** How many commands have had their final reply; meaningless where the pairing is not exact. */
  readonly answered: number;
  readonly isExact: boolean;
}

export interface Pairing {
  readonly commands: readonly Sent[];
  /** By the number of replies that are known. */
  readonly states: readonly State[];
  /** Of each reply: the index of the command that it answers, -1 for the greeting; undefined where that is not sure. */
  readonly answers: readonly (number | undefined)[];
  /** Of each command, and of the greeting as -1: the index of its final reply. */
  readonly finals: ReadonlyMap<number, number>;
  /** Whether every reply is sure. */
  readonly isExact: boolean;
}

const positive: Readonly<Record<string, readonly number[]>> = {
  USER: [230, 232, 331, 332],
  PASS: [202, 230, 232, 332],
  ACCT: [202, 230, 232],
  CWD: [200, 250],
  CDUP: [200, 250],
  SMNT: [202, 250],
  REIN: [120, 220],
  QUIT: [221],
  PORT: [200],
  EPRT: [200],
  PASV: [227],
  EPSV: [229],
  TYPE: [200],
  STRU: [200],
  MODE: [200],
  ALLO: [200, 202],
  REST: [350],
  RNFR: [350],
  RNTO: [250],
  DELE: [250],
  RMD: [250],
  MKD: [257],
  PWD: [257],
  ABOR: [225, 226],
  STAT: [211, 212, 213],
  SYST: [215],
  HELP: [211, 214],
  SITE: [200, 202],
  NOOP: [200],
  FEAT: [211],
  OPTS: [200],
  SIZE: [213],
  MDTM: [213],
  MLST: [250],
  HOST: [220],
  LANG: [200],
  AUTH: [234],
  PBSZ: [200],
  PROT: [200],
};

export const transferVerbs: ReadonlySet<string> = new Set([
  'RETR',
  'STOR',
  'STOU',
  'APPE',
  'LIST',
  'NLST',
  'MLSD',
]);

/** The finals of a transfer that has had its 1yz. */
const transferEnds: readonly number[] = [226, 250, 425, 426, 450, 451, 452, 550, 551, 552];

function isAll({ verb, argument }: Pick<Sent, 'verb' | 'argument'>): boolean {
  return verb === 'EPSV' && argument.trim().toUpperCase() === 'ALL';
}

export function pair(
  received: readonly Line[],
  said: readonly Line[],
  { isOpen, whole, sureUntil, mayBegin }: Replies,
): Pairing {
  const commands = received.map(({ text, at }) => ({ ...read(text), at }));
  let state: State = { loggedIn: 'no', epsvAll: 'no', answered: 0, isExact: true };
  const states: State[] = [state];
  const answers: (number | undefined)[] = [];
  const finals = new Map<number, number>();
  /** Index of the command whose reply is next; -1: the greeting. */
  let head = -1;
  let isUnderWay = false;
  let hasSaid230 = false;
  let hasSaidAll = false;
  for (const reply of whole) {
    const { code, last, begun } = reply;
    hasSaid230 ||= code === 230 || code === 232;
    const command = head === -1 ? greeting : commands[head];
    hasSaidAll ||= commands.some((each) => isAll(each) && each.at < begun);
    const isSure = state.isExact && last < sureUntil && command && command.at < begun;
    const role: Role | undefined = isSure ? roleOf(command, code, isUnderWay) : undefined;
    if (!command || !role) {
      state = unsure(state, hasSaid230, hasSaidAll);
      answers.push(undefined);
    } else {
      answers.push(head);
      isUnderWay = role === 'preliminary';
      if (role === 'final') {
        finals.set(head, answers.length - 1);
        head++;
        state = { ...after(state, command, code), answered: head };
      }
    }
    states.push(state);
  }
  const isSureToTheEnd = sureUntil === said.length;
  if (!isSureToTheEnd) {
    // What nobody is sure to be a reply may have been one all the same.
    hasSaid230 ||= said.some(({ text }, index) => mayBegin[index] === true && /^23[02]/.test(text));
    hasSaidAll ||= commands.some(isAll);
    states.push(unsure(state, hasSaid230, hasSaidAll));
  }
  return { commands, states, answers, finals, isExact: state.isExact && isSureToTheEnd && !isOpen };
}

function unsure({ answered }: State, hasSaid230: boolean, hasSaidAll: boolean): State {
  return {
    loggedIn: hasSaid230 ? 'maybe' : 'no',
    epsvAll: hasSaidAll ? 'maybe' : 'no',
    answered,
    isExact: false,
  };
}

const greeting: Sent = { verb: '(greeting)', argument: '', at: -1 };

type Role = 'preliminary' | 'final';

/** What a reply is to a command; undefined where the RFCs have no such reply to it. */
function roleOf(command: Sent, code: number, isUnderWay: boolean): Role | undefined {
  const { verb } = command;
  if (command === greeting) {
    if (code === 120 && !isUnderWay) return 'preliminary';
    return code === 220 || code === 230 || code === 232 || code === 421 ? 'final' : undefined;
  }
  if (transferVerbs.has(verb)) {
    if (isUnderWay) return transferEnds.includes(code) ? 'final' : undefined;
    if (code === 125 || code === 150) return 'preliminary';
    return code >= 400 || code === 226 || code === 250 ? 'final' : undefined;
  }
  if (verb === 'REIN' && code === 120 && !isUnderWay) return 'preliminary';
  if (code < 200) return undefined;
  if (verb === '' || code === 421) return undefined;
  if (verb === 'ABOR') return [225, 226, 500, 501, 502].includes(code) ? 'final' : undefined;
  if (isAll(command)) return code === 200 || code >= 400 ? 'final' : undefined;
  if (code >= 400 && code < 600) return 'final';
  const codes = positive[verb];
  if (codes) return codes.includes(code) ? 'final' : undefined;
  // What it is nobody knows, but no announcement.
  return code === 227 || code === 229 || code >= 600 ? undefined : 'final';
}

/** RFC 959 section 4.1.1, RFC 2228 section 3, RFC 2428 section 4. */
function after(state: State, command: Sent, code: number): State {
  const { verb } = command;
  const isLogin = verb === 'USER' || verb === 'PASS' || verb === 'ACCT' || command === greeting;
  if (isLogin && (code === 230 || code === 232)) return { ...state, loggedIn: 'yes' };
  if (verb === 'REIN' && code < 300) return { ...state, loggedIn: 'no', epsvAll: 'no' };
  if (isAll(command) && code < 300) return { ...state, epsvAll: 'yes' };
  const isNotSuffered = code >= 500 && code <= 504;
  const undoes = code >= 300 && !isNotSuffered;
  if ((verb === 'USER' || verb === 'PASS') && undoes) return { ...state, loggedIn: 'no' };
  return state;
}
