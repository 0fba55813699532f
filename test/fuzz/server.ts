/** A server that does what a dialogue says: what is right by the RFCs, in one of the ways that they allow, or something else. */
import type { Socket } from 'node:net';
import type { Act } from './dialogue.ts';
import { read, readEprt, readPort, bare } from './model/commands.ts';
import { Random } from './random.ts';
import { dial, listenAt, type Control, type Data, type Listening, type Notes } from './stage.ts';
import type { EndKind, Place } from './transcript.ts';

/** What the server uses of the one who plays it. */
export interface ServerHost {
  readonly address: string;
  readonly notes: Notes;
  readonly random: Random;
  /** A data connection of its own: its end, and bytes that begin as no others do. */
  data(socket: Socket): Data;
  bytes(length: number): string;
  /** To be closed at the end. */
  keep(listening: Listening): void;
}

export class ScriptedServer {
  readonly #control: Control;
  readonly #acts: readonly Act[];
  readonly #host: ServerHost;
  readonly #commands: string[] = [];
  #count = 0;
  #replies = 0;
  /** What was announced last: where clients come to, or where they are. */
  #listening: Listening | undefined;
  #dialled: Place | undefined;
  #late = '';
  #isBusy = false;

  constructor(control: Control, acts: readonly Act[], host: ServerHost) {
    this.#control = control;
    this.#acts = acts;
    this.#host = host;
    control.onLine((line) => {
      this.#commands.push(line);
      void this.#work();
    });
  }

