import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from './config/config.ts';
import { endpointsOf, reaches, type ListenAddress } from './config/listening.ts';
import { tlsPolicyOf } from './config/tls-policy.ts';
import { createCounters } from './admin/counters.ts';
import { watchEventLoop } from './admin/event-loop.ts';
import { loadTls, watchCertificates } from './daemon-tls.ts';
import { tellAll, type Observer } from './events.ts';
import { ExpectationRegister } from './expectation/register.ts';
import { logEvents, type Logger } from './log.ts';
import { familyOf, type Address, type Family } from './net/address.ts';
import { formatEndpoint, type Endpoint } from './net/endpoint.ts';
import { Descriptors } from './net/descriptors.ts';
import { codeOf, messageOf } from './net/error.ts';
import { formatPortRange } from './net/port-range.ts';
import { loadSocketCalls } from './linux/socket-calls.ts';
import { Borrowing } from './plane/borrowing.ts';
import { createEitherPlane } from './plane/either.ts';
import {
  missingSettings,
  openHostTable,
  startKernelPlane,
  type HostTable,
  type KernelNeeds,
  type WayBack,
} from './plane/kernel-host.ts';
import { createRelayPlane } from './plane/relay.ts';
import { descriptorLimit, descriptorsToShare } from './linux/process-limits.ts';
import { sessionsWithin } from './proxy/admission.ts';
import { listen, type Listener } from './proxy/listener.ts';
import { loadOriginalDestination } from './linux/original-destination.ts';
import { PublicAddress } from './proxy/public-address.ts';
import { Sessions, type SessionsHost, type SessionsSettings, type TlsServices } from './proxy/sessions.ts';

/** A configuration that leads to a server, the one that is named or those that clients mean, and has its listeners. */
export interface ServableConfig extends Config {
  readonly listen: NonNullable<Config['listen']>;
}

export interface Daemon {
  /** What it listens on; a port 0 of the configuration has become a number. */
  readonly endpoints: readonly Endpoint[];
  /** Sessions that begin from now on follow this configuration. The planes' own settings stay. */
  reload(config: ServableConfig): Promise<void>;
  /** No new sessions, transfers finish within the grace, then everything ends. */
  close(): Promise<void>;
  /** Resets every data channel at once, so that the end of the process does not look like the end of a file. */
  abort(): void;
}

/**
 * The one wiring: plane, sessions, listeners, log and counters.
 *
 * @param observers who listens besides the log and the counters
 * @throws when a listener or the plane can't be had; nothing is left running then
 */
