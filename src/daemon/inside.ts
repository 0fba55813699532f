import type { CertificateFacts, Inside, Limits, SettingFacts, WorkerFacts } from '../admin/inside.ts';
import { keyOf, names, writeSetting } from '../config/table.ts';
import type { Descriptors } from '../net/descriptors.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { sizeOf, type PortRange } from '../net/port-range.ts';
import { lostLogLines, type Logger } from '../log/log.ts';
import type { Counters } from '../status/counters.ts';
import type { EventLoopWatch } from '../status/event-loop.ts';
import type { Sample } from '../status/history.ts';
import type { Roster } from '../status/roster.ts';
import type { Subscribers } from '../status/subscribers.ts';
import { programVersion } from '../status/version.ts';
import { subjectOf } from '../tls/identities.ts';
import type { Carriers } from './carriers.ts';
import type { Tls } from './certificates.ts';
import type { Host } from './host.ts';
import type { DaemonSessions } from './sessions.ts';
import { serverName, type ServableConfig } from './settings.ts';
import { tryServer } from './try-server.ts';
import type { Mode } from '../events.ts';

/** What the admin interface asks of a running daemon. What a reload changes is a function. */
export interface RunningState {
  readonly host: Host;
  readonly logger: Logger;
  readonly roster: Roster;
  readonly counters: Counters;
  readonly subscribers: Subscribers;
  readonly carriers: Carriers;
  readonly sessions: DaemonSessions;
  /** Of connections, in all processes. */
  readonly descriptors: Pick<Descriptors, 'taken' | 'total'>;
  /** Those that have the sessions; none: this process has them. */
  readonly workers: () => readonly WorkerFacts[];
  /** Of the process. */
  readonly descriptorLimit: number | undefined;
  readonly eventLoop: EventLoopWatch;
  readonly started: number;
  readonly config: () => ServableConfig;
  readonly tls: () => Tls;
  readonly endpoints: () => readonly Endpoint[];
  readonly isDraining: () => boolean;
  readonly history: () => readonly Sample[];
}

/** How long `/readyz` waits for the server, in milliseconds, where `connect-timeout` is longer. */
const readinessTime = 3000;

export function insideOf(state: RunningState): Inside {
  const { host, logger, roster, counters, subscribers, carriers, sessions, eventLoop, started } = state;
  const { config, descriptorLimit } = state;
  return {
    version: programVersion(),
    plane: config().plane,
    server: () => serverName(config()),
    listening: state.endpoints,
    ...{ started, roster, counters },
    isDraining: state.isDraining,
    history: state.history,
    progress: () => carriers.plane.progress(),
    limits: () => limitsOf(state),
    workers: state.workers,
    eventLoopDelay: () => eventLoop.read(),
    eventLoopDelays: () => eventLoop.delays(),
    descriptorLimit,
    lostLogLines,
    certificates: () => certificatesOf(state),
    settings: () => settingsOf(state),
    logLevel: () => logger.level,
    subscribe: (observe) => subscribers.subscribe(observe),
    tryServer: () => {
      const { connectTimeout } = config();
      const limited = { ...config(), connectTimeout: Math.min(connectTimeout, readinessTime) };
      return tryServer(limited, state.tls().services.forServer);
    },
    closeSession: (id) => sessions.closeByAdministrator(id),
    drain: (grace) => host.drain?.(grace),
    setLogLevel: (level) => {
      logger.level = level;
    },
    reload: () => host.reload?.() ?? Promise.reject(new Error('this process has no configuration to read')),
  };
}

/** How it stands, for the history. */
export function sampleOf({ roster, counters, carriers }: RunningState): Sample {
  const { relay, kernel } = counters.bytes();
  const progress = carriers.plane.progress();
  const sum = (of: 'uploaded' | 'downloaded'): number =>
    progress.reduce((total, each) => total + (each[of] ?? 0), 0);
  return {
    time: Date.now(),
    uploaded: relay.upload + kernel.upload + sum('uploaded'),
    downloaded: relay.download + kernel.download + sum('downloaded'),
    sessions: roster.sessionCount,
    transfers: roster.openCount,
    ports: portsInUse(roster, 'passive'),
  };
}

function limitsOf({ config, roster, descriptors }: RunningState): Limits {
  const { maxSessions, maxSessionsPerClient, ipv6ClientPrefix, passivePorts, activePorts } = config();
  const rangeUse = (mode: Mode, range: PortRange): Limits['passivePorts'] => ({
    now: portsInUse(roster, mode),
    most: sizeOf(range),
  });
  return {
    sessions: { now: roster.sessionCount, most: maxSessions },
    sessionsPerClient: { most: maxSessionsPerClient, ipv6Prefix: ipv6ClientPrefix },
    passivePorts: rangeUse('passive', passivePorts),
    activePorts: rangeUse('active', activePorts),
    descriptors: { now: descriptors.taken, most: descriptors.total },
  };
}

/** How many ports somebody is expected at; several clients may be at one. */
export function portsInUse(roster: Roster, mode: Mode): number {
  const ports = new Set<number>();
  for (const pinhole of roster.pending) if (pinhole.mode === mode) ports.add(pinhole.at.port);
  return ports.size;
}

function certificatesOf({ tls }: RunningState): CertificateFacts[] {
  const identities = tls().services.forClients?.identities ?? [];
  return identities.map(({ file, leaf }) => ({
    ...{ file, subject: subjectOf(leaf) },
    notAfter: new Date(leaf.validTo),
  }));
}

function settingsOf({ config, host }: RunningState): Record<string, SettingFacts> {
  const origins = host.origins?.();
  return Object.fromEntries(
    names.map((name) => {
      const key = keyOf(name);
      return [key, { value: writeSetting(name, config()), origin: origins?.get(key) ?? 'default' }];
    }),
  );
}
