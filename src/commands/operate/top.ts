import type { DataAnswer, SessionAnswer } from '../../admin/answers.ts';
import type { StatusAnswer } from '../../admin/status-answer.ts';
import { codeOf, messageOf } from '../../net/error.ts';
import type { Subcommand } from '../subcommand.ts';
import { retiredPath } from '../../config/admin.ts';
import { clientAt, findRelay, type AdminClient } from './admin-client.ts';
import { closeSession } from './close.ts';
import { drainingBeside, entriesOf, sessionText, type OfProcess } from './draining.ts';
import { sessionName, withAdmin, type AdminFlags, type SessionName } from './flags.ts';
import { shown } from './print.ts';
import { Screen } from './screen.ts';
import { Watch, type Snapshot } from './top-state.ts';
import { renderTop, sortings, type TopView } from './top-view.ts';

export const topCommand: Subcommand<AdminFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .usage('$0 top')
      .epilogue(
        'Keys: s sort, r reverse, k end a session, p pause, ? help, q quit. Without a terminal: list.',
      ),
  handler: async ({ admin }) => {
    checkTerminal();
    await new Top(await findRelay(admin)).run();
  },
};

/** @throws where there is no terminal that a screen could be drawn on */
function checkTerminal(): void {
  const { TERM: terminal = 'dumb' } = process.env;
  const why =
    !process.stdin.isTTY || !process.stdout.isTTY
      ? 'standard input and output have to be a terminal'
      : terminal === 'dumb' || terminal === ''
        ? 'TERM names no terminal that has a screen'
        : undefined;
  if (why !== undefined) throw new Error(`top: ${why}; without one: npx pinhole list, or list --json`);
}

/** Milliseconds between two looks. */
const interval = 1000;

type Mode =
  | { readonly kind: 'watching' }
  | { readonly kind: 'asking'; readonly digits: string }
  | { readonly kind: 'confirming'; readonly name: SessionName };

/** The live view, from its first look to its end. */
class Top {
  readonly #relay: AdminClient;
  readonly #watch = new Watch();
  #view: TopView = {
    seen: undefined,
    sorting: 'rate',
    isReversed: false,
    isPaused: false,
    isHelp: false,
    bottom: undefined,
  };
  #mode: Mode = { kind: 'watching' };
  #sessions: readonly (SessionAnswer & OfProcess)[] = [];
  #screen: Screen | undefined;
  #timer: NodeJS.Timeout | undefined;
  #finish: (error?: Error) => void = () => undefined;

  constructor(relay: AdminClient) {
    this.#relay = relay;
  }

  /** @throws where the relay ends */
  async run(): Promise<void> {
    const over = new Promise<void>((resolve, reject) => {
      this.#finish = (error) => {
        if (error) reject(error);
        else resolve();
      };
    });
    this.#screen = new Screen({
      key: (key) => {
        this.#key(key);
      },
      resize: () => {
        this.#draw();
      },
      end: (exitCode) => {
        process.exitCode = exitCode;
        this.#finish();
      },
    });
    try {
      this.#draw();
      void this.#look();
      await over;
    } finally {
      clearTimeout(this.#timer);
      this.#screen.leave();
    }
  }

  async #look(): Promise<void> {
    const begun = performance.now();
    try {
      if (!this.#view.isPaused) {
        const snapshot = await snapshotOf(this.#relay);
        this.#sessions = snapshot.sessions;
        this.#view = { ...this.#view, seen: this.#watch.add(snapshot) };
        this.#draw();
      } else await this.#relay.get('/v1/status');
      this.#timer = setTimeout(
        () => void this.#look(),
        Math.max(100, interval - (performance.now() - begun)),
      );
    } catch (error) {
      const isGone = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(String(codeOf(error)));
      this.#finish(
        new Error(isGone ? 'the relay has ended' : `the relay does not answer: ${messageOf(error)}`),
      );
    }
  }

  #draw(): void {
    const screen = this.#screen;
    if (screen)
      screen.draw(renderTop({ ...this.#view, bottom: this.#bottom() }, screen.columns, screen.rows));
  }

  #bottom(): string | undefined {
    switch (this.#mode.kind) {
      case 'watching':
        return this.#view.bottom;
      case 'asking':
        return `end which session? its ID: ${this.#mode.digits}_`;
      case 'confirming': {
        const { name } = this.#mode;
        const session = this.#sessions.find(({ id, process }) => id === name.id && process === name.process);
        const whose = session ? `, ${session.client}, ${shown(session.user)}` : '';
        return `end session ${sessionText(name.id, name)}${whose}? y/n`;
      }
    }
  }

  #key(key: string): void {
    // What the last key has done has been read.
    this.#view = { ...this.#view, bottom: undefined };
    if (this.#mode.kind === 'asking') this.#answer(key, this.#mode.digits);
    else if (this.#mode.kind === 'confirming') this.#confirm(key, this.#mode.name);
    else this.#command(key);
    this.#draw();
  }

  #command(key: string): void {
    const view = this.#view;
    switch (key) {
      case 'q':
        this.#finish();
        break;
      case 's':
        this.#view = {
          ...view,
          sorting: sortings[(sortings.indexOf(view.sorting) + 1) % sortings.length] ?? 'rate',
        };
        break;
      case 'r':
        this.#view = { ...view, isReversed: !view.isReversed };
        break;
      case 'p':
        this.#view = { ...view, isPaused: !view.isPaused };
        break;
      case '?':
        this.#view = { ...view, isHelp: !view.isHelp };
        break;
      case 'escape':
        this.#view = { ...view, isHelp: false };
        break;
      case 'k':
        this.#mode = { kind: 'asking', digits: '' };
        break;
      default:
        break;
    }
  }

  #answer(key: string, digits: string): void {
    if (/^[\d:]$/.test(key) && digits.length < 20) this.#mode = { kind: 'asking', digits: digits + key };
    else if (key === 'backspace') this.#mode = { kind: 'asking', digits: digits.slice(0, -1) };
    else if (key === 'enter' && digits !== '') {
      const read = sessionName.read(digits);
      this.#mode = 'wrong' in read ? { kind: 'watching' } : { kind: 'confirming', name: read.value };
    } else if (key === 'escape' || key === 'enter' || key === 'q') this.#mode = { kind: 'watching' };
  }

  #confirm(key: string, name: SessionName): void {
    this.#mode = { kind: 'watching' };
    if (key.toLowerCase() !== 'y') {
      this.#view = { ...this.#view, bottom: `session ${sessionText(name.id, name)} goes on` };
      return;
    }
    const { path } = this.#relay;
    const relay = name.process === undefined ? this.#relay : clientAt(retiredPath(path, name.process));
    void closeSession(relay, name)
      .catch(messageOf)
      .then((bottom) => {
        this.#view = { ...this.#view, bottom };
        this.#draw();
      });
  }
}

async function snapshotOf(relay: AdminClient): Promise<Snapshot> {
  const relays = { serving: relay, draining: await drainingBeside(relay.path) };
  const [status, sessions, data, { counters }] = await Promise.all([
    relay.get<StatusAnswer>('/v1/status'),
    entriesOf<SessionAnswer>(relays, 'sessions'),
    entriesOf<DataAnswer>(relays, 'data'),
    relay.get<{ readonly counters: Readonly<Record<string, number>> }>('/v1/counters'),
  ]);
  const draining = relays.draining.map((each) => each.status);
  return { at: performance.now(), status, draining, sessions, data, counters };
}
