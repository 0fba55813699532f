import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Event, Observer, SessionReason } from '../events.ts';
import type { OriginalDestination } from '../linux/original-destination.ts';
import { tcpChannel } from '../net/channel.ts';
import { Descriptors } from '../net/descriptors.ts';
import { endpointOfSocket, type Endpoint } from '../net/endpoint.ts';
import { hasLeft, ignoreError } from '../net/socket.ts';
import { Admission, clientOf, type AdmissionLimits } from '../proxy/admission.ts';
import { ClientShares, type ClientShare } from '../proxy/client-shares.ts';
import { refusalOf } from '../proxy/establish.ts';
import { OwnConnections } from '../proxy/own-connections.ts';
import { refuseClient } from '../proxy/refuse.ts';
import { leastBusy } from './choose.ts';
import type { DialledServer } from './messages.ts';
import type { PoolOwner, WorkerPool } from './pool.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface ReceptionLimits extends AdmissionLimits {
  /** How long a client waits for a worker, in milliseconds. */
  readonly connectTimeout: number;
}

/** A client that was admitted, until its session is over. */
interface Visit {
  readonly id: number;
  readonly client: Endpoint;
  readonly isImplicit: boolean;
  readonly share: ClientShare;
  /** It counts no longer. */
  readonly leave: () => void;
  /** Its connection, as long as no worker has it. */
  socket: Socket | undefined;
  /** That is another process's from now on, or closed. */
  readonly passed: () => void;
  worker: WorkerProcess | undefined;
  isOpened: boolean;
  isLoggedIn: boolean;
  /** Forgets the connection to its server. */
  hangUp: (() => void) | undefined;
  /** Runs while there is no worker for it. */
  limit: NodeJS.Timeout | undefined;
}

/** What clients that no worker has yet may have of the descriptors of this process. */
const shareOfWaiting = 0.7;

/** How long sessions may take to end: a client may be slow to close its control connection. */
const patience = 10_000;

/**
 * Where clients arrive that workers serve: admits and counts them, over all workers, as `Sessions` does where there are
 * none, and gives each to the worker with the fewest sessions.
 */
export class Reception implements PoolOwner {
  #limits: ReceptionLimits;
  readonly #pool: WorkerPool;
  readonly #observe: Observer;
  readonly #originalDestination: OriginalDestination | undefined;
  readonly #admission: Admission;
  readonly #shares = new ClientShares();
  readonly #own = new OwnConnections();
  /** Of this process, which has a client's connection until a worker has it. */
  readonly #descriptors: Descriptors;
  readonly #visits = new Map<number, Visit>();
  #lastId = 0;
  #closing = false;
  /** Ends workers that do not do as they are told. */
  #end: NodeJS.Timeout | undefined;

  /**
   * @param descriptors how many connections all workers may have, and how many this process
   * @param originalDestination set when sessions are intercepted
   */
  constructor(
    limits: ReceptionLimits,
    pool: WorkerPool,
    descriptors: { readonly ofAll: number; readonly here: number },
    observe: Observer,
    originalDestination?: OriginalDestination,
  ) {
    this.#originalDestination = originalDestination;
    this.#limits = limits;
    this.#pool = pool;
    this.#observe = observe;
    this.#admission = new Admission(new Descriptors(descriptors.ofAll));
    this.#descriptors = new Descriptors(descriptors.here);
    pool.listen(this);
  }

  get count(): number {
    return this.#admission.count;
  }

  /** Clients that come from now on are admitted by these. */
  configure(limits: ReceptionLimits): void {
    this.#limits = limits;
  }

