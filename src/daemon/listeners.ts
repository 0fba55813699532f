import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { endpointsOf, overlapOf, reaches, type ListenAddress } from '../config/listening.ts';
import type { Address } from '../net/address.ts';
import { holderOfPort } from '../linux/port-holder.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { codeOf, messageOf } from '../net/error.ts';
import { listen, type Listener } from '../proxy/listener.ts';
import { keptName, type InheritedSockets, type KeptSocket, type SocketKeeper } from './inherited-sockets.ts';
import { isOwnAddress } from './own-address.ts';

/** Where clients connect, in clear and with TLS from the first byte. */
export interface ListenSettings {
  readonly listen: readonly ListenAddress[];
  readonly listenTls: readonly ListenAddress[];
}

/** The listeners for control connections. */
export class Listeners {
  readonly #accept: (socket: Socket, isImplicit: boolean) => void;
  readonly #inherited: InheritedSockets;
  readonly #keeper: SocketKeeper | undefined;
  /** What a process before this one has had kept, and nobody has looked at yet. */
  #unseen: readonly KeptSocket[];
  /** Of that what the settings want, by name. */
  readonly #wanted = new Map<string, number>();
  readonly #open = new Map<string, Listener>();
  /** Some of it was not wanted, and whoever keeps it may take a moment to close it. */
  #hasDropped = false;
  /** What is kept, by name. */
  readonly #told = new Set<string>();
  /** There is no next process. */
  #isForgotten = false;

  /**
   * @param accept gets each connection paused, and whether it is TLS from its first byte
   * @param inherited sockets that the service manager has bound: where it has any of a kind, the settings bind none
   * @param keeper keeps the others for the next process
   */
  constructor(
    accept: (socket: Socket, isImplicit: boolean) => void,
    inherited: InheritedSockets,
    keeper?: SocketKeeper,
  ) {
    this.#inherited = inherited;
    this.#keeper = keeper;
    this.#unseen = inherited.kept;
    this.#accept = accept;
  }

  /** A port 0 of the settings has become a number. */
  get endpoints(): Endpoint[] {
    return [...this.#open.values()].map(({ endpoint }) => endpoint);
  }

  /** Whether a connection to this endpoint would come here. */
  reaches(endpoint: Endpoint): boolean {
    return isOneOf(this.endpoints, endpoint);
  }

  /**
   * Opens what is new, then closes what is no longer wanted. Where one can't be had, all stay as they were.
   *
   * @throws with the endpoint that can't be had, and why
   */
  async configure({ listen: inClear, listenTls }: ListenSettings): Promise<void> {
    const opened = new Map<string, Listener>();
    const keys = new Set<string>();
    try {
      const { clear, tls } = this.#inherited;
      this.#sortKept([
        ...(clear.length > 0 ? [] : inClear.flatMap(endpointsOf)),
        ...(tls.length > 0 ? [] : listenTls.flatMap(endpointsOf)),
      ]);
      if (clear.length > 0) await this.#adopt(clear, false, keys, opened);
      else await this.#openNew(inClear, false, keys, opened);
      if (tls.length > 0) await this.#adopt(tls, true, keys, opened);
      else await this.#openNew(listenTls, true, keys, opened);
      if (this.#isForgotten) throw new Error('the relay is stopping');
    } catch (error) {
      for (const listener of opened.values()) listener.close();
      throw error;
    }
    for (const [key, listener] of this.#open) {
      if (!keys.has(key)) this.#forget(key, listener);
    }
    for (const [key, listener] of opened) this.#open.set(key, listener);
    this.#hasDropped = false;
    this.#keep();
  }

  /** Has those that this process has bound kept. */
  #keep(): void {
    for (const [key, { endpoint, fd }] of this.#open) {
      const name = keptName(endpoint);
      if (fd === undefined || key.startsWith(adopted) || this.#told.has(name)) continue;
      this.#keeper?.keep(name, fd);
      this.#told.add(name);
    }
  }

  #forget(key: string, listener: Listener): void {
    const { endpoint, fd } = listener;
    const name = keptName(endpoint);
    if (fd !== undefined && !key.startsWith(adopted) && this.#told.delete(name))
      this.#keeper?.forget(name, fd);
    listener.close();
    this.#open.delete(key);
  }

