import { readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { styleText } from 'node:util';
import { ConfigError, quote } from '../config/error.ts';
import { choice, day, path, seconds } from '../config/kinds.ts';
import { verdictOf, type Finding, type Level, type Verdict } from '../doctor/finding.ts';
import { byImportance, examineHost } from '../doctor/host.ts';
import type { HostSources, SourceText } from '../doctor/host-sources.ts';
import { readHost, thisHost } from '../doctor/host/read-host.ts';
import { isRecognised } from '../doctor/host/recognise.ts';
import {
  findingText,
  languageOf,
  languages,
  progressText,
  reportJson,
  summaryText,
} from '../doctor/report.ts';
import { examineServer } from '../doctor/server.ts';
import type { TellProgress } from '../doctor/server/progress.ts';
import type { ServerTarget } from '../doctor/server/target.ts';
import { splitHostPort } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { isColoured } from './colour.ts';
import type { Subcommand } from './subcommand.ts';
import { readFlag } from './flags.ts';

/** The flag that names a copy of a file -> what it is a copy of. */
const files = {
  'vsftpd-conf': ['vsftpd', 'vsftpd.conf'],
  'proftpd-conf': ['proftpd', 'proftpd.conf'],
  'pure-ftpd-conf': ['pureFtpd', 'pure-ftpd.conf'],
  iptables: ['iptables', "iptables-save's output, or /etc/sysconfig/iptables"],
  ip6tables: ['ip6tables', "ip6tables-save's output, or /etc/sysconfig/ip6tables"],
  nftables: ['nftables', "nft list ruleset's output"],
  'iptables-config': ['iptablesConfig', '/etc/sysconfig/iptables-config'],
  modules: ['modules', "/proc/modules, or lsmod's output"],
  sysctl: ['sysctl', "sysctl -a's output"],
  listening: ['listening', "ss -ltnp's output"],
  addresses: ['addresses', "ip address' output"],
  'pinhole-config': ['pinhole', "Pinhole's own configuration"],
} as const satisfies Record<string, readonly [keyof HostSources, string]>;

/** What flags may be. */
const kinds = {
  lang: choice(languages),
  timeout: seconds(1, day),
  idle: seconds(0, day),
  limit: seconds(1, day),
  file: path('one file'),
};

interface DoctorFlags {
  readonly url?: string | undefined;
  readonly host: boolean;
  readonly json: boolean;
  readonly lang?: string | undefined;
  readonly timeout: number;
  readonly idle: number;
  readonly limit: number;
  readonly 'password-file'?: string | undefined;
  readonly progress?: boolean | undefined;
}

export const doctorCommand: Subcommand<DoctorFlags> = {
  builder: (yargs) => {
    const named = yargs
      .positional('url', {
        type: 'string',
        describe: 'ftp://[USER[:PASSWORD]@]HOST[:PORT]; without a user: anonymous',
      })
      .option('host', {
        type: 'boolean',
        default: false,
        describe: 'examine this host (server, firewall, modules, sysctls, ports), or only the files given',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .option('lang', { type: 'string', choices: languages, describe: 'language (default: from LANG)' })
      .option('timeout', {
        type: 'number',
        default: 10,
        describe: 'seconds to wait for a reply or a connection',
      })
      .option('idle', {
        type: 'number',
        default: 0,
        describe: 'seconds of silence that the control connection must survive; 0: not tested',
      })
      .option('limit', {
        type: 'number',
        default: 300,
        describe: 'seconds for the whole examination of a server, without --idle',
      })
      .option('progress', {
        type: 'boolean',
        describe: 'say on standard error what takes long (default: on a terminal)',
      })
      .option('password-file', {
        type: 'string',
        requiresArg: true,
        describe: 'file with the password, or put it in FTP_PASSWORD: both keep it out of the process list',
      });
    for (const [flag, [, what]] of Object.entries(files)) {
      named.option(flag, {
        type: 'string',
        requiresArg: true,
        group: 'Files, with --host:',
        describe: `a copy of ${what}`,
      });
    }
    return named
      .usage('$0 doctor ftp://user@host[:port]\n$0 doctor --host')
      .example(
        '$0 doctor ftp://anna@ftp.example.org',
        'from where FTP fails; the password is in FTP_PASSWORD',
      )
      .example('$0 doctor --host', 'on the server, or on the gateway')
      .example('$0 doctor --host --vsftpd-conf copy.conf --iptables copy', 'files copied from another host')
      .epilogue(
        'Exit code: 0 healthy, 1 something needs to be changed, 2 could not run, 3 healthy as far as seen (something ' +
          'that matters was not seen or not understood), 130 interrupted.',
      );
  },
  handler: async (argv) => {
    const language =
      argv.lang === undefined ? languageOf(process.env) : readFlag('lang', argv.lang, kinds.lang);
    const printing = {
      style: isColoured() ? inColour : undefined,
      width: widthOf(process.stdout),
      isOfHost: argv.host,
    };
    const tell = (finding: Finding): void => {
      if (!argv.json) process.stdout.write(findingText(finding, language, printing));
    };
    const progress: TellProgress = (step, seconds) => {
      process.stderr.write(progressText(step, seconds, language, { width: widthOf(process.stderr) }));
    };
    const findings = await examine(argv, tell, progress).catch((error: unknown) => {
      if (error instanceof ConfigError) throw error;
      throw new ConfigError(`the examination could not be finished: ${messageOf(error)}`, { cause: error });
    });
    process.exitCode = exitCodeFor(findings);
    const rest = argv.json
      ? reportJson(findings, language, printing)
      : summaryText(findings, language, printing);
    // Of what was given up, connections may still wait.
    process.stdout.write(rest, () => process.exit());
  },
};

/** Some terminals say that they have no columns. */
function widthOf({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  return isTTY && columns > 0 ? columns : undefined;
}

function exitCodeFor(findings: readonly Finding[]): number {
  if (findings.some(({ id }) => id === 'examination-interrupted')) return 128 + constants.signals.SIGINT;
  return exitCodes[verdictOf(findings)];
}

const exitCodes: Readonly<Record<Verdict, number>> = { healthy: 0, fault: 1, 'as-far-as-seen': 3 };

/** @throws {ConfigError} for words that cannot be followed: the exit code is 2 */
async function examine(
  argv: DoctorFlags & Readonly<Record<string, unknown>>,
  tell: (finding: Finding) => void,
  progress: TellProgress,
): Promise<Finding[]> {
  const { url, host } = argv;
  const named = Object.keys(files).filter((flag) => argv[flag] !== undefined);
  const [flag] = named;
  if (flag !== undefined && !host) throw new ConfigError(`--${flag} is a file of a host: add --host`);
  if (url === undefined && !host) {
    throw new ConfigError(
      'nothing to examine; allowed: ftp://[USER[:PASSWORD]@]HOST[:PORT], --host, or both',
    );
  }
  const timeout = readFlag('timeout', argv.timeout, kinds.timeout);
  const idle = readFlag('idle', argv.idle, kinds.idle);
  const limit = readFlag('limit', argv.limit, kinds.limit);

  const target = url === undefined ? undefined : targetOf(url, argv['password-file']);
  const ofHost = host ? await examineThisHost(named, argv) : [];
  for (const finding of ofHost) tell(finding);
  if (target === undefined) return [...ofHost];
  const interruption = new AbortController();
  process.once('SIGINT', () => {
    interruption.abort();
  });
  const options = {
    timeout,
    idle,
    limit: limit + idle,
    signal: interruption.signal,
    tell,
    progress: (argv.progress ?? process.stderr.isTTY) ? progress : undefined,
  };
  return [...ofHost, ...(await examineServer(target, options))];
}

async function examineThisHost(
  named: readonly string[],
  argv: Readonly<Record<string, unknown>>,
): Promise<readonly Finding[]> {
  if (named.length === 0) {
    const { sources, findings } = await readHost(thisHost);
    return byImportance([...findings, ...examineHost(sources)]);
  }
  const entries = Object.entries(files)
    .filter(([flag]) => named.includes(flag))
    .map(([flag, [source, what]]): [string, SourceText] => [
      source,
      readCopy(flag, argv[flag], source, what),
    ]);
  return examineHost(Object.fromEntries(entries));
}

/** No listing of a host is nearly as large; what is larger is another file. */
const largest = 64 * 1024 * 1024;

function readCopy(flag: string, path: unknown, source: keyof HostSources, what: string): SourceText {
  const given = readGiven(flag, path);
  if (isRecognised(source, given.text)) return given;
  const [other, [, seen] = []] =
    Object.entries(files).find(([, [kind]]) => isRecognised(kind, given.text)) ?? [];
  const found =
    other === undefined
      ? `nothing in ${given.file} was recognised`
      : `${given.file} looks like a copy of ${seen} (--${other})`;
  throw new ConfigError(`--${flag}: ${found}; allowed: a copy of ${what}`);
}

function readGiven(flag: string, given: unknown): SourceText {
  const path = readFlag(flag, given, kinds.file);
  try {
    const { size } = statSync(path);
    if (size <= largest) return { file: path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new ConfigError(`--${flag}: cannot read the file: ${messageOf(error)}`, { cause: error });
  }
  throw new ConfigError(`--${flag}: ${path} is too large; allowed: up to 64 MiB`);
}

/** No part of a URL is repeated in a message: a password may be in any of them. */
function targetOf(url: string, passwordFile: string | undefined): ServerTarget {
  const wrong = (what: string): ConfigError =>
    new ConfigError(`${what}; allowed: ftp://[USER[:PASSWORD]@]HOST[:PORT], other characters as %XX`);
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (scheme?.toLowerCase() !== 'ftp') {
    // A name alone has no part for a password.
    const which = /^[\w.-]+$/.test(url) ? quote(url) : 'the URL';
    throw wrong(`${which} does not begin with ftp://`);
  }
  const slash = rest.indexOf('/', rest.lastIndexOf('@') + 1);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  if (slash !== -1 && slash !== rest.length - 1) throw wrong('the URL has a path');
  const at = authority.lastIndexOf('@');
  const place = splitHostPort(authority.slice(at + 1));
  if (place === undefined) throw wrong('the URL has no valid host and port');

  const account = at === -1 ? '' : authority.slice(0, at);
  const colon = account.indexOf(':');
  const user = decoded(colon === -1 ? account : account.slice(0, colon)) ?? '';
  const inUrl = colon === -1 ? undefined : decoded(account.slice(colon + 1));
  if (decoded(account) === undefined)
    throw wrong('the user or the password in the URL is not properly percent-encoded');
  const given =
    passwordFile === undefined ? (inUrl ?? process.env['FTP_PASSWORD']) : readPassword(passwordFile);
  const password = user === '' && given === undefined ? 'pinhole@' : given;
  if (password === undefined) {
    throw new ConfigError('no password was given; allowed: --password-file, FTP_PASSWORD, or in the URL');
  }
  if (/[\r\n\0]/.test(password)) throw new ConfigError('the password contains a line break or a NUL byte');
  return { host: place.host, port: place.port ?? 21, user: user === '' ? 'anonymous' : user, password };
}

/** Undefined for what is no text, or would be several lines on the control channel. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\r\n\0]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

function readPassword(path: string): string {
  return readGiven('password-file', path).text.replace(/\r?\n$/, '');
}

const colours: Readonly<Record<Level, 'green' | 'yellow' | 'magenta' | 'red'>> = {
  fine: 'green',
  note: 'yellow',
  unseen: 'magenta',
  fault: 'red',
};

function inColour(text: string, level: Level): string {
  return styleText(colours[level], text);
}
