import { randomInt } from 'node:crypto';
import type { Event, Observer, PinholeFacts } from '../events.ts';
import type { Logger } from '../log/log.ts';
import { portIn, type PortRange } from '../net/port-range.ts';
import { BackOff } from './back-off.ts';
import { EventBook } from './event-book.ts';
import type { DialledServer, Happened, Order, QuestionToWorker, Shared, Telling } from './messages.ts';
import { halfOf, PortLeases } from './port-leases.ts';
import { answerTo } from './questions.ts';
import { WorkerProcess, type Death } from './worker-process.ts';

export interface PoolOptions {
  /** How many workers there are. */
  readonly count: number;
  /** The module that they run. */
  readonly entry: string;
  readonly shared: Shared;
  /** The service's own folder. */
  readonly runtimeDirectory: string | undefined;
  readonly observe: Observer;
  readonly logger: Logger;
  /** Makes the table of nftables again. @throws where it cannot */
  readonly makeTable: () => void;
  /** A worker has died that had these pinholes. */
  readonly lost: (pinholes: readonly PinholeFacts[]) => void;
}

/** How often it is looked whether the workers tell anything, in milliseconds. */
const lookEvery = 1000;
/** At how many looks in a row one that has told nothing hangs: where it serves it tells something each second. */
const mostSilentLooks = { serving: 10, starting: 60 };

/** Who has given the workers their sessions, told of those. */
export interface PoolOwner {
  /** It serves from now on. */
  ready(worker: WorkerProcess): void;
  happened(event: Event): void;
  dialled(worker: WorkerProcess, connection: DialledServer): void;
  hungUp(session: number): void;
  /** It counts no longer. */
  left(session: number): void;
  /** What it had has ended. */
  died(worker: WorkerProcess): void;
}