  /** Whether all that it heard is dealt with. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#commands.length === 0;
  }

  async greet(): Promise<void> {
    this.#isBusy = true;
    await this.#act('', () => this.#say(this.#reply('220', this.#variant(0))));
    this.#isBusy = false;
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let line = this.#commands.shift(); line !== undefined; line = this.#commands.shift()) {
      const command = line;
      await this.#act(command, (random) => this.#answer(command, random));
      this.#host.notes.sign();
    }
    this.#isBusy = false;
  }

  #variant(index: number): Random {
    const act = this.#acts[index];
    return act?.as === 'right' ? new Random(act.seed) : this.#host.random.fork(index);
  }

  async #act(command: string, right: (random: Random) => Promise<void>): Promise<void> {
    const index = this.#count++;
    const act = this.#acts[index] ?? { as: 'right', seed: index };
    const late = this.#late;
    this.#late = '';
    switch (act.as) {
      case 'right':
        await right(this.#variant(index));
        break;
      case 'say':
        await this.#announce(act.text, act.cuts);
        break;
      case 'nothing':
        break;
      case 'late':
        this.#late = `250 Late: ${command.slice(0, 4).replace(/[^A-Z]/g, '')} ${this.#mark()}\r\n`;
        break;
      case 'end':
        await this.#announce(act.text);
        this.#control.end(act.how);
        break;
    }
    if (late !== '') await this.#control.say(late);
  }

  /** Each reply has a mark of its own, by which the model knows it again. */
  #mark(): string {
    let number = ++this.#replies;
    let letters = '';
    for (; number > 0; number = Math.floor(number / 26))
      letters = String.fromCharCode(97 + (number % 26)) + letters;
    return `~${letters}~`;
  }

  #say(text: string, random?: Random): Promise<void> {
    const cuts = random?.chance(0.15) ? [random.between(1, text.length - 1)] : [];
    return this.#control.say(text, cuts);
  }

  /** One reply, of one line or of several, whose text may look like anything. */
  #reply(code: string, random: Random, words = 'Yes.'): string {
    if (random.chance(0.85)) return `${code} ${words} ${this.#mark()}\r\n`;
    const lines = Array.from({ length: random.between(0, 3) }, () => lookalike(code, random));
    return `${code}-${words}\r\n${lines.join('')}${code} End ${this.#mark()}\r\n`;
  }

  /** What an odd server says: a listener is behind the port, whatever text it stands in. */
  async #announce(text: string, cuts: readonly number[] = []): Promise<void> {
    let filled = text
      .replaceAll('{server}', this.#commas())
      .replaceAll('{server.}', this.#host.address)
      .replaceAll('{long}', 'x'.repeat(9000));
    if (/\{p\}|\{P\}/.test(filled)) {
      const { port } = await this.#listen();
      filled = filled.replaceAll('{p}', numbers(port)).replaceAll('{P}', String(port));
    }
    await this.#control.say(filled, cuts);
  }

  #commas(): string {
    return this.#host.address.replaceAll('.', ',');
  }

  async #listen(): Promise<Listening> {
    const listening = await listenAt(this.#host.address, this.#host.notes);
    this.#host.keep(listening);
    this.#listening = listening;
    this.#dialled = undefined;
    return listening;
  }

  async #answer(line: string, random: Random): Promise<void> {
    const reading = read(line);
    const { verb } = reading;
    const refused = random.chance(0.08)
      ? random.pick(['500', '501', '502', '504', '530', '550', '450'])
      : undefined;
    switch (verb) {
      case 'PASV':
      case 'EPSV':
        if (reading.argument.trim().toUpperCase() === 'ALL')
          await this.#say(this.#reply(refused ?? '200', random));
        else if (refused !== undefined) await this.#say(this.#reply(refused, random));
        else await this.#passive(verb, random);
        return;
      case 'PORT':
      case 'EPRT': {
        const { text } = bare(reading);
        const place = verb === 'PORT' ? readPort(text) : readEprt(text);
        if (typeof place === 'object' && refused === undefined) {
          this.#dialled = place;
          this.#listening = undefined;
          // Some connect before they answer.
          if (random.chance(0.1)) await this.#connection();
        }
        await this.#say(this.#reply(refused ?? '200', random), random);
        return;
      }
      case 'RETR':
      case 'STOR':
      case 'STOU':
      case 'APPE':
      case 'LIST':
      case 'NLST':
      case 'MLSD':
        await this.#transfer(
          verb === 'RETR' || verb === 'LIST' || verb === 'NLST' || verb === 'MLSD',
          random,
        );
        return;
      case 'QUIT':
        await this.#say(this.#reply('221', random));
        this.#control.end('fin');
        return;
      default:
        await this.#say(
          this.#reply(refused ?? random.pick(consents[verb] ?? ['200', '250', '502']), random),
          random,
        );
    }
  }

  async #passive(verb: 'PASV' | 'EPSV', random: Random): Promise<void> {
    const { port } = await this.#listen();
    const named = random.weighted([
      [20, port],
      [1, 9],
      [1, 6000],
      [1, 1],
      [1, 65_535],
    ]);
    const place = random.chance(0.85) ? this.#commas() : random.pick(['10,0,0,1', '0,0,0,0', '192,168,1,9']);
    const six = `${place},${numbers(named)}`;
    const mark = this.#mark();
    const text =
      verb === 'PASV'
        ? random.weighted([
            [8, `227 Entering Passive Mode (${six}). ${mark}\r\n`],
            [1, `227 Entering Passive Mode ${six} ${mark}\r\n`],
            [1, `227 =${six} ${mark}\r\n`],
            [1, `227 ok ( ${six.replaceAll(',', ' , ')} ) ${mark}\n`],
            [1, `227-Entering Passive Mode\r\n here: ${six}\r\n227 End ${mark}\r\n`],
            [1, `227-(${six})\r\n227 (${six}) ${mark}\r\n`],
            [1, `227 2 users, 1,2,3 (${six}) 4,5 ${mark}\r\n`],
            [1, `227 No numbers ${mark}\r\n`],
          ])
        : random.weighted([
            [8, `229 Entering Extended Passive Mode (|||${named}|) ${mark}\r\n`],
            [1, `229 Entering (extended) passive mode !!!${named}! ${mark}\r\n`],
            [1, `229 Entering (|1|${this.#host.address}|${named}|) ${mark}\r\n`],
            [1, `229 Entering (||| ${named} |) ${mark}\r\n`],
            [1, `229-Entering\r\n (|||${named}|)\r\n229 End ${mark}\r\n`],
            [1, `229 No port ${mark}\r\n`],
          ]);
    await this.#say(text, random);
  }

  /** A data connection as it was announced, as soon as nothing more can come of it. */
  async #connection(): Promise<Data | undefined> {
    const { notes, address } = this.#host;
    if (this.#dialled) {
      const { address: host, port } = this.#dialled;
      this.#dialled = undefined;
      const socket = await dial(host, port, address);
      return socket && this.#host.data(socket);
    }
    const { waiting } = this.#listening ?? { waiting: [] };
    if (waiting.length === 0) await notes.quiet();
    const socket = waiting.shift();
    return socket && this.#host.data(socket);
  }

  async #transfer(isDownload: boolean, random: Random): Promise<void> {
    const kind = random.weighted([
      [12, 'done'],
      [2, 'refused'],
      [1, 'at once'],
      [2, 'cut'],
    ] as const);
    if (kind === 'refused') {
      await this.#say(this.#reply(random.pick(['550', '425', '450', '501']), random));
      return;
    }
    if (kind === 'at once') {
      await this.#say(this.#reply('226', random));
      return;
    }
    const isEarly = random.chance(0.3);
    const early = isEarly ? await this.#connection() : undefined;
    await this.#say(this.#reply(random.chance(0.9) ? '150' : '125', random), random);
    const data = early ?? (await this.#connection());
    if (!data) {
      await this.#say(this.#reply(random.pick(['425', '426', '450']), random));
      return;
    }
    const how: EndKind = kind === 'cut' ? 'reset' : 'fin';
    if (isDownload) {
      data.send(
        this.#host.bytes(random.chance(0.05) ? random.between(50_000, 400_000) : random.between(0, 600)),
      );
      if (random.chance(0.5)) await this.#host.notes.quiet();
      data.end(how);
    } else {
      await this.#host.notes.quiet();
      if (data.hasSeenEnd || kind === 'cut' || random.chance(0.5)) data.end(how);
    }
    if (random.chance(0.3)) await this.#host.notes.quiet();
    await this.#say(this.#reply(kind === 'cut' ? random.pick(['426', '451']) : '226', random), random);
  }
}

