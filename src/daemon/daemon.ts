import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { changesBetween } from '../config/changes.ts';
import type { Config } from '../config/config.ts';
import { tellAll, type Observer } from '../events.ts';
import { becomeUser, type ServiceUser } from '../linux/privileges.ts';
import { descriptorLimit, descriptorsToShare } from '../linux/process-limits.ts';
import { loadSocketCalls } from '../linux/socket-calls.ts';
import { logEvents, type Logger } from '../log/log.ts';
import type { TransferLog } from '../log/transfer-log.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange, sizeOf } from '../net/port-range.ts';
import { missingSettings } from '../plane/kernel-host.ts';
import { sessionsWithin } from '../proxy/admission.ts';
import { watchEventLoop, type EventLoopWatch } from '../status/event-loop.ts';
import { History } from '../status/history.ts';
import { Roster } from '../status/roster.ts';
import { Subscribers } from '../status/subscribers.ts';
import { startAdmin, type Admin } from './admin.ts';
import { startTransferLog } from './transfer-log.ts';
import { tryWayBack } from './carriers.ts';
import { startTls, type Tls } from './certificates.ts';
import { createCounters, type Counters } from '../status/counters.ts';
import type { Host } from './host.ts';
import { noSockets } from './inherited-sockets.ts';
import { insideOf, portsInUse, sampleOf, type RunningState } from './inside.ts';
import { Listeners } from './listeners.ts';
import { createNodeCheck } from './node-check.ts';
import { startPublicAddresses, type PublicAddresses } from './public-addresses.ts';
import { startServing, type Serving, type ServingOptions } from './serving.ts';
import type { DaemonSessions } from './sessions.ts';
import type { Workers } from './workers.ts';
import { fixedSettingsThatDiffer, serverName, settingsOf, type ServableConfig } from './settings.ts';

export interface Daemon {
  /** How it is, in one line: `12 sessions, 3 transfers, range 4 % used`. */
  readonly summary: string;
  /** What it listens on; a port 0 of the configuration has become a number. */
  readonly endpoints: readonly Endpoint[];
  /** Milliseconds that transfers may take at its end, as configured. */
  readonly grace: number;
  /**
   * Sessions and data connections that begin from now on follow this configuration.
   *
   * @returns what has changed, one line each
   * @throws where it cannot be followed, by name; then nothing has changed
   */
  reload(config: ServableConfig): Promise<readonly string[]>;
  /** Makes its processes another user's, for good. @throws where that cannot be; then it is to be closed */
  becomeUser(user: ServiceUser): Promise<void>;
  /**
   * No new sessions, transfers finish within the grace, then everything ends.
   *
   * @param grace milliseconds; the configured one unless told
   * @param drains whether `drain-timeout` comes first
   */
  close(grace?: number, drains?: boolean): Promise<void>;
  /** Ends `drain-timeout`, where `close` waits for that, and what is left within the grace, where that is earlier. */
  hasten(grace?: number): void;
  /**
   * Resets every data channel before it returns, so that the end of the process does not look like the end of a file.
   *
   * @returns when what was cut off is in the logs, or after a moment
   */
  abort(): Promise<void>;
}

/**
 * The one wiring: plane, sessions, listeners, log and counters.
 *
 * @throws when a listener or the plane can't be had; nothing is left running then
 */
