/**
 * Real FTP servers in the lab's server namespace, each with one local user and a temporary home folder. The host's
 * /etc stays as it is: the user exists only in a mount namespace of the server's own.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { sourceFolder } from '../project.ts';
import { withMounts } from './mounts.ts';
import { addresses } from './network.ts';
import type { Family, Network } from './network.ts';
import type { LabProcess } from './process.ts';
import { mustRun } from './process.ts';
import { debianPython, unpackedServer } from './provision.ts';
import {
  proftpdTls,
  pureFtpdTls,
  pyftpdlibTls,
  serverCapability,
  tlsEnvironment,
  vsftpdTls,
} from './server-tls.ts';
import type { ServerTls } from './server-tls.ts';

export type ServerName = 'vsftpd' | 'proftpd' | 'pure-ftpd' | 'pyftpdlib';
export const serverNames: readonly ServerName[] = ['vsftpd', 'proftpd', 'pure-ftpd', 'pyftpdlib'];

export interface ServerOptions {
  /** 4 unless told: the one family that the server listens on, at `addresses[family].server`. */
  family?: Family;
  /** Where it runs: `server` unless told, or the gateway's inside. */
  host?: 'server' | 'gateway';
  /** 21 unless told, and 990 with implicit TLS. */
  port?: number;
  /** First and last port for passive transfers; 30000-30099 unless told. */
  passivePorts?: readonly [first: number, last: number];
  /**
   * Appended to what the server is configured with: lines of vsftpd.conf, of proftpd.conf's top level, or command
   * line flags of pure-ftpd, or lines of its file. Of the lines that are there already, those with the same name go, as
   * where an administrator changes a file. pyftpdlib takes none.
   */
  extra?: readonly string[];
  /** Pure-FTPd reads a file, in place of flags. */
  hasFile?: boolean;
  /** Flags of Pure-FTPd that it is started without. */
  lacks?: readonly string[];
  /** Where it listens by what `extra` says, where that is another port. */
  listensOn?: number;
  /** The rules of TCP wrappers, which vsftpd asks with `tcp_wrappers=YES`; none unless told. */
  hostsAllow?: string;
  /** Without it the server knows no TLS. What `serverCapability` rules out throws. */
  tls?: ServerTls;
}

export interface LabServer {
  name: ServerName;
  /** Of the package. */
  version: string;
  address: string;
  family: Family;
  port: number;
  /** What the user sees as `/`. */
  root: string;
  user: string;
  password: string;
  pid: number;
  /** What the server wrote: its own log files, standard output and standard error. */
  log(): string;
  /** Writes a file into `root` that the user may read and overwrite, dated 2020-01-02 so that listings agree. */
  put(name: string, content: string | Buffer): void;
  /** The content of a file in `root`. Throws where there is none. */
  read(name: string): Buffer;
  stop(): Promise<void>;
}

const user = 'tester';
const password = 'an open door';
/** crypt(3)'s SHA-512 form of the password. */
const hash =
  '$6$pinholetest$F80sEmghq7AKZBaGBDNJCEvDJiFSQ.Pg/g.xB9eFE.TkR5KJ9bH.dj6yGcga6SvHytiGMLemZ6oEuPEAUBQic0';
const uid = 60_021;
const fixedDate = new Date('2020-01-02T03:04:05Z');

interface Plan {
  version: string;
  argv: string[];
  /** Log files that the server writes. */
  logs: string[];
}

interface Setting {
  family: Family;
  address: string;
  port: number;
  first: number;
  last: number;
  folder: string;
  root: string;
  extra: readonly string[];
  hasFile: boolean;
  lacks: readonly string[];
  tls: ServerTls | undefined;
}

const plans: Readonly<Record<ServerName, (setting: Setting) => Plan | Promise<Plan>>> = {
  vsftpd: planVsftpd,
  proftpd: planProftpd,
  'pure-ftpd': planPureFtpd,
  pyftpdlib: planPyftpdlib,
};

