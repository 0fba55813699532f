/** Plays one dialogue through a relay, and has it judged. */
import type { Socket } from 'node:net';
import type { Event, PinholeFacts as Told } from '../../src/events.ts';
import { hosts } from '../support/relay/hosts.ts';
import { isClean, type Dialogue, type Step } from './dialogue.ts';
import { signature } from './model/data.ts';
import { judge } from './model.ts';
import type { Distort, Plant } from './plants.ts';
import { Random } from './random.ts';
import type { FuzzedRelay } from './relay.ts';
import { ScriptedServer } from './server.ts';
import { Control, Data, dial, listenAt, Notes, turn, type Listening } from './stage.ts';
import type { Complaint, PinholeFacts, Transcript } from './transcript.ts';

export interface Played {
  readonly transcript: Transcript;
  readonly complaints: readonly Complaint[];
  readonly bytes: number;
}

/** How long a relay with a planted fault is waited for, in milliseconds: nothing else goes wrong with it. */
const plantPatience = 2000;

/** How many turns of the event loop a listener that is to go is looked for; each look takes a list from the system. */
const listenerTurns = 500;
const plantListenerTurns = 50;

/** A password that no log may show. */
export const secret = 's3cr3t';

export async function play(
  relay: FuzzedRelay,
  dialogue: Dialogue,
  seed: number,
  plant?: Pick<Plant, 'distort'>,
): Promise<Played> {
  const player = new Player(relay, dialogue, seed, plant !== undefined);
  const complaints = await player.run();
  const transcript = player.transcript(plant?.distort);
  const bytes = transcript.entries.reduce((sum, entry) => sum + ('text' in entry ? entry.text.length : 0), 0);
  return { transcript, complaints: [...complaints, ...judge(transcript)], bytes };
}

class Player {
  readonly #relay: FuzzedRelay;
  readonly #dialogue: Dialogue;
  readonly #random: Random;
  readonly #notes: Notes;
  readonly #listenerTurns: number;
  readonly #listeners: Listening[] = [];
  /** Nothing is left to be done: what either side still begins is ended at once. */
  #isOver = false;
  readonly #data: Data[] = [];
  readonly #complaints: Complaint[] = [];
  #client: Control | undefined;
  #server: Control | undefined;
  #session: number | undefined;
  #isSessionOver = false;
  #clientPort = 0;
  /** The address that the server sees. */
  #inside = '';
  #isDataProtected = false;

  constructor(relay: FuzzedRelay, dialogue: Dialogue, seed: number, isPlanted: boolean) {
    this.#notes = new Notes(isPlanted ? plantPatience : undefined);
    this.#listenerTurns = isPlanted ? plantListenerTurns : listenerTurns;
    this.#relay = relay;
    this.#dialogue = dialogue;
    this.#random = new Random(seed).fork(7);
  }