/** The workers: starts them, again where one dies, and has all of them know the same. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #backOffs: readonly BackOff[];
  readonly #leases: PortLeases;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #looking: NodeJS.Timeout | undefined;
  #shared: Shared;
  #owner: PoolOwner | undefined;
  #lastExpectation = 0;
  #isClosing = false;
  /** Is told of the workers that end while the first ones start. */
  #failedToStart: ((error: Error) => void) | undefined;
  #allReady: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#shared = options.shared;
    this.#backOffs = Array.from({ length: options.count }, () => new BackOff());
    this.#leases = new PortLeases(options.count, (below) => randomInt(below));
    this.#leases.cover(rangesOf(this.#shared));
  }

  /** Those that serve. */
  get ready(): WorkerProcess[] {
    return [...this.#workers].filter(({ isReady }) => isReady);
  }

  listen(owner: PoolOwner): void {
    this.#owner = owner;
  }

  /** Starts all of them. @throws where one cannot start; none is left then */
  async start(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#allReady = resolve;
        this.#failedToStart = reject;
        for (let place = 0; place < this.#options.count; place++) this.#begin(place);
        this.#looking = setInterval(() => {
          this.#endThoseThatHang();
        }, lookEvery).unref();
      });
    } catch (error) {
      // The others end in silence: the first one says why.
      this.dismiss();
      throw error;
    } finally {
      this.#allReady = undefined;
    }
    this.#failedToStart = undefined;
  }

  /** All workers know this from now on. */
  change(shared: Partial<Shared>): void {
    this.#shared = { ...this.#shared, ...shared };
    const shares = shared.config ? this.#leases.cover(rangesOf(this.#shared)) : [];
    for (const worker of this.#workers)
      worker.tell({ kind: 'change', shared, ports: shares[worker.place] ?? [] });
  }

  tell(order: Order): void {
    for (const worker of this.#workers) worker.tell(order);
  }

  /** Those that start as well. */
  get all(): WorkerProcess[] {
    return [...this.#workers];
  }

  /** Asks all that serve, or these. @throws what one of them says; one that ends before it answers counts as none */
  askAll(question: QuestionToWorker, workers: readonly WorkerProcess[] = this.ready): Promise<unknown[]> {
    return Promise.all(
      workers.map((worker) =>
        worker.ask(question).catch((error: unknown) => {
          if (this.#workers.has(worker)) throw error;
          return undefined;
        }),
      ),
    );
  }

  /** None is started any more. */
  retire(): void {
    this.#isClosing = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#restarts.clear();
  }

  /** Ends them; what is open is reset. */
  dismiss(): void {
    this.retire();
    clearInterval(this.#looking);
    for (const worker of this.#workers) worker.dismiss();
  }

  #endThoseThatHang(): void {
    for (const worker of this.#workers) {
      const most = worker.isReady ? mostSilentLooks.serving : mostSilentLooks.starting;
      if (worker.look() <= most) continue;
      worker.kill(`it told nothing for ${(most * lookEvery) / 1000} seconds`);
    }
  }

  #begin(place: number): void {
    const book = new EventBook(() => ++this.#lastExpectation);
    const worker = new WorkerProcess(
      place,
      this.#options.entry,
      book,
      (from, telling) => {
        this.#told(from, telling);
      },
      (which, death) => {
        this.#ended(which, death);
      },
    );
    this.#workers.add(worker);
    const ports = this.#leases.of(place);
    const { count: workers, runtimeDirectory } = this.#options;
    worker.tell({ kind: 'start', shared: this.#shared, ports, workers, runtimeDirectory });
  }

  #told(worker: WorkerProcess, telling: Telling): void {
    switch (telling.kind) {
      case 'ready':
        worker.isReady = true;
        this.#options.logger.info({ worker: worker.place, workerPid: worker.pid }, 'worker started');
        this.#owner?.ready(worker);
        if (this.ready.length === this.#options.count) this.#allReady?.();
        break;
      case 'happened':
        this.#happened(worker, telling);
        break;
      case 'report':
        worker.report = telling;
        if (telling.progress) worker.book.told(telling.progress);
        break;
      case 'question': {
        const { number, question } = telling;
        const work = (): Promise<number[]> | undefined => {
          if (question.kind === 'ports') return this.#findPorts(worker, question.range);
          this.#options.makeTable();
          return undefined;
        };
        void answerTo(number, work).then((answer) => {
          worker.tell(answer);
        });
        break;
      }
      default:
        break;
    }
  }

  #happened(worker: WorkerProcess, { events, dialled = [], hungUp = [], left = [] }: Happened): void {
    for (const each of dialled) this.#owner?.dialled(worker, each);
    for (const told of events) this.#observe(worker.book.enter(told));
    for (const session of hungUp) this.#owner?.hungUp(session);
    for (const session of left) this.#owner?.left(session);
  }

  #observe(event: Event): void {
    this.#owner?.happened(event);
    this.#options.observe(event);
  }

  /**
   * Where no port of a worker's is free, others give up half of what they do not use. The answer is what comes first: one
   * that hangs is not waited for where another one has some.
   */
  #findPorts(worker: WorkerProcess, range: PortRange): Promise<number[]> {
    const { count } = this.#options;
    return new Promise((resolve) => {
      let isAnswered = false;
      let awaited = count - 1;
      for (let place = 0; place < count; place++) {
        if (place === worker.place) continue;
        void this.#unusedOf(place, range).then((unused) => {
          const ports = this.#leases.move(unused, place, worker.place);
          awaited--;
          if (isAnswered || !this.#workers.has(worker)) this.#give(worker.place, ports);
          else if (ports.length > 0 || awaited === 0) {
            isAnswered = true;
            resolve(ports);
          }
        });
      }
    });
  }

  async #unusedOf(place: number, range: PortRange): Promise<number[]> {
    const other = this.ready.find((each) => each.place === place);
    if (!other) return halfOf(this.#leases.of(place).filter((port) => portIn([range], port)));
    return (await other.ask({ kind: 'ports', range }).catch(() => [])) as number[];
  }

  /** To the worker at a place, which may be another one than that which asked: one that begins later begins with them. */
  #give(place: number, ports: readonly number[]): void {
    if (ports.length === 0) return;
    for (const worker of this.#workers)
      if (worker.place === place) worker.tell({ kind: 'change', shared: {}, ports });
  }

  #ended(worker: WorkerProcess, death: Death): void {
    this.#workers.delete(worker);
    worker.isReady = false;
    const { code, signal, error, stack } = death;
    if (this.#failedToStart) {
      const why = error ?? `it ended with ${signal ?? `code ${String(code)}`}`;
      this.#failedToStart(new Error(`a worker did not start: ${why}`));
      return;
    }
    const isDismissed = this.#isClosing && code === 0;
    const ends = worker.book.ends(isDismissed ? 'shutdown' : 'worker-died');
    this.#options.lost(ends.flatMap((event) => (event.type === 'pinhole-closed' ? [event] : [])));
    for (const event of ends) this.#options.observe(event);
    if (isDismissed) {
      this.#owner?.died(worker);
      return;
    }
    const wait = this.#backOffs[worker.place]?.died(death.lived) ?? 0;
    const facts = { worker: worker.place, workerPid: worker.pid, code, signal, error, stack };
    const { sessions } = worker;
    const restart = this.#isClosing ? {} : { restartIn: wait / 1000 };
    this.#options.logger.error({ ...facts, sessions, ...restart }, 'worker died');
    if (!this.#isClosing) this.#beginLater(worker.place, wait);
    this.#owner?.died(worker);
  }

  #beginLater(place: number, wait: number): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#begin(place);
    }, wait);
    this.#restarts.add(timer);
  }
}

function rangesOf({ config: { passivePorts, activePorts } }: Shared): PortRange[] {
  return [passivePorts, activePorts];
}