export async function startDaemon(
  config: ServableConfig,
  logger: Logger,
  observers: readonly Observer[] = [],
): Promise<Daemon> {
  if (!(await loadSocketCalls())) logger.warn(withoutSocketCalls);
  const counters = createCounters();
  const observe = tellAll([counters.observe, logEvents(logger, config.ipv6ClientPrefix), ...observers]);
  let tls = startTls(config, logger);
  const limit = descriptorLimit();
  const descriptors = new Descriptors(descriptorsToShare(limit));
  const carriers = await startCarriers(config, descriptors, observe).catch((error: unknown) => {
    tls.stop();
    throw error;
  });
  const { plane, originalDestination } = carriers;
  if (config.plane === 'kernel') {
    for (const missing of missingSettings()) logger.warn({ plane: 'kernel' }, missing);
  }
  const wayBack = wayBackOf(config);
  const trial = wayBack && carriers.borrowing?.tryWayBack(wayBack.to, wayBack.timeout);
  void trial?.trouble.then((trouble) => {
    if (trouble !== undefined) logger.warn(trouble);
  });
  let addresses = await startPublicAddresses(config, observe);
  const listeners = new Map<string, Listener>();
  const isOwn = (endpoint: Endpoint): boolean => {
    const others = [...listeners.values()].map((listener) => listener.endpoint);
    return others.some(
      ({ address, port }) => port === endpoint.port && reaches(endpoint.address, address, isOwnAddress),
    );
  };
  const sessions = new Sessions(
    settingsOf(config, addresses, tls.services),
    { plane, originalDestination, borrower: carriers.borrowing, isOwn, isOwnAddress, descriptors },
    observe,
  );
  let current = config;

  /** Opens what is new, then closes what is no longer wanted; where one can't be had all stays as it was. */
  const listenOn = async ({ listen: inClear, listenTls }: ServableConfig): Promise<void> => {
    const opened = new Map<string, Listener>();
    const keys = new Set<string>();
    const open = async (wanted: readonly ListenAddress[], isImplicit: boolean): Promise<void> => {
      const accept = (socket: Socket): void => {
        sessions.accept(socket, isImplicit);
      };
      for (const { address, port } of wanted.flatMap(endpointsOf)) {
        const key = `${formatEndpoint({ address, port })}${isImplicit ? ' tls' : ''}`;
        keys.add(key);
        if (listeners.has(key)) continue;
        const listener = await listenOrExplain(address, port, wanted, accept);
        if (listener) opened.set(key, listener);
      }
    };
    try {
      await open(inClear, false);
      await open(listenTls, true);
    } catch (error) {
      for (const listener of opened.values()) listener.close();
      throw error;
    }
    for (const [key, listener] of listeners) {
      if (keys.has(key)) continue;
      listener.close();
      listeners.delete(key);
    }
    for (const [key, listener] of opened) listeners.set(key, listener);
  };
  const endpoints = (): Endpoint[] => [...listeners.values()].map((listener) => listener.endpoint);
  const closeListeners = (): void => {
    for (const listener of listeners.values()) listener.close();
    listeners.clear();
  };
  const tellListening = (): void => {
    const at = endpoints().map(formatEndpoint);
    const { plane: carrier, intercept, keepClientAddress, tls: mode, serverTls } = current;
    const more = {
      ...(intercept && { intercept }),
      ...(keepClientAddress && { keepClientAddress }),
      ...(mode !== 'refuse' && { tls: mode }),
      ...(serverTls !== 'off' && { serverTls }),
    };
    logger.info({ listen: at, server: nameOf(current), plane: carrier, ...more }, 'listening');
  };

  try {
    await listenOn(config);
  } catch (error) {
    addresses.stop();
    tls.stop();
    trial?.abort();
    await plane.close(0);
    carriers.abandon();
    throw error;
  }
  const eventLoop = watchEventLoop();
  tellListening();
  if (limit !== undefined && sessionsWithin(descriptors) < config.maxSessions) {
    const most = { descriptors: limit, sessions: sessionsWithin(descriptors) };
    logger.warn(most, 'max-sessions is more than the descriptors of this process are for (ulimit -n)');
  }
  if (config.tls === 'pass') logger.warn(needsOfPass(config));

  const reload = async (wanted: ServableConfig): Promise<void> => {
    if (closing) return;
    const unchanged = fixed.filter((key) => wanted[key] !== config[key]);
    if (unchanged.length > 0) logger.warn({ settings: unchanged }, 'these settings need a restart');
    const { keepClientAddress, intercept } = config;
    const next = { ...wanted, keepClientAddress, intercept };
    if (!next.server && !intercept) throw new Error('server: none is named, and intercept needs a restart');
    const nextTls = startTls(next, logger);
    const nextAddresses = await startPublicAddresses(next, observe);
    try {
      await listenOn(next);
    } catch (error) {
      nextTls.stop();
      nextAddresses.stop();
      throw error;
    }
    addresses.stop();
    addresses = nextAddresses;
    tls.stop();
    tls = nextTls;
    current = next;
    sessions.configure(settingsOf(next, addresses, tls.services));
    tellListening();
  };
  let reloading = Promise.resolve();
  let closing = false;
  return {
    get endpoints() {
      return endpoints();
    },
    reload: (next) => {
      // One after the other: two at once would want the same listeners.
      reloading = reloading.catch(() => undefined).then(() => reload(next));
      return reloading;
    },
    close: async () => {
      closing = true;
      await reloading.catch(() => undefined);
      const end = performance.now() + current.grace;
      const { count } = sessions;
      const waits = { sessions: count, dataChannels: plane.channels, grace: current.grace / 1000 };
      logger.info(waits, 'stopping');
      closeListeners();
      tls.stop();
      addresses.stop();
      trial?.abort();
      // Not after the sessions: one whose client is slow to close its control channel outlasts the grace.
      const cut = setTimeout(() => void plane.close(0), current.grace);
      await sessions.close(current.grace);
      clearTimeout(cut);
      // A data channel outlives its session: what is left of the grace is for those.
      await plane.close(Math.max(0, end - performance.now()));
      carriers.release();
      logger.info({ counters: counters.read(), eventLoopDelay: eventLoop.read() }, 'stopped');
      eventLoop.stop();
    },
    abort: () => {
      void plane.close(0);
      carriers.abandon();
    },
  };
}

