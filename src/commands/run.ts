import { once } from 'node:events';
import { chownSync, statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { listenOf } from '../config/listening.ts';
import { adminPlaceOf } from '../config/admin.ts';
import { choice, type AccountNames } from '../config/kinds.ts';
import { formatConfig, type LoadedConfig } from '../config/load.ts';
import { loadTls } from '../daemon/certificates.ts';
import { needsOf, wayBackOf } from '../daemon/carriers.ts';
import { startDaemon, type Daemon } from '../daemon/daemon.ts';
import type { ServableConfig } from '../daemon/settings.ts';
import { readInheritedSockets } from '../daemon/inherited-sockets.ts';
import { nodeUsesOf } from '../daemon/node-check.ts';
import { findServiceManager, releaseLauncher } from '../daemon/service-manager.ts';
import { tryServer } from '../daemon/try-server.ts';
import { tune } from '../daemon/tune.ts';
import { createLogger } from '../log/log.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { checkNode } from '../node-internals/check.ts';
import { checkHost } from '../plane/kernel-host.ts';
import { accountOf, groupId } from '../linux/accounts.ts';
import { isColoured } from './colour.ts';
import type { Subcommand } from './subcommand.ts';
import { readFlag } from './flags.ts';
import { inFrontOf, servable, startEmbeddedServer, wantsEmbeddedServer } from './embedded.ts';
import { configFrom, withSettings } from './settings.ts';

interface RunFlags {
  readonly check?: string | undefined;
  readonly 'print-config': boolean;
}

export const runCommand: Subcommand<RunFlags> = {
  builder: (yargs) =>
    withSettings(yargs)
      .option('check', {
        type: 'string',
        describe:
          'check the configuration, whether this host supports it, and whether the server answers, and exit; --check=config: without the server',
      })
      .option('print-config', {
        type: 'boolean',
        default: false,
        describe: 'print the configuration and the source of each value, and exit',
      })
      .usage('$0 run [--server HOST[:PORT]] [--listen [ADDRESS:]PORT] [OPTIONS]')
      .example('$0 run --server 192.168.1.10 --listen 21', 'in front of a server')
      .example('$0 run --plane kernel --keep-client-address --server 10.77.0.2', 'on a gateway')
      .example('$0 run --plane kernel --intercept --listen 10.77.0.1:21', 'on a gateway, for clients inside')
      .epilogue(
        'Durations are seconds, or values like 250ms, 5m, 1h. Lists are separated by commas, or the flag is repeated. ' +
          'Each flag can also be an environment variable (--max-sessions: PINHOLE_MAX_SESSIONS) or a key of the file.',
      ),
  handler: async (argv) => {
    const loaded = configFrom({ ...argv });
    const { config, origins } = loaded;
    if (argv['print-config']) {
      process.stdout.write(formatConfig({ ...config, listen: listenOf(config) }, origins));
      return;
    }
    const isEmbedded = wantsEmbeddedServer(loaded);
    if (argv.check !== undefined) await check(config, checkOf(argv.check));
    else await run(loaded, isEmbedded, () => configFrom({ ...argv }));
  },
};

/** How far `--check` goes: without a value as far as the server. */
const checks = ['server', 'config'] as const;
type Check = (typeof checks)[number];

/** @throws {ConfigError} */
function checkOf(given: unknown): Check {
  return given === '' ? 'server' : readFlag('check', given, choice(checks));
}

/** @throws where this host or its Node lacks what the configuration needs, and where the server does not answer */
async function check(config: Config, upTo: Check): Promise<void> {
  const needs = needsOf(config);
  const { services, remarks } = loadTls(config);
  const aboutNode = checkNode(nodeUsesOf(config));
  const warnings = [...aboutNode, ...remarks, ...(needs ? await checkHost(needs, wayBackOf(config)) : [])];
  process.stdout.write(['The configuration is valid.', ...warnings, ''].join('\n'));
  if (upTo === 'server') process.stdout.write(`${await tryServer(config, services.forServer)}\n`);
}

/** Serves until SIGTERM (with `drain-timeout`) or SIGINT (without it); a second one ends it at once. */
async function run(loaded: LoadedConfig, isEmbedded: boolean, readAgain: () => LoadedConfig): Promise<void> {
  const { config } = loaded;
  tune(config);
  const logger = createLogger(config, undefined, {
    columns: () => process.stdout.columns || 80,
    isColoured,
  });
  for (const signal of otherSignals) {
    process.on(signal, () => {
      logger.warn(
        { signal },
        'signal ignored: SIGTERM stops after the grace period, SIGHUP reloads the configuration',
      );
    });
  }
  const embedded = isEmbedded ? await startEmbeddedServer() : undefined;
  const settle = (next: Config): ReturnType<typeof servable> =>
    servable(next) ?? (embedded && inFrontOf(next, embedded));
  const settled = settle(config);
  if (!settled) throw new Error('no server');

  // From here on, whatever the start creates outside this process has to be removed again.
  const told = firstSignal();
  const begun = { isTold: false };
  void told.then(() => (begun.isTold = true));
  let daemon: Daemon | undefined;
  let drain: (grace: number | undefined) => void = () => undefined;
  const drained = new Promise<Told>((resolve) => {
    drain = (grace) => {
      daemon?.hasten(grace);
      resolve({ at: -Infinity, drains: false, grace });
    };
  });
  let { origins } = loaded;
  const manager = await findServiceManager(
    process.env,
    () => daemon?.summary ?? 'starting',
    (message) => {
      logger.warn(message);
    },
  );
  const reload = async (): Promise<readonly string[]> => {
    manager.reloading();
    try {
      const next = nextFrom(readAgain(), settle);
      if (!daemon) throw new Error('Pinhole is starting');
      tune(next.config);
      const changed = await daemon.reload(next.config);
      ({ origins } = next);
      return changed;
    } finally {
      // Done or refused: it serves, and the log says which.
      manager.ready();
    }
  };
  let running: Daemon;
  try {
    const sockets = readInheritedSockets(process.env, process.pid);
    if (sockets.tls.length > 0 && settled.tls !== 'terminate')
      throw new Error('the socket ftps of the service manager needs tls terminate');
    running = await startDaemon(settled, logger, {
      admin: adminPlaceOf(config, process.getuid?.(), process.env),
      origins: () => origins,
      ...{ reload, drain, sockets, keeper: manager, runtimeDirectory: process.env['RUNTIME_DIRECTORY'] },
      draining: () => {
        releaseLauncher(process.env);
      },
    });
    if (config.user)
      await becomeUserOf(running, config, config.user).catch(async (error: unknown) => {
        await running.close(0, false);
        throw error;
      });
    daemon = running;
  } catch (error) {
    manager.close();
    await embedded?.close();
    // A signal from a terminal ends workers that have just begun as well.
    if (begun.isTold) return;
    throw error;
  }
  manager.ready();
  if (embedded) tellOnTerminal(whatToPaste(running, embedded));

  const reloadOrTell = (): void => {
    reload().catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, 'reload failed');
    });
  };
  process.on('SIGHUP', reloadOrTell);
  process.on('uncaughtException', (error: unknown) => {
    // A file that is cut off here must not look whole to anybody.
    void running.abort();
    logger.fatal({ error: messageOf(error), stack: stackOf(error) }, 'stopped by an internal error');
    process.exit(1);
  });
  const first = await Promise.race([told, drained]);
  let isAsked = first.at > -Infinity;
  const hurry = (signal: NodeJS.Signals): void => {
    if (!isAsked) {
      // The first one after `drain`: what the service manager sends means the end as ever.
      isAsked = true;
      running.hasten();
      return;
    }
    // A terminal sends SIGINT to npm and to this process, and npm forwards its own: that is one Ctrl-C.
    if (signal === 'SIGINT' && performance.now() - first.at < onePress) return;
    void running.abort().finally(() => {
      logger.warn({ signal }, 'stopped immediately');
      process.exit(1);
    });
  };
  for (const signal of endSignals) process.on(signal, hurry);
  manager.stopping((first.grace ?? running.grace) + spareTime);
  const closed = running.close(first.grace, first.drains);
  // A successor tells its own: this process may drain for hours beside it.
  manager.close();
  await closed;
  await embedded?.close();
  process.off('SIGHUP', reloadOrTell);
  for (const signal of endSignals) process.off(signal, hurry);
}