  async run(): Promise<Complaint[]> {
    const stop = this.#relay.observe((event) => {
      this.#observe(event);
    });
    try {
      await this.#play();
      await this.#finish();
    } finally {
      stop();
      this.#isOver = true;
      this.#client?.destroy();
      this.#server?.destroy();
      for (const data of this.#data) data.socket.destroy();
      for (const listening of this.#listeners) close(listening);
    }
    return this.#complaints;
  }

  transcript(distort: Distort = (entries) => entries): Transcript {
    const { passivePorts, activePorts, options } = this.#relay;
    return {
      facts: {
        client: hosts.client,
        relay: hosts.relay,
        server: hosts.server,
        inside: this.#inside,
        passivePorts,
        activePorts,
        denyPorts: [
          [2049, 2049],
          [3306, 3306],
          [3389, 3389],
          [5060, 5061],
          [5432, 5432],
          [5900, 5900],
          [6000, 6063],
          [6379, 6379],
        ],
        tls: options.mode,
        plane: options.plane,
      },
      entries: distort(this.#notes.entries),
      data: this.#data.map((data) => data.facts()),
    };
  }

  #observe(event: Event): void {
    if (event.type === 'session-opened' && event.client.port === this.#clientPort) {
      this.#session = event.session;
      this.#notes.add({ what: 'session-opened' });
      return;
    }
    if (!('session' in event) || event.session !== this.#session) return;
    switch (event.type) {
      case 'session-closed':
        this.#isSessionOver = true;
        this.#notes.add({ what: 'session-closed', reason: event.reason });
        break;
      case 'session-opaque':
        this.#notes.add({ what: 'opaque' });
        break;
      case 'pinhole-opened':
        this.#notes.add({ what: 'opened', ...factsOf(event) });
        break;
      case 'pinhole-taken':
        this.#notes.add({ what: 'taken', ...factsOf(event) });
        break;
      case 'pinhole-closed':
        this.#notes.add({ what: 'closed', ...factsOf(event) });
        break;
      case 'data-channel-closed':
      case 'transfer-ended':
        this.#notes.add({ what: 'carried', id: event.expectation });
        break;
      default:
        this.#notes.sign();
    }
  }

  async #play(): Promise<void> {
    const notes = this.#notes;
    const socket = await dial(hosts.relay, this.#relay.port, hosts.client);
    if (!socket) throw new Error('the relay takes no client');
    this.#clientPort = socket.localPort ?? 0;
    this.#client = new Control('client', socket, notes);
    const { waiting } = this.#relay.server;
    for (let n = 0; waiting.length === 0 && n < 20_000; n++) await turn();
    const accepted = waiting.shift();
    if (!accepted) throw new Error('the relay does not connect to the server');
    this.#inside = accepted.remoteAddress ?? '';
    this.#server = new Control('server', accepted, notes);
    const server = new ScriptedServer(this.#server, this.#dialogue.server, {
      address: hosts.server,
      notes,
      random: this.#random.fork(1),
      data: (each) => this.#newData('server', each),
      bytes: (length) => this.#bytes(length),
      keep: (listening) => {
        this.#keep(listening);
      },
    });
    void server.greet();
    for (const step of this.#dialogue.client) {
      await this.#step(step, this.#client);
      if (this.#client.hasEnded) break;
    }
    await notes.quiet();
  }

  /** Bytes that begin as no others of this dialogue. */
  #bytes(length: number): string {
    if (length === 0) return '';
    const begin = `<${this.#random.word(signature - 2)}>`;
    return (
      begin +
      this.#random
        .word(64)
        .repeat(Math.ceil(length / 64))
        .slice(0, length)
    );
  }

  #newData(side: Data['side'], socket: Socket, isTls = false): Data {
    const data = new Data(side, socket, this.#notes, isTls);
    this.#data.push(data);
    if (this.#isOver) data.cut();
    return data;
  }

  async #step(step: Step, client: Control): Promise<void> {
    switch (step.do) {
      case 'quiet':
        await this.#notes.quiet();
        break;
      case 'say':
        await client.say(await this.#filled(step.text), step.cuts);
        break;
      case 'dial':
        await this.#dial(step);
        break;
      case 'hello':
        await this.#hello(step.how, client);
        break;
      case 'deaf':
        client.deaf();
        break;
      case 'hear':
        client.hear();
        break;
      case 'end':
        client.end(step.how);
        break;
    }
  }

  #keep(listening: Listening): void {
    if (this.#isOver) close(listening);
    else this.#listeners.push(listening);
  }

  async #filled(text: string): Promise<string> {
    let filled = text
      .replaceAll('{me}', hosts.client.replaceAll('.', ','))
      .replaceAll('{me.}', hosts.client)
      .replaceAll('{other}', hosts.other.replaceAll('.', ','))
      .replaceAll('{other.}', hosts.other)
      .replaceAll('{relay.}', hosts.relay);
    if (/\{p\}|\{P\}/.test(filled)) {
      const listening: Listening = await listenAt(hosts.client, this.#notes, (socket) => {
        this.#notes.add({ what: 'data-accepted', at: { address: hosts.client, port: listening.port } });
        listening.waiting.pop();
        const data = this.#newData('client', socket, this.#isDataProtected);
        if (this.#random.chance(0.5)) data.send(this.#bytes(this.#random.between(1, 300)));
        if (this.#random.chance(0.7)) data.end(this.#random.chance(0.9) ? 'fin' : 'reset');
      });
      this.#keep(listening);
      const { port } = listening;
      filled = filled.replaceAll('{p}', `${port >> 8},${port & 0xff}`).replaceAll('{P}', String(port));
    }
    return filled;
  }

  /** To where the last announcement leads, as clients read it. */
  async #dial({ who, bytes, end }: Step & { readonly do: 'dial' }): Promise<void> {
    const lines = (this.#client?.heard ?? '').split('\n').filter((line) => /^22[79]/.test(line));
    const line = lines.at(-1) ?? '';
    const numbers = /(\d+),(\d+)\)?\.?[^,\d]*$/.exec(line.replace(/~.*$/, ''));
    const extended = /\((.)\1\1(\d+)\1\)/.exec(line);
    const port = extended ? Number(extended[2]) : numbers ? Number(numbers[1]) * 256 + Number(numbers[2]) : 0;
    const { passivePorts } = this.#relay;
    // An announcement that the relay left as it was leads to somebody else's port.
    if (port < passivePorts[0] || port > passivePorts[1]) return;
    const socket = await dial(hosts.relay, port, who === 'client' ? hosts.client : hosts.stranger);
    if (!socket) return;
    const data = this.#newData(who, socket, who === 'client' && this.#isDataProtected);
    data.send(this.#bytes(bytes));
    if (end !== 'stay') data.end(end);
  }

  async #hello(how: 'proper' | 'cut' | 'garbage' | 'half', client: Control): Promise<void> {
    await this.#notes.quiet();
    if (
      !/^234 [^\n]*\n$/m.test(client.heard.slice(client.heard.lastIndexOf('\n', client.heard.length - 2) + 1))
    )
      return;
    switch (how) {
      case 'proper':
      case 'cut':
        await client.secure(this.#random.fork(3), how === 'cut');
        break;
      case 'garbage':
        this.#notes.add({ what: 'hello' });
        client.raw(Buffer.from(this.#random.bytes(this.#random.between(1, 300)), 'latin1'));
        break;
      case 'half':
        this.#notes.add({ what: 'hello' });
        client.raw(Buffer.of(0x16, 3, 1, 2, 0, 1, 0));
        client.end(this.#random.chance(0.5) ? 'fin' : 'reset');
        break;
    }
  }

  /** Ends the dialogue as it says, and then whatever is left of it. */
  async #finish(): Promise<void> {
    const notes = this.#notes;
    const [client, server] = [this.#client, this.#server];
    if (!client || !server) return;
    client.hear();
    const { ending } = this.#dialogue;
    if (ending === 'quit') {
      await client.say('QUIT\r\n');
      if (isClean(this.#dialogue) && !(await notes.until(() => client.isOver)))
        this.#hangs('a QUIT is not answered');
      await notes.quiet();
    } else {
      const side = ending.startsWith('client') ? client : server;
      side.end(ending.endsWith('fin') ? 'fin' : 'reset');
      await notes.quiet();
    }
    // Whoever is left goes as well: the server as soon as it knows that the client has gone.
    if (!client.hasEnded) client.end('fin');
    await notes.quiet();
    if (!server.hasEnded) server.end('fin');
    this.#isOver = true;
    for (const data of this.#data) data.cut();
    for (const listening of this.#listeners) close(listening);
    await notes.until(() => client.isOver || client.socket.destroyed);
    await notes.quiet();
    // Whether it has is for the model to say.
    if (this.#session !== undefined) await notes.until(() => this.#isSessionOver);
    await this.#nothingIsLeft();
    this.#seesNoSecret();
  }

  #hangs(words: string): void {
    this.#complaints.push({ property: 1, words });
  }

  async #nothingIsLeft(): Promise<void> {
    const notes = this.#notes;
    const pending = (): Set<number> => {
      const open = new Set<number>();
      for (const entry of notes.entries) {
        // The kernel may have let somebody in before it heard that the pinhole was taken back: that is told behind it.
        if (entry.what === 'opened' || entry.what === 'taken') open.add(entry.id);
        // One that was taken is gone when its data channel is, or when it is taken back before that began.
        if (entry.what === 'carried' || entry.what === 'closed') open.delete(entry.id);
      }
      return open;
    };
    await notes.until(() => pending().size === 0);
    for (let n = 0; this.#relay.isListening && n < this.#listenerTurns; n++) await turn();
    await notes.until(() => pending().size === 0);
    const left = this.#relay.newlyLeft();
    if (left.length > 0)
      this.#complaints.push({ property: 5, words: `it listens at ${left.join(', ')} for nobody` });
  }

  #seesNoSecret(): void {
    const line = this.#relay
      .takeLog()
      .split('\n')
      .find((each) => each.includes(secret));
    if (line !== undefined)
      this.#complaints.push({ property: 3, words: `a password is in the log: ${line.slice(0, 300)}` });
  }
}

function factsOf({ expectation, mode, peer, at, to }: Told): PinholeFacts {
  return {
    id: expectation,
    mode,
    peer,
    at: { address: at.address, port: at.port },
    to: { address: to.address, port: to.port },
  };
}

function close(listening: Listening): void {
  listening.close();
  for (const socket of listening.waiting) socket.resetAndDestroy();
}