const numbers = (port: number): string => `${port >> 8},${port & 0xff}`;

/** A line within a reply that looks like the line of another. */
function lookalike(code: string, random: Random): string {
  const text = random.pick([
    ' text',
    '227 Entering Passive Mode (10,0,0,1,200,13)',
    '227-Entering Passive Mode (10,0,0,1,200,13)',
    '229 Entering Extended Passive Mode (|||51213|)',
    ' 230 in',
    '230 in',
    `${code}-more`,
    `${code}0 more`,
    '',
  ]);
  // RFC 959 section 4.2: a line of the text that begins with the reply's own code and a blank is padded, as it would end
  // the reply.
  const padded = text.startsWith(`${code} `) ? ` ${text}` : text;
  // A refusal is read to where it seems to end: what comes behind that is no longer sure.
  return `${code.startsWith('2') && code !== '220' ? padded : padded.replace(/^\d{3} /, '')}\r\n`;
}

/** RFC 959 section 5.4 and the later RFCs. */
const consents: Readonly<Record<string, readonly string[]>> = {
  USER: ['331', '331', '331', '331', '230', '332', '232'],
  PASS: ['230', '230', '230', '230', '202', '332', '530'],
  ACCT: ['230', '202'],
  CWD: ['250', '200'],
  CDUP: ['250', '200'],
  SMNT: ['250', '202'],
  REIN: ['220'],
  TYPE: ['200'],
  STRU: ['200'],
  MODE: ['200'],
  ALLO: ['200', '202'],
  REST: ['350'],
  RNFR: ['350'],
  RNTO: ['250'],
  DELE: ['250'],
  RMD: ['250'],
  MKD: ['257'],
  PWD: ['257'],
  ABOR: ['226', '225'],
  STAT: ['211', '212', '213'],
  SYST: ['215'],
  HELP: ['214', '211'],
  SITE: ['200', '202'],
  NOOP: ['200'],
  FEAT: ['211'],
  OPTS: ['200'],
  SIZE: ['213'],
  MDTM: ['213'],
  MLST: ['250'],
  HOST: ['220', '504'],
  LANG: ['200'],
  AUTH: ['234', '234', '502'],
  PBSZ: ['200'],
  PROT: ['200', '536'],
  '': ['500'],
};