/** Starts the server and resolves once it listens (limit 10 s). The programs must have been provisioned. */
export async function startServer(
  network: Network,
  name: ServerName,
  options: ServerOptions = {},
): Promise<LabServer> {
  const family = options.family ?? 4;
  const host = options.host ?? 'server';
  const address = host === 'server' ? addresses[family].server : addresses[family].inside;
  const { tls } = options;
  const can = tls === undefined ? true : serverCapability(name, tls);
  if (can !== true) throw new Error(`${name} cannot be started so: it ${can}`);
  const port = options.port ?? (tls?.kind === 'implicit' ? 990 : 21);
  const [first, last] = options.passivePorts ?? [30_000, 30_099];
  const folder = mkdtempSync(join(network.folder, `${name}-`));
  chmodSync(folder, 0o755);
  const root = join(folder, 'home');
  mkdirSync(root);
  chownSync(root, uid, uid);

  const plan = await plans[name]({
    family,
    address,
    port,
    first,
    last,
    folder,
    root,
    extra: options.extra ?? [],
    hasFile: options.hasFile === true,
    lacks: options.lacks ?? [],
    tls,
  });
  const env = tls === undefined ? {} : tlsEnvironment(tls, folder);
  const argv = withPrivateEtc(folder, root, plan.argv, options.hostsAllow);
  const process = network.spawn(host, argv, { env });
  await process.waitForPort(options.listensOn ?? port);
  return {
    name,
    version: plan.version,
    address,
    family,
    port,
    root,
    user,
    password,
    pid: process.pid,
    log: () => logText(plan.logs, process),
    put: (file, content) => {
      const path = join(root, file);
      writeFileSync(path, content);
      chownSync(path, uid, uid);
      // Through the descriptor's owner rights any server's user may resume an upload into it.
      chmodSync(path, 0o644);
      utimesSync(path, fixedDate, fixedDate);
    },
    read: (file) => readFileSync(join(root, file)),
    stop: async () => {
      await process.stop();
    },
  };
}

/** /etc's passwd, group, shadow, shells, pam.d and hosts.allow as a folder of our own, mounted over the host's. */
function withPrivateEtc(folder: string, root: string, argv: readonly string[], hostsAllow = ''): string[] {
  const etc = join(folder, 'etc');
  mkdirSync(join(etc, 'pam.d'), { recursive: true });
  const group = `root:x:0:\nnogroup:x:65534:\n${user}:x:${uid}:\n`;
  const passwd =
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n' +
    `${user}:x:${uid}:${uid}::${root}:/bin/sh\n`;
  // No `include`: the common files differ from release to release.
  const pam = 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n';
  writeFileSync(join(etc, 'passwd'), passwd);
  writeFileSync(join(etc, 'group'), group);
  writeFileSync(join(etc, 'shadow'), `root:*:19000::::::\n${user}:${hash}:19000::::::\n`, { mode: 0o600 });
  writeFileSync(join(etc, 'shells'), '/bin/sh\n');
  writeFileSync(join(etc, 'hosts.allow'), `${hostsAllow}\n`);
  for (const service of ['vsftpd', 'pure-ftpd', 'proftpd']) writeFileSync(join(etc, 'pam.d', service), pam);
  const names = ['passwd', 'group', 'shadow', 'shells', 'pam.d', 'hosts.allow'];
  return withMounts(Object.fromEntries(names.map((name) => [join('/etc', name), join(etc, name)])), argv);
}

async function planVsftpd(setting: Setting): Promise<Plan> {
  const { program, version } = unpackedServer('vsftpd');
  const log = join(setting.folder, 'vsftpd.log');
  const empty = join(setting.folder, 'empty');
  mkdirSync(empty);
  const config = join(setting.folder, 'vsftpd.conf');
  const listen =
    setting.family === 4
      ? ['listen=YES', 'listen_ipv6=NO', `listen_address=${setting.address}`]
      : ['listen=NO', 'listen_ipv6=YES', `listen_address6=${setting.address}`];
  writeFileSync(
    config,
    lines([
      ...listen,
      `listen_port=${setting.port}`,
      'background=NO',
      'anonymous_enable=NO',
      'local_enable=YES',
      'write_enable=YES',
      'local_umask=022',
      'chroot_local_user=YES',
      'allow_writeable_chroot=YES',
      `secure_chroot_dir=${empty}`,
      'pam_service_name=vsftpd',
      'connect_from_port_20=YES',
      `pasv_min_port=${setting.first}`,
      `pasv_max_port=${setting.last}`,
      'xferlog_enable=YES',
      'log_ftp_protocol=YES',
      `vsftpd_log_file=${log}`,
      // Sessions in network namespaces of their own would be out of reach when the lab is taken down.
      'isolate=NO',
      'isolate_network=NO',
      // Its system call filter is older than today's C library.
      'seccomp_sandbox=NO',
      ...(setting.tls === undefined ? [] : vsftpdTls(setting.tls)),
      ...setting.extra,
    ]),
  );
  return Promise.resolve({ version, argv: [program, config], logs: [log] });
}

