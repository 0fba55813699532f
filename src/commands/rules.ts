import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/error.ts';
import { choice, networks, path, portRanges, whole } from '../config/kinds.ts';
import { listenInFront } from '../config/listening.ts';
import { tlsPolicyOf } from '../config/tls-policy.ts';
import { parseAddress, type Family } from '../net/address.ts';
import type { RulesetFile } from '../ruleset/file.ts';
import { filesOf, formatNames, formatsText, reasonAgainst, type FormatName } from '../ruleset/formats.ts';
import { planOf } from '../ruleset/make-plan.ts';
import {
  deployments,
  RulesetError,
  type Deployment,
  type Plan,
  type RulesetOptions,
} from '../ruleset/plan.ts';
import type { Subcommand } from './subcommand.ts';
import { readFlag } from './flags.ts';
import { configFrom, withSettings } from './settings.ts';
import { writeTree } from './write-tree.ts';

interface RulesFlags {
  readonly for: string;
  readonly deployment?: string | undefined;
  readonly 'client-networks'?: string | undefined;
  readonly 'session-rate': string;
  readonly 'open-ports'?: string | undefined;
  readonly family?: string | undefined;
  readonly out?: string | undefined;
  readonly force: boolean;
}

/** What yargs lists anyway is not shown twice: of the settings of `run` those that change the rules. */
const concerned: ReadonlySet<string> = new Set([
  'server',
  'listen',
  'keep-client-address',
  'intercept',
  'intercept-networks',
  'passive-ports',
  'active-ports',
  'plane',
  'kernel-mark',
  'public-address',
  'tls',
  'listen-tls',
  'tls-cert',
  'tls-key',
  'tls-data',
  'require-tls',
  'require-data-tls',
  'server-tls',
  'server-data-tls',
]);

const families = { ipv4: 4, ipv6: 6 } as const satisfies Record<string, Family>;

/** What flags may be that are no settings. */
const kinds = {
  for: choice([...formatNames, 'all']),
  deployment: choice(deployments),
  family: choice(Object.keys(families) as (keyof typeof families)[]),
  clientNetworks: networks('networks like 10.77.0.0/24'),
  openPorts: portRanges(
    'TCP ports and port ranges like 22,8000-8010, no service names; UDP needs rules of your own',
  ),
  // nft and hashlimit count up to this in a minute.
  sessionRate: whole(1, 10_000),
  out: path('a folder'),
};

export const rulesCommand: Subcommand<RulesFlags> = {
  builder: (yargs) =>
    withSettings(yargs, (key) => concerned.has(key))
      .option('for', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        choices: [...formatNames, 'all'],
        describe: formatsText,
      })
      .option('deployment', {
        type: 'string',
        requiresArg: true,
        choices: deployments,
        describe:
          'in-front: Pinhole on a host that does not forward; gateway: Pinhole on the gateway; gateway-intercept: the same, for ' +
          "clients inside; kernel-helper: the kernel's own helper, without Pinhole (default: derived from the settings)",
      })
      .option('client-networks', {
        type: 'string',
        requiresArg: true,
        describe: 'networks of the internal clients whose sessions are intercepted',
      })
      .option('session-rate', {
        type: 'string',
        requiresArg: true,
        default: '60',
        describe: 'new sessions per minute allowed from one address',
      })
      .option('open-ports', {
        type: 'string',
        requiresArg: true,
        describe:
          'TCP ports of other services on this host, like 22,8000-8010 (default: none, not even SSH); UDP needs rules of your own',
      })
      .option('family', {
        type: 'string',
        requiresArg: true,
        choices: Object.keys(families),
        describe: 'only the rules of this address family, for formats with a file for each: iptables, redhat',
      })
      .option('out', { type: 'string', requiresArg: true, describe: 'folder to write the files to' })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'with --out: replace existing files',
      })
      .usage('$0 rules --for FORMAT [--deployment DEPLOYMENT] [OPTIONS]')
      .example('$0 rules --for nftables --server 10.77.0.2 --open-ports 22', 'in front of a server')
      .example(
        '$0 rules --for iptables --family ipv4 --server 10.77.0.2 | iptables-restore',
        'straight into the kernel',
      )
      .example(
        '$0 rules --for all --config /etc/pinhole.toml --out rules',
        'all formats, from the configuration of run',
      )
      .example(
        '$0 rules --for redhat --deployment kernel-helper',
        'without Pinhole, on the FTP server itself',
      )
      .epilogue('This changes nothing on this host. docs/rules.md explains how to load the rules.'),
  handler: (argv) => {
    const { config } = configFrom({ ...argv });
    const files = made(argv, config);
    if (argv.out === undefined) {
      process.stdout.write(printed(files));
      return;
    }
    const written = writeTree(files, readFlag('out', argv.out, kinds.out), argv.force);
    process.stdout.write(written.map((file) => `${file}\n`).join(''));
  },
};

