import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { passConnection } from '../node-internals/passed-connection.ts';
import type { EventBook } from './event-book.ts';
import type { Order, QuestionToWorker, Report, Telling } from './messages.ts';
import { Questions } from './questions.ts';

/**
 * In MiB. The young generation of V8's heap stays as large as it is when a process begins to serve (`daemon/tune.ts`); one
 * that has read a configuration has come to this, and a worker, which reads none, would stay at an eighth and collect garbage much more often.
 */
const youngGeneration = '--min-semi-space-size=8';

/** At how many looks in a row, one a second, one that is dismissed may have told nothing, as the machine is busy. */
const mostSilentLooks = 3;

/** How long one that is dismissed may take, in milliseconds. */
const patience = 5000;

/** How a process has ended. */
export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it said itself, where it could. */
  readonly error: string | undefined;
  readonly stack: string | undefined;
  /** For how many milliseconds it had run. */
  readonly lived: number;
}

/** One worker as the first process has it, from its start to its end. */
export class WorkerProcess {
  /** Its place among the workers, from 0. */
  readonly place: number;
  readonly book: EventBook;
  /** Sessions that it was given and that have not ended. */
  sessions = 0;
  isReady = false;
  report: Report | undefined = undefined;
  #silentLooks = 0;
  readonly #child: ChildProcess;
  readonly #questions: Questions<QuestionToWorker>;
  readonly #started: number = performance.now();
  #failure: { readonly error: string; readonly stack?: string | undefined } | undefined;

  /**
   * @param entry the module that it runs
   * @param told is called with what it tells, but answers and how it failed
   * @param ended is called once, behind all that it told
   */
  constructor(
    place: number,
    entry: string,
    book: EventBook,
    told: (worker: WorkerProcess, telling: Telling) => void,
    ended: (worker: WorkerProcess, death: Death) => void,
  ) {
    this.place = place;
    this.book = book;
    const child = fork(entry, {
      execArgv: [...process.execArgv, youngGeneration],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#questions = new Questions((message) => {
      this.tell(message);
    });
    child.on('message', (message) => {
      const telling = message as Telling;
      this.#silentLooks = 0;
      if (telling.kind === 'answer') this.#questions.answered(telling);
      else if (telling.kind === 'failed') this.#failure = telling;
      else told(this, telling);
    });
    let exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
    let isCut = false;
    const end = (): void => {
      if (!exit || !isCut) return;
      this.#questions.end();
      const lived = performance.now() - this.#started;
      ended(this, { ...exit, error: this.#failure?.error, stack: this.#failure?.stack, lived });
    };
    child.once('disconnect', () => {
      isCut = true;
      end();
    });
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      isCut ||= !child.connected;
      end();
    });
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      // It was never started.
      this.#failure = { error: error.message };
      exit ??= { code: null, signal: null };
      isCut = true;
      end();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it was told and has not read is lost with it. */
  tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  /** @throws where it cannot, and where it ends before it answers */
  ask(question: QuestionToWorker): Promise<unknown> {
    if (!this.#child.connected) return Promise.reject(new Error('the worker has ended'));
    return this.#questions.ask(question);
  }

  /** Gives it a client's connection. @param done is called when that has left, or could not */
  pass(
    order: Order & { readonly kind: 'client' },
    socket: Socket,
    done: (error: Error | null) => void,
  ): void {
    if (this.#child.connected) passConnection(this.#child, order, socket, done);
    else done(new Error('the worker has ended'));
  }

  /**
   * It resets what is open, tells what has happened, and ends; one that does not in a moment is killed, and one that hangs,
   * which may outlive this process, at once.
   */
  dismiss(): void {
    if (this.#silentLooks > mostSilentLooks) {
      this.kill('it told nothing for three seconds');
      return;
    }
    this.tell({ kind: 'dismiss' });
    setTimeout(() => {
      this.kill('it did not end when it was told to');
    }, patience).unref();
  }

  /** Returns how often it was looked at since it has told something. */
  look(): number {
    return ++this.#silentLooks;
  }

  /** @param why as its death is explained; undefined: as it explains itself */
  kill(why?: string): void {
    if (why !== undefined) this.#failure ??= { error: why };
    this.#child.kill('SIGKILL');
  }
}