export async function startDaemon(config: ServableConfig, logger: Logger, host: Host = {}): Promise<Daemon> {
  const requireNode = createNodeCheck(logger);
  requireNode(config);
  if (!(await loadSocketCalls())) logger.warn(withoutSocketCalls);
  const counters = createCounters();
  const roster = new Roster();
  /** Set once they have started. */
  const started: { workers?: Workers | undefined } = {};
  const tls = startTls(config, logger, (files) => started.workers?.tellCertificates(files));
  let transferLog: TransferLog | undefined;
  try {
    transferLog = startTransferLog(config, logger, roster);
  } catch (error) {
    tls.stop();
    throw error;
  }
  const subscribers = new Subscribers(() => started.workers?.tellDialogue());
  const observe = tellAll([
    ...[roster.observe, counters.observe, logEvents(logger, config.ipv6ClientPrefix, roster)],
    ...(transferLog ? [transferLog.observe] : []),
    ...[subscribers.observe, ...(host.observers ?? [])],
  ]);
  const limit = descriptorLimit();
  const isWatched = (host.observers ?? []).length > 0;
  const options: ServingOptions = {
    ...{
      observe,
      logger,
      descriptors: descriptorsToShare(limit),
      runtimeDirectory: host.runtimeDirectory,
      tlsFiles: tls.files,
    },
    isDialogueWanted: () => isWatched || subscribers.size > 0 || logger.isLevelEnabled('trace'),
  };
  const serving = await startServing(config, options).catch((error: unknown) => {
    tls.stop();
    transferLog?.close();
    throw error;
  });
  started.workers = serving.workers;
  logger.on('level-change', () => serving.workers?.tellDialogue());
  if (config.plane === 'kernel') {
    for (const missing of missingSettings()) logger.warn({ plane: 'kernel' }, missing);
  }
  const tellAddresses = (changed: PublicAddresses): void => serving.workers?.tellAddresses(changed);
  const addresses = await startPublicAddresses(config, observe, tellAddresses);
  const told = { observe, counters, roster, subscribers, transferLog };
  const parts = { host, logger, requireNode, ...told, serving, descriptorLimit: limit };
  const daemon = new RunningDaemon(config, parts, { tls, addresses });
  await daemon.start();
  const sessions = sessionsWithin(serving.descriptors);
  if (limit !== undefined && sessions < config.maxSessions) {
    const most = { descriptors: limit, sessions };
    logger.warn(
      most,
      'max-sessions exceeds what the descriptor limit of this process allows: raise it (ulimit -n), or lower max-sessions',
    );
  }
  if (config.tls === 'pass') logger.warn(needsOfPass(config));
  return daemon;
}

/** How long an end at once waits for the events of what it has cut off, in milliseconds. */
const untilTold = 1000;

/** How often a draining process looks for data connections, in milliseconds. */
const drainGlance = 100;

/** What lives as long as the daemon does. */
interface Parts {
  readonly host: Host;
  readonly logger: Logger;
  /** Throws where Node lacks what a configuration needs. */
  readonly requireNode: (config: Config) => void;
  readonly observe: Observer;
  readonly counters: Counters;
  readonly roster: Roster;
  readonly subscribers: Subscribers;
  readonly transferLog: TransferLog | undefined;
  readonly serving: Serving;
  readonly descriptorLimit: number | undefined;
}

/** What a reload makes anew. */
interface Changeable {
  readonly tls: Tls;
  readonly addresses: PublicAddresses;
}

class RunningDaemon implements Daemon {
  readonly #parts: Parts;
  readonly #sessions: DaemonSessions;
  readonly #listeners: Listeners;
  readonly #wayBack: ReturnType<typeof tryWayBack>;
  #config: ServableConfig;
  #changeable: Changeable;
  readonly #started: number = Date.now();
  #eventLoop: EventLoopWatch | undefined;
  #admin: Admin | undefined;
  #history: History | undefined;
  #reloading: Promise<readonly string[]> = Promise.resolve([]);
  #closing = false;
  /** Ends `drain-timeout` early. */
  readonly #drained = new AbortController();
  #grace: number | undefined;
  /** When all that is left is cut off, by the clock of `performance`. */
  #cutAt = Infinity;
  #cut: NodeJS.Timeout | undefined;