/** What was set at start for good: the log's settings and the plane's own. */
const fixed = [
  'logLevel',
  'logFormat',
  'plane',
  'kernelTable',
  'kernelMark',
  'keepClientAddress',
  'intercept',
  'connectTimeout',
  'dataIdleTimeout',
  'tlsTruncated',
  'tlsHandshakeTimeout',
] as const;

/** What carries data and control channels, with what it uses of this host. */
interface Carriers extends Pick<SessionsHost, 'plane' | 'originalDestination'> {
  readonly borrowing: Borrowing | undefined;
  /** Gives back what was made on this host, before it returns; after the plane's end. */
  release(): void;
  /** The same, as far as that goes. */
  abandon(): void;
}

/** @throws before anything is changed where something is missing */
async function startCarriers(config: Config, descriptors: Descriptors, observe: Observer): Promise<Carriers> {
  const originalDestination = config.intercept ? await loadOriginalDestination() : undefined;
  const needs = needsOf(config);
  const host = needs && (await openHostTable(needs, observe));
  const borrowing = host && new Borrowing(host.table);
  try {
    const { connectTimeout, dataIdleTimeout, keepalive, tlsTruncated: truncatedEnd } = config;
    const { tlsHandshakeTimeout: tlsTimeout } = config;
    const register = new ExpectationRegister();
    const relay = createRelayPlane({
      ...{ observe, register, borrowing, descriptors },
      ...{ connectTimeout, dataIdleTimeout, keepalive, tlsTimeout, truncatedEnd },
    });
    const plane =
      config.plane === 'kernel' && host
        ? createEitherPlane(await startKernelPlane({ observe, register, table: host.table }), relay)
        : relay;
    return {
      plane,
      borrowing,
      originalDestination,
      release: () => {
        host?.close();
      },
      abandon: () => {
        giveUp(host);
      },
    };
  } catch (error) {
    giveUp(host);
    throw error;
  }
}

/** The failure that led here is the one to tell. */
function giveUp(host: HostTable | undefined): void {
  try {
    host?.close();
  } catch {
    // What is left the next start replaces.
  }
}

/** What a configuration needs of nftables; undefined for nothing. */
export function needsOf({
  plane,
  keepClientAddress,
  intercept,
  kernelTable,
  kernelMark,
}: Config): KernelNeeds | undefined {
  const forwards = plane === 'kernel';
  const others = keepClientAddress ? 'keep-client-address' : intercept ? 'intercept' : undefined;
  const what = forwards ? 'the kernel plane' : others;
  return what === undefined ? undefined : { table: kernelTable, mark: kernelMark, what, forwards };
}

/** The server that has to send its answers to clients through this host, if it has to. */
export function wayBackOf({ keepClientAddress, server, connectTimeout }: Config): WayBack | undefined {
  return keepClientAddress && server ? { to: server, timeout: connectTimeout } : undefined;
}

interface Tls {
  readonly services: TlsServices;
  stop(): void;
}

/** @throws for a certificate that cannot be used */
function startTls(config: Config, logger: Logger): Tls {
  const { services, remarks } = loadTls(config);
  for (const remark of remarks) logger.warn(remark);
  return { services, stop: watchCertificates(config, services, logger) };
}

