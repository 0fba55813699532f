import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/error.ts';
import { choice, networks, path, portRanges, whole } from '../config/kinds.ts';
import { listenInFront } from '../config/listening.ts';
import { tlsPolicyOf } from '../config/tls-policy.ts';
import { parseAddress, type Family } from '../net/address.ts';
import type { PortRange } from '../net/port-range.ts';
import { addingFormats, additions, type AddingFormat } from '../ruleset/additions.ts';
import type { RulesetFile } from '../ruleset/file.ts';
import {
  filesOf,
  filters,
  formatNames,
  formatsText,
  reasonAgainst,
  type FormatName,
} from '../ruleset/formats.ts';
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
import { sshPortsOfThisHost, type SshPorts } from './ssh-ports.ts';
import { writeTree } from './write-tree.ts';

interface RulesFlags {
  readonly for: string;
  readonly deployment?: string | undefined;
  readonly 'client-networks'?: string | undefined;
  readonly 'session-rate': string;
  readonly 'open-ports'?: string | undefined;
  readonly family?: string | undefined;
  readonly add: boolean;
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
          "clients inside; kernel-helper: the kernel's own helper, without Pinhole; server-alone: the FTP server of this host, " +
          'with neither, and a fixed range of open passive ports (default: derived from the settings)',
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
          'TCP ports of other services on this host, like 22,8000-8010 (default: those of SSH here; none: not even SSH); ' +
          'UDP needs rules of your own',
      })
      .option('family', {
        type: 'string',
        requiresArg: true,
        choices: Object.keys(families),
        describe: 'only the rules of this address family, for formats with a file for each: iptables, redhat',
      })
      .option('add', {
        type: 'boolean',
        default: false,
        describe:
          'print commands that add to the loaded rules, in place of a whole ruleset: nftables, iptables, firewalld, ufw',
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
        '$0 rules --for all --deployment server-alone --out rules',
        'an FTP server by itself, without Pinhole',
      )
      .epilogue('This changes nothing on this host. docs/rules.md explains how to load the rules.'),
  handler: (argv) => {
    const { config } = configFrom({ ...argv });
    const { files, remark } = made(argv, config);
    if (argv.out === undefined) {
      process.stdout.write(printed(files));
      warn(remark);
      return;
    }
    const written = writeTree(files, readFlag('out', argv.out, kinds.out), argv.force);
    process.stdout.write(written.map((file) => `${file}\n`).join(''));
    warn(remark);
  },
};

function warn(remark: string | undefined): void {
  if (remark !== undefined) process.stderr.write(`pinhole: ${remark}\n`);
}

/** The files, and what whoever loads them should know of SSH. */
function made(
  argv: RulesFlags,
  config: Config,
): { readonly files: readonly RulesetFile[]; readonly remark: string | undefined } {
  try {
    const format = readFlag('for', argv.for, kinds.for);
    // Commands that add, and formats that filter nothing, close nothing.
    const ssh = !argv.add && filters(format) ? sshPortsOfThisHost() : undefined;
    const open = openPortsFrom(argv['open-ports'], ssh);
    const plan = planOf(optionsFrom(argv, config, open));
    if (argv.add) return { files: additions(plan, addingFormat(format)), remark: undefined };
    const files = format === 'all' ? allFiles(plan) : filesOf(plan, format);
    const remark = ssh && remarkOnSsh(argv['open-ports'] !== undefined, open, ssh);
    if (argv.family === undefined) return { files, remark };
    const family = families[readFlag('family', argv.family, kinds.family)];
    return { files: ofOneFamily(files, family, format), remark };
  } catch (error) {
    // What is wrong is the words of the call.
    if (error instanceof RulesetError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

function addingFormat(format: FormatName | 'all'): AddingFormat {
  const found = addingFormats.find((each) => each === format);
  if (found !== undefined) return found;
  const allowed = addingFormats.map((each) => `--for ${each}`).join(', ');
  throw new ConfigError(`flag --add: not with --for ${format}; allowed: ${allowed}`);
}

/** Nobody who administers the host over SSH is to lock himself out by leaving a flag out. */
function openPortsFrom(given: string | undefined, ssh: SshPorts | undefined): readonly PortRange[] {
  if (given === undefined) return (ssh?.ports ?? []).map((port) => ({ first: port, last: port }));
  return given === 'none' ? [] : readFlag('open-ports', given, kinds.openPorts);
}

function remarkOnSsh(
  isGiven: boolean,
  open: readonly PortRange[],
  { ports, isSeen }: SshPorts,
): string | undefined {
  const where = `port ${ports.join(', ')}${isSeen ? '' : ' (the usual one: none was seen on this host)'}`;
  if (!isGiven)
    return `SSH stays open at ${where}, and nothing else besides FTP; --open-ports names what does`;
  const closed = ports.filter((port) => !open.some(({ first, last }) => first <= port && port <= last));
  if (closed.length === 0) return undefined;
  return `WARNING: these rules close SSH at ${where}: add ${closed.join(',')} to --open-ports, or have another way in`;
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

function optionsFrom(argv: RulesFlags, config: Config, openPorts: readonly PortRange[]): RulesetOptions {
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
    openPorts,
    tls: { ...tlsPolicyOf(config), listen: config.listenTls, publicAddress: config.publicAddress },
  };
}

function deploymentOf({ intercept, plane, keepClientAddress }: Config): Deployment {
  if (intercept) return 'gateway-intercept';
  return plane === 'kernel' || keepClientAddress ? 'gateway' : 'in-front';
}

/**
 * One file as it is, so that it can be piped on: its comments say where it belongs. Several with their names, as
 * head(1) prints them, and one without comments too: it has a value alone.
 */
function printed(files: readonly RulesetFile[]): string {
  const [only, ...others] = files;
  if (only?.text.startsWith('#') && others.length === 0) return only.text;
  return files.map(({ path, text }) => `==> ${path} <==\n${text}`).join('\n');
}