  /** Takes a client's control connection, paused, over. @param isImplicit whether it is TLS from its first byte */
  accept(socket: Socket, isImplicit: boolean): void {
    const client = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    const arrived = endpointOfSocket(socket.localAddress, socket.localPort);
    if (!client || !arrived) {
      // It was reset before it was accepted.
      socket.destroy();
      return;
    }
    socket.once('error', ignoreError);
    // What a worker has dialled in this moment may be told in this turn.
    setImmediate(() => void this.#admit(socket, client, arrived, isImplicit));
  }

  /** @returns how many data connections live on; undefined: there is no such session */
  async closeByAdministrator(id: number): Promise<number | undefined> {
    const worker = this.#visits.get(id)?.worker;
    // A worker that ends before it answers has no session any more.
    const left = await worker?.ask({ kind: 'close-session', id }).catch(() => undefined);
    return typeof left === 'number' ? left : undefined;
  }

  /** Resolves when no session is left, after so many milliseconds, or by `over`. Sessions go on as they are. */
  idle(limit: number, over: AbortSignal): Promise<void> {
    return this.#admission.untilEmptyWithin(limit, over);
  }

  /** Ends sessions as they become idle. Resolves when all have ended: `shutDown` ends the rest. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#pool.retire();
    for (const visit of [...this.#visits.values()]) if (!visit.worker) this.#giveUp(visit, 'shutdown');
    this.#pool.tell({ kind: 'close' });
    await this.#admission.untilEmpty();
    clearTimeout(this.#end);
  }

  /** Ends all, with their transfers. */
  shutDown(): void {
    this.#pool.tell({ kind: 'shut-down' });
    if (this.count === 0) return;
    clearTimeout(this.#end);
    this.#end = setTimeout(() => {
      for (const worker of this.#pool.all) if (worker.sessions > 0) worker.kill('its sessions did not end');
    }, patience);
  }

  // --- what workers tell ----------------------------------------------------------------------------------

  ready(worker: WorkerProcess): void {
    for (const visit of this.#visits.values()) if (visit.limit) this.#pass(visit, worker);
  }

  happened(event: Event): void {
    if (event.type !== 'session-opened' && event.type !== 'session-logged-in') return;
    const visit = this.#visits.get(event.session);
    if (!visit) return;
    visit.isOpened = true;
    if (event.type === 'session-opened' || visit.isLoggedIn) return;
    visit.isLoggedIn = true;
    visit.share.rate.loggedIn();
  }

  dialled(worker: WorkerProcess, { id, local, server }: DialledServer): void {
    const visit = this.#visits.get(id);
    if (!visit) return;
    visit.hangUp = this.#own.addServer(local, server);
    if (!this.#own.isServerOwn(local, server)) return;
    this.#own.remember(local, server);
    worker.tell({ kind: 'loop', id });
  }

  hungUp(session: number): void {
    this.#visits.get(session)?.hangUp?.();
  }

  left(session: number): void {
    const visit = this.#visits.get(session);
    if (!visit) return;
    this.#visits.delete(session);
    visit.passed();
    clearTimeout(visit.limit);
    visit.hangUp?.();
    if (visit.worker) visit.worker.sessions--;
    visit.leave();
  }

  died(worker: WorkerProcess): void {
    for (const visit of [...this.#visits.values()]) {
      if (visit.worker !== worker) continue;
      // It has not had this one yet.
      if (visit.socket && !this.#closing) this.#place(visit);
      else if (visit.socket) this.#giveUp(visit, 'shutdown');
      else this.#lost(visit);
    }
  }

  #lost(visit: Visit): void {
    const { client, isOpened } = visit;
    if (!isOpened) this.#observe({ type: 'session-refused', client, reason: 'worker-died' });
    this.left(visit.id);
  }

  // --- admission -------------------------------------------------------------------------------------------

  async #admit(socket: Socket, client: Endpoint, arrived: Endpoint, isImplicit: boolean): Promise<void> {
    const limits = this.#limits;
    const original = this.#originalDestination?.(socket, arrived.address) ?? arrived;
    const from = clientOf(client.address, limits);
    const why = this.#closing
      ? 'shutdown'
      : this.#own.isClientOwn(client, original)
        ? 'loop'
        : this.#admission.enter(from, limits);
    const passed = typeof why === 'string' ? undefined : this.#descriptors.take(1, shareOfWaiting);
    if (typeof why === 'string' || !passed) {
      if (typeof why !== 'string') why();
      this.#refuse(socket, client, isImplicit, typeof why === 'string' ? why : 'too-many-descriptors');
      return;
    }
    const share = this.#shares.enter(from);
    const forget = this.#own.addClient(client, original);
    const id = ++this.#lastId;
    const visit: Visit = {
      ...{ id, client, isImplicit, share, socket, passed, worker: undefined },
      ...{ isOpened: false, isLoggedIn: false, hangUp: undefined, limit: undefined },
      leave: () => {
        why();
        this.#shares.leave(from);
        forget();
      },
    };
    // Alone, a client takes time from nobody.
    const wait = this.#shares.isContended ? share.rate.begin(limits.connectTimeout) : 0;
    this.#visits.set(id, visit);
    if (wait === undefined) {
      this.#giveUp(visit, 'too-many-new-sessions');
      return;
    }
    if (wait > 0 && !(await this.#waits(visit, socket, wait))) return;
    this.#place(visit);
  }

  /** Returns whether it is still there, and wanted. */
  async #waits(visit: Visit, socket: Socket, wait: number): Promise<boolean> {
    await delay(wait);
    if (!this.#visits.has(visit.id)) return false;
    // A waiting client is not read: its end is not reported.
    if (!hasLeft(socket)) return true;
    socket.destroy();
    this.left(visit.id);
    return false;
  }

  /** Gives it to a worker; where there is none, as soon as there is one. */
  #place(visit: Visit): void {
    const worker = leastBusy(this.#pool.ready);
    visit.worker = undefined;
    if (worker) {
      this.#pass(visit, worker);
      return;
    }
    visit.limit ??= setTimeout(() => {
      if (!visit.worker) this.#giveUp(visit, 'worker-died');
    }, this.#limits.connectTimeout);
  }

  #pass(visit: Visit, worker: WorkerProcess): void {
    const { id, isImplicit, socket } = visit;
    if (!socket) return;
    clearTimeout(visit.limit);
    visit.limit = undefined;
    visit.worker = worker;
    worker.sessions++;
    worker.pass({ kind: 'client', id, isImplicit }, socket, (error) => {
      if (visit.worker !== worker) return;
      if (error) {
        this.#notPassed(visit, worker);
        return;
      }
      visit.socket = undefined;
      visit.passed();
      socket.destroy();
    });
  }

  /** The worker has ended, which is told soon, and the client is passed to another one then; or something else is wrong. */
  #notPassed(visit: Visit, worker: WorkerProcess): void {
    setTimeout(() => {
      if (visit.worker === worker && this.#visits.has(visit.id)) this.#giveUp(visit, 'worker-died');
    }, this.#limits.connectTimeout).unref();
  }

  #giveUp(visit: Visit, reason: SessionReason): void {
    const { socket, client, isImplicit } = visit;
    visit.socket = undefined;
    this.left(visit.id);
    if (socket) this.#refuse(socket, client, isImplicit, reason);
  }

  #refuse(socket: Socket, client: Endpoint, isImplicit: boolean, reason: SessionReason): void {
    // In clear it would be nothing that a TLS client understands.
    const reply = isImplicit ? undefined : refusalOf(reason);
    const how = { admission: this.#admission, limits: this.#limits, observe: this.#observe };
    refuseClient(tcpChannel(socket), client, { reason, reply, error: undefined }, how);
  }
}
