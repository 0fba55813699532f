import type { Observer } from '../events.ts';
import { becomeUser, type ServiceUser } from '../linux/privileges.ts';
import { descriptorLimit, descriptorsToShare } from '../linux/process-limits.ts';
import { loadSocketCalls } from '../linux/socket-calls.ts';
import { Descriptors } from '../net/descriptors.ts';
import { messageOf } from '../net/error.ts';
import type { PortRange } from '../net/port-range.ts';
import { receivedConnection } from '../node-internals/passed-connection.ts';
import { Sessions, type TlsServices } from '../proxy/sessions.ts';
import { watchEventLoop, type EventLoopWatch } from '../status/event-loop.ts';
import type { ReadFile } from '../tls/identities.ts';
import { HappenedBatch } from '../workers/happened-batch.ts';
import type { Order, QuestionToFirst, QuestionToWorker, Shared, Telling } from '../workers/messages.ts';
import { PortShare } from '../workers/port-share.ts';
import { answerTo, Questions } from '../workers/questions.ts';
import { loadTls, rereadCertificates } from './certificates.ts';
import { startCarriers, type OwnCarriers } from './carriers.ts';
import { isOneOf } from './listeners.ts';
import { isOwnAddress } from './own-address.ts';
import { openPortJournal } from './port-journal.ts';
import { settingsOf, type ServableConfig } from './settings.ts';
import { tune } from './tune.ts';

/** How often a worker tells how it is, in milliseconds. */
const reportInterval = 1000;
/** In each of how many reports the kernel is asked how far its data connections are: it lists all that it has. */
const kernelReports = 10;

/**
 * Serves the sessions that the first process gives to this one, over the channel that it was forked with, until that is
 * cut: whatever ends the first process, this one ends with it.
 */
export function serveAsWorker(): void {
  // A terminal and systemd send their signals to all processes: the first one says what becomes of this.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
    process.on(signal, () => undefined);
  const tell = (telling: Telling, done?: () => void): void => {
    // What cannot be told any more is an error only where somebody waits for that: the end of the channel is told anyway.
    if (process.connected) process.send?.(telling, undefined, undefined, done ?? (() => undefined));
    else done?.();
  };
  let worker: Worker | undefined;
  const end = (last: Telling, code: number): void => {
    // A file that is cut off here must not look whole to anybody.
    worker?.abort();
    worker?.flush();
    tell(last, () => process.exit(code));
  };
  const fail = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    end({ kind: 'failed', error: messageOf(error), stack }, 1);
  };
  process.on('uncaughtException', fail);
  process.once('disconnect', () => {
    worker?.abort();
    process.exit(0);
  });
  const early: { readonly order: Order; readonly connection: unknown }[] = [];
  process.on('message', (order: Order, connection: unknown) => {
    if (order.kind === 'dismiss') end({ kind: 'dismissed' }, 0);
    else if (worker) worker.obey(order, connection);
    else if (order.kind !== 'start') early.push({ order, connection });
    else startWorker(order, tell).then(begin, fail);
  });
  const begin = (started: Worker): void => {
    worker = started;
    for (const { order, connection } of early) started.obey(order, connection);
    tell({ kind: 'ready' });
  };
}

async function startWorker(
  { shared, ports, workers, runtimeDirectory }: Order & { readonly kind: 'start' },
  tell: (telling: Telling) => void,
): Promise<Worker> {
  const config = servable(shared);
  tune(config);
  await loadSocketCalls();
  const { services } = loadTls(config, readerOf(shared.tlsFiles));
  const share = new PortShare();
  share.add(ports);
  const batch = new HappenedBatch(tell, shared.isDialogueWanted);
  const questions = new Questions<QuestionToFirst>(tell);
  const descriptors = new Descriptors(descriptorsToShare(descriptorLimit()));
  const carriers = await startCarriers(
    config,
    descriptors,
    batch.observe,
    openPortJournal(runtimeDirectory),
    {
      candidates: (range, preferred, random) => share.candidates(range, preferred, random),
      makeTable: async () => {
        await questions.ask({ kind: 'table' });
      },
      more: async (range) => {
        const more = (await questions.ask({ kind: 'ports', range })) as number[];
        share.add(more);
        return more;
      },
    },
  );
  if (shared.user) await become(shared.user);
  return new Worker(shared, services, { tell, carriers, descriptors, share, batch, questions, workers });
}

interface WorkerParts {
  readonly tell: (telling: Telling) => void;
  readonly carriers: OwnCarriers;
  readonly descriptors: Descriptors;
  readonly share: PortShare;
  readonly batch: HappenedBatch;
  readonly questions: Questions<QuestionToFirst>;
  readonly workers: number;
}

/** What a worker has, and what it does of what it is told. */
class Worker {
  readonly #parts: WorkerParts;
  readonly #sessions: Sessions;
  readonly #eventLoop: EventLoopWatch = watchEventLoop();
  #shared: Shared;
  /** As sessions that began with this configuration have them; they follow a name that is resolved again. */
  #addresses: { current: Shared['addresses'] };
  #tls: TlsServices;
  /** Made for a configuration that is to come. */
  #prepared: TlsServices | undefined;
  #reports = 0;

