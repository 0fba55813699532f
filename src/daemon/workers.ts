import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { WorkerFacts } from '../admin/inside.ts';
import type { Config } from '../config/config.ts';
import type { Observer, PinholeFacts } from '../events.ts';
import { dismiss } from '../linux/nftables/transaction.ts';
import { loadOriginalDestination, type OriginalDestination } from '../linux/original-destination.ts';
import type { ServiceUser } from '../linux/privileges.ts';
import type { Logger } from '../log/log.ts';
import { messageOf } from '../net/error.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { Borrowing } from '../plane/borrowing.ts';
import { openHostTable, type HostTable } from '../plane/kernel-host.ts';
import type { KernelTable } from '../plane/kernel-table.ts';
import { WorkerPool } from '../workers/pool.ts';
import { Reception, type ReceptionLimits } from '../workers/reception.ts';
import { giveUp, needsOf, type Carriers } from './carriers.ts';
import type { TlsFiles } from './certificates.ts';
import type { PublicAddresses } from './public-addresses.ts';

/** How many workers a configuration asks for; 1: this process serves the sessions itself. */
export function workersOf({ workers }: Config): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/** How long the plane of a worker may take beyond the grace, in milliseconds. */
const patience = 5000;

export interface WorkersOptions {
  readonly count: number;
  readonly observe: Observer;
  readonly logger: Logger;
  /** How many descriptors the connections of each worker may have. */
  readonly descriptors: number;
  readonly isDialogueWanted: () => boolean;
  /** The service's own folder, where its processes tell each other which ports rest. */
  readonly runtimeDirectory: string | undefined;
  readonly tlsFiles: TlsFiles;
}

/** The workers of a daemon. */
export class Workers {
  readonly #pool: WorkerPool;
  readonly #options: WorkersOptions;
  readonly carriers: Carriers;
  /** Of connections, over all. */
  readonly descriptors: { readonly taken: number; readonly total: number };

  readonly borrowing: Borrowing | undefined;
  readonly #originalDestination: OriginalDestination | undefined;

  private constructor(
    pool: WorkerPool,
    options: WorkersOptions,
    host: HostTable | undefined,
    originalDestination: OriginalDestination | undefined,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#originalDestination = originalDestination;
    this.borrowing = host && new Borrowing(host.table);
    this.descriptors = {
      total: options.descriptors * options.count,
      get taken() {
        return sum(pool.ready.map(({ report }) => report?.descriptors ?? 0));
      },
    };
    this.carriers = {
      plane: {
        get channels() {
          return sum(pool.ready.map(({ book }) => book.channels));
        },
        progress: () => pool.ready.flatMap(({ book }) => [...book.progress]),
        close: (grace) => closePlanes(pool, grace),
      },
      configure: () => undefined,
      retire: async () => host?.retire(),
      release: () => {
        pool.dismiss();
        host?.close();
      },
      abandon: () => {
        pool.dismiss();
        giveUp(host);
      },
    };
  }

  /** @throws where one cannot start */
  static async start(config: Config, options: WorkersOptions): Promise<Workers> {
    const { count, observe, logger, runtimeDirectory, isDialogueWanted } = options;
    const entry = fileURLToPath(new URL('../worker.js', import.meta.url));
    const shared = {
      ...{ config, addresses: {}, listening: [] },
      ...{ isDialogueWanted: isDialogueWanted(), tlsFiles: [...options.tlsFiles] },
    };
    const originalDestination = config.intercept ? await loadOriginalDestination() : undefined;
    const needs = needsOf(config);
    const host = needs && (await openHostTable(needs, observe));
    const pool = new WorkerPool({
      ...{ count, entry, shared, runtimeDirectory, observe, logger },
      makeTable: oneAtATime(() => host?.table.makeAgain()),
      lost: (pinholes) => {
        if (host) dismissAll(host.table, pinholes);
      },
    });
    host?.table.shareWith(async () =>
      sum((await pool.askAll({ kind: 'restore-table' })).map((count) => Number(count ?? 0))),
    );
    try {
      await pool.start();
    } catch (error) {
      giveUp(host);
      throw error;
    }
    return new Workers(pool, options, host, originalDestination);
  }

  /** Admits clients for them. */
  receive(limits: ReceptionLimits): Reception {
    return new Reception(
      limits,
      this.#pool,
      { ofAll: this.descriptors.total, here: this.#options.descriptors },
      this.#options.observe,
      this.#originalDestination,
    );
  }

  /** Has each look whether it can follow a configuration. @throws where one cannot; nothing has changed then */
  async prepare(config: Config, tlsFiles: TlsFiles): Promise<void> {
    await this.#pool.askAll({ kind: 'prepare', config, tlsFiles: [...tlsFiles] }).catch((error: unknown) => {
      throw new Error(`a worker cannot follow this configuration: ${messageOf(error)}`, { cause: error });
    });
  }

  /** What sessions are made with from now on. */
  change(
    config: Config,
    tlsFiles: TlsFiles,
    addresses: PublicAddresses,
    listening: readonly Endpoint[],
  ): void {
    this.#pool.change({ config, tlsFiles: [...tlsFiles], addresses: known(addresses), listening });
  }

  /** Those that start later are that user's from their beginning, or become it. @throws where one cannot */
  async becomeUser(user: ServiceUser): Promise<void> {
    this.#pool.change({ user });
    await this.#pool.askAll({ kind: 'become', user }, this.#pool.all);
  }

  tellListening(listening: readonly Endpoint[]): void {
    this.#pool.change({ listening });
  }

  tellAddresses(addresses: PublicAddresses): void {
    this.#pool.change({ addresses: known(addresses) });
  }

  /** Somebody wants to see the dialogues, or nobody any more. */
  tellDialogue(): void {
    this.#pool.change({ isDialogueWanted: this.#options.isDialogueWanted() });
  }

  tellCertificates(tlsFiles: TlsFiles): void {
    this.#pool.change({ tlsFiles: [...tlsFiles] });
  }

  get facts(): WorkerFacts[] {
    return this.#pool.ready
      .map(({ place, pid = 0, sessions, book, report }) => ({
        ...{ worker: place, pid, sessions, dataConnections: book.channels },
        eventLoopDelay: report?.eventLoopDelay ?? { median: 0, p99: 0, worst: 0 },
        memory: report?.memory ?? 0,
        processorTime: report?.processorTime ?? 0,
      }))
      .sort((one, other) => one.worker - other.worker);
  }
}

/** Takes out of the table what a worker had put in that has died. */
function dismissAll(table: KernelTable, pinholes: readonly PinholeFacts[]): void {
  for (const { plane, peer, at, to } of pinholes) {
    if (plane === 'kernel') table.withdraw(dismiss(table.settings.table, { peer, at, to }));
  }
}

/** Begins work, but not while some of it goes on. The result is that it has begun, or why it cannot. */
function oneAtATime(begin: () => Promise<void> | undefined): () => void {
  let current: Promise<void> | undefined;
  return () => {
    current ??= begin()?.finally(() => {
      current = undefined;
    });
  };
}

async function closePlanes(pool: WorkerPool, grace: number): Promise<void> {
  pool.retire();
  await Promise.all(
    pool.ready.map(async (worker) => {
      const timer = setTimeout(() => {
        worker.kill('its data connections did not end');
      }, grace + patience);
      // One that ends before it answers has none any more.
      await worker.ask({ kind: 'close-plane', grace }).catch(() => undefined);
      clearTimeout(timer);
    }),
  );
}

function known({ of }: PublicAddresses): { 4: ReturnType<typeof of>; 6: ReturnType<typeof of> } {
  return { 4: of(4), 6: of(6) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
