import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import type { SharedPorts } from '../expectation/recent-ports.ts';
import { ExpectationRegister } from '../expectation/register.ts';
import { loadOriginalDestination } from '../linux/original-destination.ts';
import type { Logger } from '../log/log.ts';
import type { Descriptors } from '../net/descriptors.ts';
import { Borrowing, type Trial } from '../plane/borrowing.ts';
import { createEitherPlane } from '../plane/either.ts';
import {
  openHostTable,
  startKernelPlane,
  type HostTable,
  type KernelNeeds,
  type WayBack,
} from '../plane/kernel-host.ts';
import { createRelayPlane } from '../plane/relay.ts';
import type { ChannelLimits } from '../plane/relay-channels.ts';
import type { SessionsHost } from '../proxy/sessions.ts';

/** What carries data and control channels, with what it uses of this host. */
export interface Carriers extends Pick<SessionsHost, 'plane' | 'originalDestination'> {
  readonly borrowing: Borrowing | undefined;
  /** Data channels that begin from now on follow this configuration. */
  configure(config: Config): void;
  /** Leaves what was made on this host to a successor, and goes on using it. */
  retire(): Promise<void>;
  /** Gives back what was made on this host, before it returns; after the plane's end. */
  release(): void;
  /** The same, as far as that goes. */
  abandon(): void;
}

/** @throws before anything is changed where something is missing */
export async function startCarriers(
  config: Config,
  descriptors: Descriptors,
  observe: Observer,
  ports?: SharedPorts,
): Promise<Carriers> {
  const originalDestination = config.intercept ? await loadOriginalDestination() : undefined;
  const needs = needsOf(config);
  const host = needs && (await openHostTable(needs, observe));
  const borrowing = host && new Borrowing(host.table);
  try {
    const register = new ExpectationRegister(ports);
    const relay = createRelayPlane({
      ...{ observe, register, borrowing, descriptors },
      ...limitsOf(config),
    });
    const plane =
      config.plane === 'kernel' && host
        ? createEitherPlane(await startKernelPlane({ observe, register, table: host.table }), relay)
        : relay;
    return {
      plane,
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

/** Tries whether the server's answers to clients come back here, where they have to, and warns where they do not. */
export function tryWayBack(config: Config, { borrowing }: Carriers, logger: Logger): Trial | undefined {
  const wayBack = wayBackOf(config);
  const trial = wayBack && borrowing?.tryWayBack(wayBack.to, wayBack.timeout);
  void trial?.trouble.then((trouble) => {
    if (trouble !== undefined) logger.warn(trouble);
  });
  return trial;
}