  constructor(shared: Shared, tls: TlsServices, parts: WorkerParts) {
    this.#shared = shared;
    this.#addresses = { current: shared.addresses };
    this.#tls = tls;
    this.#parts = parts;
    const { batch, carriers, descriptors, workers } = parts;
    const { plane, originalDestination, borrowing: borrower } = carriers;
    const observe: Observer = batch.observe;
    this.#sessions = new Sessions(
      this.#settings(),
      {
        ...{ plane, originalDestination, borrower, isOwnAddress, descriptors },
        isOwn: (endpoint) => isOneOf(this.#shared.listening, endpoint),
        processes: workers,
        dialled: (id, local, server) => batch.dialled({ id, local, server }),
      },
      observe,
    );
    setInterval(() => {
      this.#report();
    }, reportInterval).unref();
  }

  /** Resets every data channel at once. */
  abort(): void {
    const { carriers } = this.#parts;
    void carriers.plane.close(0);
    carriers.abandon();
  }

  /** Tells what has happened. */
  flush(): void {
    this.#parts.batch.flush();
  }

  obey(order: Order, connection: unknown): void {
    switch (order.kind) {
      case 'client':
        this.#accept(order, connection);
        break;
      case 'change':
        this.#change(order.shared, order.ports ?? []);
        break;
      case 'loop':
        this.#sessions.endLoop(order.id);
        break;
      case 'close':
        void this.#sessions.close();
        break;
      case 'shut-down':
        this.#sessions.shutDown();
        break;
      case 'question':
        void answerTo(order.number, () => this.#answer(order.question)).then((answer) => {
          // What has happened before comes before.
          this.#parts.batch.flush();
          this.#parts.tell(answer);
        });
        break;
      case 'answer':
        this.#parts.questions.answered(order);
        break;
      default:
        break;
    }
  }

  #accept({ id, isImplicit }: Order & { readonly kind: 'client' }, connection: unknown): void {
    const { batch } = this.#parts;
    const left = (): void => {
      batch.left(id);
    };
    const socket = receivedConnection(connection);
    if (socket) this.#sessions.accept(socket, isImplicit, { id, left });
    else left();
  }

  #change(shared: Partial<Shared>, ports: readonly number[]): void {
    const { share, batch, carriers } = this.#parts;
    this.#shared = { ...this.#shared, ...shared };
    share.add(ports);
    batch.isDialogueWanted = this.#shared.isDialogueWanted;
    if (shared.config) {
      this.#addresses = { current: this.#shared.addresses };
      this.#tls = this.#prepared ?? loadTls(shared.config, readerOf(this.#shared.tlsFiles)).services;
      this.#prepared = undefined;
      carriers.configure(shared.config);
    } else if (shared.tlsFiles) this.#changeCertificates();
    this.#addresses.current = this.#shared.addresses;
    if (shared.config) this.#sessions.configure(this.#settings());
  }

  #answer(question: QuestionToWorker): unknown {
    switch (question.kind) {
      case 'prepare':
        this.#prepared = loadTls(question.config, readerOf(question.tlsFiles)).services;
        return undefined;
      case 'become':
        return become(question.user);
      case 'ports':
        return this.#giveBack(question.range);
      case 'close-session':
        return this.#sessions.closeByAdministrator(question.id) ?? null;
      case 'restore-table':
        return this.#parts.carriers.restoreTable();
      case 'close-plane':
        return this.#parts.carriers.plane.close(question.grace);
    }
  }

  #giveBack(range: PortRange): number[] {
    const { share, carriers } = this.#parts;
    return share.giveBack(range, carriers.expectedPorts());
  }

  #changeCertificates(): void {
    const { forClients } = this.#tls;
    if (forClients) rereadCertificates(this.#shared.config, forClients, readerOf(this.#shared.tlsFiles));
  }

  #settings(): ReturnType<typeof settingsOf> {
    const addresses = this.#addresses;
    const of = (family: 4 | 6): Shared['addresses'][4] => addresses.current[family];
    return settingsOf(servable(this.#shared), { of, stop: () => undefined }, this.#tls);
  }

  #report(): void {
    const { tell, carriers, descriptors } = this.#parts;
    const { user, system } = process.cpuUsage();
    const every = this.#shared.config.plane === 'kernel' ? kernelReports : 1;
    tell({
      kind: 'report',
      eventLoopDelay: this.#eventLoop.read(),
      memory: process.memoryUsage.rss(),
      processorTime: (user + system) / 1e6,
      descriptors: descriptors.taken,
      progress: this.#reports++ % every === 0 ? carriers.plane.progress() : undefined,
    });
  }
}

/** Reads what the first process has read. */
function readerOf(files: Shared['tlsFiles']): ReadFile {
  const texts = new Map(files);
  return (file) => {
    const text = texts.get(file);
    if (text === undefined) throw new Error('the first process has not read it');
    return text;
  };
}

/** Where the first process had become this user before, this one was so from its beginning. */
async function become(user: ServiceUser): Promise<void> {
  if (process.getuid?.() !== user.uid) await becomeUser(user);
}

/** The first process listens, and this one has no listeners. */
function servable({ config }: Shared): ServableConfig {
  return { ...config, listen: config.listen ?? [] };
}