  constructor(config: ServableConfig, parts: Parts, changeable: Changeable) {
    const { serving, logger, host } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#changeable = changeable;
    this.#wayBack = tryWayBack(config, serving.borrowing, logger);
    this.#listeners = new Listeners(
      (socket, isImplicit) => {
        this.#sessions.accept(socket, isImplicit);
      },
      host.sockets ?? noSockets,
      host.keeper,
    );
    const settings = settingsOf(config, changeable.addresses, changeable.tls.services);
    this.#sessions = serving.sessions(settings, (endpoint) => this.#listeners.reaches(endpoint));
  }

  get endpoints(): readonly Endpoint[] {
    return this.#listeners.endpoints;
  }

  get grace(): number {
    return this.#config.grace;
  }

  get summary(): string {
    const { roster } = this.#parts;
    const { passivePorts } = this.#config;
    const used = Math.round((100 * portsInUse(roster, 'passive')) / sizeOf(passivePorts));
    return `${roster.sessionCount} sessions, ${roster.openCount} transfers, range ${used} % used`;
  }

  /** @throws when a listener can't be had; nothing is left running then */
  async start(): Promise<void> {
    const { workers } = this.#parts.serving;
    try {
      workers?.tellAddresses(this.#changeable.addresses);
      await this.#listeners.configure(this.#config);
      workers?.tellListening(this.endpoints);
      await this.#startAdmin();
    } catch (error) {
      const { carriers } = this.#parts.serving;
      this.#listeners.close();
      this.#eventLoop?.stop();
      stop(this.#changeable);
      this.#wayBack?.abort();
      await carriers.plane.close(0);
      carriers.abandon();
      this.#parts.transferLog?.close();
      throw error;
    }
    this.#tellListening();
  }

  reload(wanted: ServableConfig): Promise<readonly string[]> {
    // One after the other: two at once would want the same listeners.
    this.#reloading = this.#reloading.catch(() => undefined).then(() => this.#reload(wanted));
    return this.#reloading;
  }

  async becomeUser(user: ServiceUser): Promise<void> {
    await this.#parts.serving.workers?.becomeUser(user);
    await becomeUser(user);
  }

  async close(given?: number, drains: boolean = true): Promise<void> {
    const { serving, counters, logger } = this.#parts;
    const { carriers } = serving;
    const { plane } = carriers;
    this.#closing = true;
    // A restart drains.
    if (!drains) this.#listeners.forget();
    await this.#reloading.catch(() => undefined);
    this.#listeners.close();
    if (drains) await this.#drain();
    const grace = this.#grace ?? given ?? this.#config.grace;
    const end = performance.now() + grace;
    const waits = { sessions: this.#sessions.count, dataChannels: plane.channels, grace: grace / 1000 };
    logger.info(waits, 'stopping');
    stop(this.#changeable);
    this.#wayBack?.abort();
    this.#cutAfter(grace);
    await this.#sessions.close();
    // A data channel outlives its session: what is left of the grace is for those.
    await plane.close(Math.max(0, end - performance.now()));
    clearTimeout(this.#cut);
    carriers.release();
    this.#parts.transferLog?.close();
    this.#history?.stop();
    this.#admin?.close();
    logger.info({ counters: counters.read(), eventLoopDelay: this.#eventLoop?.read() }, 'stopped');
    this.#eventLoop?.stop();
  }

  hasten(grace: number = this.#config.grace): void {
    this.#grace = Math.min(grace, this.#grace ?? Infinity);
    this.#drained.abort();
    if (performance.now() + grace < this.#cutAt) this.#cutAfter(grace);
  }

  /** What is left then ends: not only after the sessions, as one whose client is slow to close outlasts the grace. */
  #cutAfter(grace: number): void {
    clearTimeout(this.#cut);
    this.#cutAt = performance.now() + grace;
    this.#cut = setTimeout(() => {
      void this.#parts.serving.carriers.plane.close(0);
      // Clients hear of their transfers first.
      setImmediate(() => {
        this.#sessions.shutDown();
      });
    }, grace);
  }

  /** Has sessions and data connections go on as they are, for `drain-timeout` at most: a successor has the new ones. */
  async #drain(): Promise<void> {
    const { drainTimeout } = this.#config;
    const { host, logger, serving } = this.#parts;
    const { carriers } = serving;
    const { signal } = this.#drained;
    if (drainTimeout === 0 || signal.aborted) return;
    await this.#admin?.retire();
    await carriers.retire();
    host.draining?.();
    const end = performance.now() + drainTimeout;
    const waits = { sessions: this.#sessions.count, dataChannels: carriers.plane.channels };
    logger.info({ ...waits, drainTimeout: drainTimeout / 1000 }, 'draining');
    // Who was accepted a moment ago is admitted in the next turn of the event loop.
    await nextTurn();
    await nextTurn();
    await this.#sessions.idle(drainTimeout, signal);
    // Data connections outlive their sessions.
    const mayWait = (): boolean => performance.now() < end && !signal.aborted;
    while (carriers.plane.channels > 0 && mayWait()) await delay(drainGlance);
  }

  async abort(): Promise<void> {
    const { serving, transferLog } = this.#parts;
    const { carriers } = serving;
    const ended = carriers.plane.close(0);
    carriers.abandon();
    // From here on it writes each line at once.
    transferLog?.flush();
    await Promise.race([ended, delay(untilTold)]);
  }

  async #reload(next: ServableConfig): Promise<readonly string[]> {
    if (this.#closing) throw new Error('the relay is stopping');
    const { logger, requireNode, observe, serving, transferLog } = this.#parts;
    const { carriers, workers } = serving;
    // Also where the rest fails: logrotate wants it.
    transferLog?.reopen();
    refuseFixed(this.#config, next);
    requireNode(next);
    const tls = startTls(next, logger, (files) => workers?.tellCertificates(files));
    const tellAddresses = (changed: PublicAddresses): void => workers?.tellAddresses(changed);
    const changeable = { tls, addresses: await startPublicAddresses(next, observe, tellAddresses) };
    try {
      await workers?.prepare(next, tls.files);
      await this.#listeners.configure(next);
    } catch (error) {
      stop(changeable);
      throw error;
    }
    stop(this.#changeable);
    this.#changeable = changeable;
    const changed = changesBetween(this.#config, next);
    // What was set since by the admin interface stays, unless the file says another than before.
    if (next.logLevel !== this.#config.logLevel) logger.level = next.logLevel;
    carriers.configure(next);
    this.#config = next;
    this.#sessions.configure(settingsOf(next, changeable.addresses, tls.services));
    workers?.change(next, tls.files, changeable.addresses, this.endpoints);
    logger.info({ changed }, 'reloaded');
    this.#tellListening();
    return changed;
  }

  async #startAdmin(): Promise<void> {
    const { host, logger, serving } = this.#parts;
    this.#eventLoop = watchEventLoop();
    const { adminListen } = this.#config;
    const fd = host.sockets?.admin;
    const bound = fd === undefined ? undefined : { fd };
    if (!host.admin && !bound && adminListen.length === 0) return;
    const state: RunningState = {
      ...this.#parts,
      ...{ sessions: this.#sessions, eventLoop: this.#eventLoop, started: this.#started },
      ...{ carriers: serving.carriers, descriptors: serving.descriptors },
      workers: () => serving.workers?.facts ?? [],
      config: () => this.#config,
      tls: () => this.#changeable.tls,
      endpoints: () => this.endpoints,
      isDraining: () => this.#closing,
      history: () => this.#history?.read() ?? [],
    };
    this.#admin = await startAdmin(insideOf(state), this.#config, host.admin, bound, logger);
    this.#history = new History(() => sampleOf(state));
  }

  #tellListening(): void {
    const { plane, intercept, keepClientAddress, tls: mode, serverTls } = this.#config;
    const more = {
      ...(intercept && { intercept }),
      ...(keepClientAddress && { keepClientAddress }),
      ...(mode !== 'refuse' && { tls: mode }),
      ...(serverTls !== 'off' && { serverTls }),
    };
    const listen = this.endpoints.map(formatEndpoint);
    this.#parts.logger.info({ listen, server: serverName(this.#config), plane, ...more }, 'listening');
  }
}

/** @throws with the settings that cannot change in a live process */
function refuseFixed(now: ServableConfig, next: ServableConfig): void {
  const settings = fixedSettingsThatDiffer(now, next);
  if (settings.length === 0) return;
  throw new Error(
    `${settings.join(', ')}: cannot change while Pinhole runs; restart it, or change ${settings.length === 1 ? 'it' : 'them'} back. Nothing has changed`,
  );
}

function stop({ tls, addresses }: Changeable): void {
  tls.stop();
  addresses.stop();
}

/** Each of them is done in another way then, or not at all. */
const withoutSocketCalls =
  'koffi, an optional package, is not installed: urgent data is relayed as ordinary data, dead peers are noticed later, ' +
  'and acknowledgements are read from /proc/net/tcp';

/** The dialogue cannot be rewritten: the server itself has to announce this side's address and ports. */
function needsOfPass({ passivePorts, publicAddress }: Config): string {
  const range = formatPortRange(passivePorts);
  const address = publicAddress ?? 'the address that clients connect to';
  return (
    `tls pass: nothing is rewritten after AUTH. The server must announce ${address} (pasv_address) ` +
    `and use ${range} (pasv_min_port, pasv_max_port); active mode does not work`
  );
}