async function planProftpd(setting: Setting): Promise<Plan> {
  const { program, folder: unpacked, version } = unpackedServer('proftpd-core');
  const file = (name: string): string => join(setting.folder, name);
  writeFileSync(
    file('proftpd.conf'),
    edited(
      [
        ...(setting.tls === undefined
          ? [`ModulePath ${join(unpacked, 'usr/lib/proftpd')}`]
          : proftpdTls(setting.tls, setting.folder)),
        'ServerName "lab"',
        'ServerType standalone',
        'DefaultServer on',
        `DefaultAddress ${setting.address}`,
        `UseIPv6 ${setting.family === 6 ? 'on' : 'off'}`,
        `Port ${setting.port}`,
        'SocketBindTight on',
        `PassivePorts ${setting.first} ${setting.last}`,
        'User nobody',
        'Group nogroup',
        'Umask 022',
        'DefaultRoot ~',
        'AuthPAMConfig proftpd',
        'AllowOverwrite on',
        'AllowRetrieveRestart on',
        'AllowStoreRestart on',
        'UseReverseDNS off',
        'TimesGMT on',
        'WtmpLog off',
        // Both would write below /run and /var/lib.
        '<IfModule mod_ctrls.c>\n  ControlsEngine off\n</IfModule>',
        '<IfModule mod_delay.c>\n  DelayEngine off\n</IfModule>',
        `ScoreboardFile ${file('proftpd.scoreboard')}`,
        `PidFile ${file('proftpd.pid')}`,
        `SystemLog ${file('proftpd.log')}`,
        `TransferLog ${file('proftpd.xferlog')}`,
      ],
      setting.extra,
    ),
  );
  return Promise.resolve({
    version,
    argv: [program, '--nodaemon', '--config', file('proftpd.conf')],
    logs: ['proftpd.log', 'proftpd.xferlog', 'tls.log'].map(file),
  });
}

function planPureFtpd(setting: Setting): Plan {
  const { program, version } = unpackedServer('pure-ftpd');
  const log = join(setting.folder, 'pure-ftpd.log');
  closeSync(openSync(log, 'w'));
  if (setting.hasFile) return { version, argv: [program, pureFtpdFile(setting, log)], logs: [log] };
  const argv = [
    program,
    setting.family === 4 ? '--ipv4only' : '--ipv6only',
    '--bind',
    `${setting.address},${setting.port}`,
    '--login',
    'unix',
    '--noanonymous',
    '--dontresolve',
    '--chrooteveryone',
    '--passiveportrange',
    `${setting.first}:${setting.last}`,
    '--syslogfacility',
    'none',
    '--altlog',
    `clf:${log}`,
    '--pidfile',
    join(setting.folder, 'pure-ftpd.pid'),
    ...(setting.tls === undefined ? [] : pureFtpdTls(setting.tls)),
    ...setting.extra,
  ];
  return { version, argv: argv.filter((each) => !setting.lacks.includes(each)), logs: [log] };
}

/** What the flags say, as a file. @returns its path */
function pureFtpdFile(
  { family, address, port, first, last, folder, extra, tls }: Setting,
  log: string,
): string {
  if (tls !== undefined) throw new Error('Pure-FTPd with a file has no TLS here');
  const file = join(folder, 'pure-ftpd.conf');
  const usual = [
    family === 4 ? 'IPV4Only yes' : 'IPV6Only yes',
    `Bind ${address},${port}`,
    'UnixAuthentication yes',
    'NoAnonymous yes',
    'DontResolve yes',
    'ChrootEveryone yes',
    `PassivePortRange ${first} ${last}`,
    'SyslogFacility none',
    `AltLog clf:${log}`,
    `PIDFile ${join(folder, 'pure-ftpd.pid')}`,
  ];
  writeFileSync(file, edited(usual, extra));
  return file;
}

async function planPyftpdlib(setting: Setting): Promise<Plan> {
  const version = await mustRun([debianPython, '-c', 'import pyftpdlib; print(pyftpdlib.__ver__)']);
  const script = join(sourceFolder(import.meta.dirname), 'pyftpdlib-server.py');
  const { address, port, root, first, last, tls } = setting;
  const argv = [address, port, root, user, password, first, last].map(String);
  const secure = tls === undefined ? [] : pyftpdlibTls(tls);
  return { version: version.trim(), argv: [debianPython, script, ...argv, ...secure], logs: [] };
}

/** A file whose lines give way to others of the same name. */
function edited(usual: readonly string[], extra: readonly string[]): string {
  const nameOf = (line: string): string => line.split(' ')[0] ?? '';
  const names = new Set(extra.map(nameOf).filter((name) => !name.startsWith('<')));
  return lines([...usual.filter((line) => !names.has(nameOf(line))), ...extra]);
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

function logText(files: readonly string[], process: LabProcess): string {
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  return [...texts, process.stdout(), process.stderr()].join('');
}