/** Each of them is done in another way then, or not at all. */
const withoutSocketCalls =
  'koffi, an optional package, is not there: urgent data goes on as any other, a peer that is gone is noticed later, ' +
  'and replies wait by what /proc/net/tcp says';

/** Nothing of the dialogue can be rewritten: the server has to say what is true of this side. */
function needsOfPass({ passivePorts, publicAddress }: Config): string {
  const range = formatPortRange(passivePorts);
  const address = publicAddress ?? 'the address that clients connect to';
  return (
    `tls pass: behind AUTH nothing is rewritten. The server must announce ${address} (pasv_address) ` +
    `and use ${range} (pasv_min_port, pasv_max_port); active mode does not work`
  );
}

function settingsOf(config: ServableConfig, addresses: PublicAddresses, tls: TlsServices): SessionsSettings {
  const { fxpPeers, denyPorts, serverPassivePorts, localNetworks, insideAddress } = config;
  const { intercept, interceptNetworks } = config;
  return {
    policy: {
      ...{ fxpPeers, denyPorts, serverPassivePorts, localNetworks },
      ...{ publicAddress: addresses.of, tls: tlsPolicyOf(config) },
    },
    tls,
    tlsTimeout: config.tlsHandshakeTimeout,
    upstream: config.server,
    keepClientAddress: config.keepClientAddress,
    intercepted: intercept ? interceptNetworks : undefined,
    insideAddress: (family) => insideAddress.find((address) => familyOf(address) === family),
    passivePorts: config.passivePorts,
    activePorts: config.activePorts,
    dataSourcePort: config.dataSourcePort,
    expectTimeout: config.expectTimeout,
    connectTimeout: config.connectTimeout,
    loginTimeout: config.loginTimeout,
    idleTimeout: config.idleTimeout,
    keepalive: config.keepalive,
    maxSessions: config.maxSessions,
    maxSessionsPerClient: config.maxSessionsPerClient,
    ipv6ClientPrefix: config.ipv6ClientPrefix,
    maxRefusals: config.maxRefusals,
  };
}

interface PublicAddresses {
  readonly of: (family: Family) => Address | undefined;
  stop(): void;
}

async function startPublicAddresses(config: Config, observe: Observer): Promise<PublicAddresses> {
  const { publicAddress, publicAddress6 } = config;
  const v4 = publicAddress === undefined ? undefined : new PublicAddress(publicAddress, 4, observe);
  const v6 = publicAddress6 === undefined ? undefined : new PublicAddress(publicAddress6, 6, observe);
  await Promise.all([v4?.start(), v6?.start()]);
  return {
    of: (family) => (family === 4 ? v4 : v6)?.current,
    stop: () => {
      v4?.stop();
      v6?.stop();
    },
  };
}

/** Whether an address is one of this host's. */
function isOwnAddress(address: Address): boolean {
  if (address.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((one) => one.address === address));
}

/** A host without IPv6 has no `::`: a port alone then means IPv4. */
async function listenOrExplain(
  address: Address,
  port: number,
  wanted: readonly ListenAddress[],
  accept: Parameters<typeof listen>[2],
): Promise<Listener | undefined> {
  try {
    return await listen(address, port, accept);
  } catch (error) {
    const code = codeOf(error);
    const unasked = !wanted.some((each) => each.address === address);
    if (unasked && address === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'))
      return undefined;
    throw new Error(`listen ${formatEndpoint({ address, port })}: ${explain(code, error)}`, { cause: error });
  }
}

function explain(code: unknown, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process has this port';
    case 'EACCES':
      return 'a port below 1024 needs root or CAP_NET_BIND_SERVICE';
    case 'EADDRNOTAVAIL':
      return 'no interface of this host has this address';
    default:
      return messageOf(error);
  }
}

/** Which server sessions lead to; undefined where each client means its own. */
function nameOf({ server }: ServableConfig): string | undefined {
  if (!server) return undefined;
  return server.host.includes(':') ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`;
}