  /** As `close`, where there is no next process: clients that come from now on are refused. */
  forget(): void {
    this.#isForgotten = true;
    for (const [key, listener] of this.#open) this.#forget(key, listener);
  }

  /** Stops accepting; accepted connections continue. */
  close(): void {
    for (const listener of this.#open.values()) listener.close();
    this.#open.clear();
  }

  /** Listens on sockets that are bound already, from the first configuration on. */
  async #adopt(
    fds: readonly number[],
    isImplicit: boolean,
    keys: Set<string>,
    opened: Map<string, Listener>,
  ): Promise<void> {
    for (const fd of fds) {
      const key = `${adopted}${fd}`;
      keys.add(key);
      if (this.#open.has(key)) continue;
      const accept = (socket: Socket): void => {
        this.#accept(socket, isImplicit);
      };
      opened.set(key, await listenOn(fd, accept));
    }
  }

  /** Closes what is not wanted any more: it may be in the way of what is. */
  #sortKept(wanted: readonly Endpoint[]): void {
    const names = new Set(wanted.map(keptName));
    for (const { name, fd } of this.#unseen) {
      if (names.has(name) && !this.#wanted.has(name)) {
        this.#wanted.set(name, fd);
        this.#told.add(name);
        continue;
      }
      if (!names.has(name)) {
        this.#keeper?.forget(name, fd);
        this.#hasDropped = true;
      }
      closeSync(fd);
    }
    this.#unseen = [];
  }

  async #listenAt(
    at: Endpoint,
    wanted: readonly ListenAddress[],
    accept: Accept,
  ): Promise<Listener | undefined> {
    const name = keptName(at);
    const fd = this.#wanted.get(name);
    this.#wanted.delete(name);
    const kept = fd === undefined ? undefined : await this.#listenOnKept(name, fd, accept);
    if (kept) return kept;
    const { address, port } = at;
    const end = performance.now() + (this.#hasDropped ? forgetting : 0);
    for (;;) {
      try {
        return await listenOrExplain(address, port, wanted, accept);
      } catch (error) {
        if (codeOf((error as Error).cause) !== 'EADDRINUSE') throw error;
        const own = this.endpoints.find((endpoint) => overlapOf([endpoint, at]) !== undefined);
        if (own) throw inTheWay(at, own, error);
        if (performance.now() >= end) throw error;
        await delay(50);
      }
    }
  }

  /** Clients may have been waiting there since the process before this one. @returns undefined where it is no good any more */
  async #listenOnKept(name: string, fd: number, accept: Accept): Promise<Listener | undefined> {
    let listener: Listener | undefined;
    try {
      listener = await listenOn(fd, accept);
      if (keptName(listener.endpoint) === name) return listener;
    } catch {
      // Its interface is gone: another may have the same name by now.
    }
    this.#keeper?.forget(name, listener?.fd);
    listener?.close();
    this.#told.delete(name);
    this.#hasDropped = true;
    return undefined;
  }

  async #openNew(
    wanted: readonly ListenAddress[],
    isImplicit: boolean,
    keys: Set<string>,
    opened: Map<string, Listener>,
  ): Promise<void> {
    const accept = (socket: Socket): void => {
      this.#accept(socket, isImplicit);
    };
    for (const { address, port } of wanted.flatMap(endpointsOf)) {
      const key = `${formatEndpoint({ address, port })}${isImplicit ? ' tls' : ''}`;
      keys.add(key);
      if (this.#open.has(key)) continue;
      const listener = await this.#listenAt({ address, port }, wanted, accept);
      if (listener) opened.set(key, listener);
    }
  }
}

/** Of the key of a listener on a socket that the service manager has bound. */
const adopted = 'descriptor ';

/** How long the service manager may take to close what it kept, in milliseconds. */
const forgetting = 5000;

type Accept = Parameters<typeof listen>[1];

/** Whether a connection to this endpoint would come to one of those that this host listens at. */
export function isOneOf(listening: readonly Endpoint[], { address, port }: Endpoint): boolean {
  return listening.some((own) => own.port === port && reaches(address, own.address, isOwnAddress));
}

/** A reload opens what is new before it closes what is old. */
function inTheWay(wanted: Endpoint, own: Endpoint, cause: unknown): Error {
  const [at, ours] = [wanted, own].map(formatEndpoint);
  return new Error(`listen ${at}: Pinhole itself listens at ${ours}: that takes a restart`, { cause });
}

/** @throws with what is wrong with the descriptor */
async function listenOn(fd: number, accept: Accept): Promise<Listener> {
  try {
    return await listen({ fd }, accept);
  } catch (error) {
    throw new Error(`descriptor ${fd} of the service manager: ${messageOf(error)}`, { cause: error });
  }
}

/** A host without IPv6 has no `::`: a port alone then means IPv4. */
async function listenOrExplain(
  address: Address,
  port: number,
  wanted: readonly ListenAddress[],
  accept: Accept,
): Promise<Listener | undefined> {
  try {
    return await listen({ address, port }, accept);
  } catch (error) {
    const code = codeOf(error);
    const unasked = !wanted.some((each) => each.address === address);
    if (unasked && address === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'))
      return undefined;
    const holder = code === 'EADDRINUSE' ? holderOfPort(port) : undefined;
    const who = holder ? `: ${holder.name}, process id ${holder.pid}` : '';
    throw new Error(`listen ${formatEndpoint({ address, port })}: ${whyNoListener(error)}${who}`, {
      cause: error,
    });
  }
}

/** Why a port of this host cannot be listened on. */
export function whyNoListener(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'another process is using this port';
    case 'EACCES':
      return 'a port below 1024 needs root or CAP_NET_BIND_SERVICE';
    case 'EADDRNOTAVAIL':
      return 'no interface of this host has this address';
    default:
      return messageOf(error);
  }
}
