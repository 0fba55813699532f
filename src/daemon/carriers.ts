import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import type { SharedPorts } from '../expectation/recent-ports.ts';
import { ExpectationRegister, type Candidates } from '../expectation/register.ts';
import { loadOriginalDestination } from '../linux/original-destination.ts';
import type { Logger } from '../log/log.ts';
import type { Descriptors } from '../net/descriptors.ts';
import type { PortRange } from '../net/port-range.ts';
import { Borrowing, type Trial } from '../plane/borrowing.ts';
import { createEitherPlane } from '../plane/either.ts';
import {
  joinHostTable,
  openHostTable,
  startKernelPlane,
  type HostTable,
  type KernelNeeds,
  type WayBack,
} from '../plane/kernel-host.ts';
import type { Plane, RangePlane } from '../plane/plane.ts';
import { createRelayPlane } from '../plane/relay.ts';
import type { ChannelLimits } from '../plane/relay-channels.ts';
import type { SessionsHost } from '../proxy/sessions.ts';
import { createSharingPlane } from '../workers/sharing-plane.ts';

/** What carries data channels, in this process or in workers. */
export interface Carriers {
  readonly plane: Pick<Plane, 'channels' | 'progress' | 'close'>;
  /** Data channels that begin from now on follow this configuration. */
  configure(config: Config): void;
  /** Leaves what was made on this host to a successor, and goes on using it. */
  retire(): Promise<void>;
  /** Gives back what was made on this host, before it returns; after the plane's end. */
  release(): void;
  /** The same, as far as that goes. */
  abandon(): void;
}

/** What carries data and control channels in this process, with what it uses of this host. */
export interface OwnCarriers extends Carriers, Pick<SessionsHost, 'plane' | 'originalDestination'> {
  readonly plane: RangePlane;
  readonly borrowing: Borrowing | undefined;
  /** Ports at which somebody is expected. */
  expectedPorts(): ReadonlySet<number>;
  /** The first process has made the table again. @returns how many pinholes it has got */
  restoreTable(): number;
}

/** What a worker shares with others: a part of each range of ports, and the table of nftables. */
export interface SharedMeans {
  readonly candidates: Candidates;
  /** Has the first process make the table again, which somebody has deleted. */
  readonly makeTable: () => Promise<void>;
  /** Asks the other workers for ports of a range. @returns which have come */
  readonly more: (range: PortRange) => Promise<readonly number[]>;
}

/**
 * @param shared undefined: all ports of the ranges are this process's, and so is the table
 * @throws before anything is changed where something is missing
 */
export async function startCarriers(
  config: Config,
  descriptors: Descriptors,
  observe: Observer,
  ports?: SharedPorts,
  shared?: SharedMeans,
): Promise<OwnCarriers> {
  const originalDestination = config.intercept ? await loadOriginalDestination() : undefined;
  const needs = needsOf(config);
  const host =
    needs &&
    (await (shared ? joinHostTable(needs, observe, shared.makeTable) : openHostTable(needs, observe)));
  const borrowing = host && new Borrowing(host.table);
  try {
    const register = new ExpectationRegister(ports, shared?.candidates);
    const relay = createRelayPlane({
      ...{ observe, register, borrowing, descriptors },
      ...limitsOf(config),
    });
    const plane =
      config.plane === 'kernel' && host
        ? createEitherPlane(await startKernelPlane({ observe, register, table: host.table }), relay)
        : relay;
    return {
      plane: shared ? createSharingPlane(plane, shared.more) : plane,
      expectedPorts: () => register.ports,
      restoreTable: () => host?.table.restore() ?? 0,
      configure: (next) => {
        relay.configure(limitsOf(next));
      },
      borrowing,
      originalDestination,
      retire: async () => host?.retire(),
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

function limitsOf(config: Config): ChannelLimits {
  const { connectTimeout, dataIdleTimeout, keepalive, tlsTruncated: truncatedEnd } = config;
  return { connectTimeout, dataIdleTimeout, keepalive, truncatedEnd, tlsTimeout: config.tlsHandshakeTimeout };
}

/** The failure that led here is the one to report. */
export function giveUp(host: HostTable | undefined): void {
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

/** Tries whether the server's answers to clients come back here, where they have to, and warns where they do not. */
export function tryWayBack(
  config: Config,
  borrowing: Borrowing | undefined,
  logger: Logger,
): Trial | undefined {
  const wayBack = wayBackOf(config);
  const trial = wayBack && borrowing?.tryWayBack(wayBack.to, wayBack.timeout);
  void trial?.trouble.then((trouble) => {
    if (trouble !== undefined) logger.warn(trouble);
  });
  return trial;
}