/** @throws where it cannot be; nothing has changed then */
async function becomeUserOf(daemon: Daemon, config: Config, { user, group }: AccountNames): Promise<void> {
  const account = accountOf(user);
  if (!account) throw new Error(`user: there is no user ${user}; allowed: a name of /etc/passwd`);
  const gid = group === undefined ? account.gid : groupId(group);
  if (gid === undefined)
    throw new Error(`user: there is no group ${String(group)}; allowed: a name of /etc/group`);
  // The file was made by root: it is to be opened again after its rotation.
  const { transferLog } = config;
  if (transferLog !== undefined && statSync(transferLog).isFile()) chownSync(transferLog, account.uid, gid);
  await daemon.becomeUser({
    ...{ name: user, uid: account.uid, gid },
    kept: needsOf(config) ? ['NET_BIND_SERVICE', 'NET_ADMIN'] : ['NET_BIND_SERVICE'],
  });
}

const endSignals = ['SIGTERM', 'SIGINT'] as const;

/** What other servers reload or stop by. The first would open Node's debugger, the second end this at once. */
const otherSignals = ['SIGUSR1', 'SIGUSR2'] as const;

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** Milliseconds beside the grace: clients have 5 seconds to close their control connections. */
const spareTime = 15_000;

/** Milliseconds within which two SIGINTs count as one key press. */
const onePress = 500;