function made(argv: RulesFlags, config: Config): readonly RulesetFile[] {
  try {
    const plan = planOf(optionsFrom(argv, config));
    const format = readFlag('for', argv.for, kinds.for);
    const files = format === 'all' ? allFiles(plan) : filesOf(plan, format);
    if (argv.family === undefined) return files;
    return ofOneFamily(files, families[readFlag('family', argv.family, kinds.family)], format);
  } catch (error) {
    // What is wrong is the words of the call.
    if (error instanceof RulesetError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/** What a program that reads its rules from a pipe takes. */
function ofOneFamily(
  files: readonly RulesetFile[],
  wanted: Family,
  format: FormatName | 'all',
): readonly RulesetFile[] {
  const chosen = files.filter(({ family }) => family === wanted);
  if (chosen.length === 1) return chosen;
  throw new ConfigError(
    `flag --family: --for ${format} has no file for each family; allowed: --for iptables, --for redhat`,
  );
}

/** The files of every format that can express the plan, in a folder each, to choose from. */
function allFiles(plan: Plan): RulesetFile[] {
  return formatNames
    .filter((name) => reasonAgainst(plan, name) === undefined)
    .flatMap((name) => filesOf(plan, name).map(({ path, text }) => ({ path: `${name}/${path}`, text })));
}

function optionsFrom(argv: RulesFlags, config: Config): RulesetOptions {
  const { server, plane, passivePorts, activePorts, keepClientAddress, interceptNetworks, kernelMark } =
    config;
  const address = server && parseAddress(server.host);
  if (server && address === undefined) {
    throw new ConfigError(
      `server: ${server.host} is a host name, and rules need an address; allowed: --server ADDRESS[:PORT]`,
    );
  }
  const given = argv['client-networks'];
  const deployment =
    argv.deployment === undefined
      ? deploymentOf(config)
      : readFlag('deployment', argv.deployment, kinds.deployment);
  if (given !== undefined && deployment !== 'gateway-intercept') {
    throw new ConfigError(
      `flag --client-networks: the deployment ${deployment} intercepts nothing; allowed: only with --intercept`,
    );
  }
  return {
    deployment,
    plane,
    server: server && address !== undefined ? { address, port: server.port } : undefined,
    listen: listenInFront(config),
    passivePorts,
    activePorts,
    keepClientAddress,
    clientNetworks: readFlag('client-networks', given ?? '', kinds.clientNetworks),
    interceptNetworks,
    kernelMark,
    sessionRate: readFlag('session-rate', argv['session-rate'], kinds.sessionRate),
    openPorts: readFlag('open-ports', argv['open-ports'] ?? '', kinds.openPorts),
    tls: { ...tlsPolicyOf(config), listen: config.listenTls, publicAddress: config.publicAddress },
  };
}

function deploymentOf({ intercept, plane, keepClientAddress }: Config): Deployment {
  if (intercept) return 'gateway-intercept';
  return plane === 'kernel' || keepClientAddress ? 'gateway' : 'in-front';
}

/** One file as it is, so that it can be piped on; several with their names, as head(1) prints them. */
function printed(files: readonly RulesetFile[]): string {
  const [only, ...others] = files;
  if (only && others.length === 0) return only.text;
  return files.map(({ path, text }) => `==> ${path} <==\n${text}`).join('\n');
}