/** That the process is to end: since when, and within how many milliseconds if not as configured. */
interface Told {
  readonly at: number;
  readonly grace: number | undefined;
  /** Whether `drain-timeout` comes first. */
  readonly drains: boolean;
}

async function firstSignal(): Promise<Told> {
  const drains = await Promise.race(
    endSignals.map(async (signal) => {
      await once(process, signal);
      return signal === 'SIGTERM';
    }),
  );
  return { at: performance.now(), grace: undefined, drains };
}

/** @throws where the configuration cannot be followed */
function nextFrom(
  loaded: LoadedConfig,
  settle: (config: Config) => ReturnType<typeof servable>,
): { readonly config: ServableConfig; readonly origins: LoadedConfig['origins'] } {
  // It throws where the server was lost by accident.
  wantsEmbeddedServer(loaded);
  const config = settle(loaded.config);
  if (!config) throw new Error('server: no longer named; restart Pinhole for the in-memory server');
  return { config, origins: loaded.origins };
}

/** Nobody may be reading it, or there is no room for it: that ends nothing. */
function tellOnTerminal(text: string): void {
  process.stderr.on('error', () => undefined);
  try {
    process.stderr.write(text);
  } catch {
    // The log has the same facts.
  }
}

function whatToPaste(daemon: Daemon, server: { address: string; port: number }): string {
  const [relay] = daemon.endpoints;
  const url = `ftp://${relay ? formatEndpoint(relay) : ''}/`;
  return `
No --server was given: a small in-memory FTP server runs at ${server.address}:${server.port}, with the relay in front of it.
Try in another terminal (log in as anonymous, or as demo with the password demo):

    curl ${url}
    curl ${url}welcome.txt
    curl --ftp-port - ${url}welcome.txt         # active mode
    curl -T README.md ${url}incoming/

For a real server:

    npm start -- --server 192.168.1.10 --listen 21

Press Ctrl-C to stop.

`;
}
