/**
 * Real FTP clients in one of the lab's client namespaces: operations in a mode that the client is told to use. A
 * client that cannot be told so refuses with a reason, see {@link capability}.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { emittedFile, sourceFolder } from '../project.ts';
import { withMounts } from './mounts.ts';
import type { Family, Network } from './network.ts';
import { mustRun, type Finished } from './process.ts';
import { debianPython } from './provision.ts';
import type { TlsKind } from './server-tls.ts';
import type { ServerName } from './servers.ts';

export type ClientName = 'curl' | 'lftp' | 'ncftp' | 'tnftp' | 'ftplib' | 'basic-ftp';
export const clientNames: readonly ClientName[] = ['curl', 'lftp', 'ncftp', 'tnftp', 'ftplib', 'basic-ftp'];

/** PASV, EPSV, PORT, EPRT. */
export type Mode = 'passive' | 'extended-passive' | 'active' | 'extended-active';
export const modes: readonly Mode[] = ['passive', 'extended-passive', 'active', 'extended-active'];

export type Operation = 'list' | 'upload' | 'download' | 'resume-download' | 'resume-upload';
export const operations: readonly Operation[] = [
  'list',
  'upload',
  'download',
  'resume-download',
  'resume-upload',
];

/** That the client has to speak TLS, and checks the certificate. */
export interface ClientTls {
  kind: TlsKind;
  /** The path of the CA's certificate, PEM. */
  ca: string;
  /** PROT C or PROT P. */
  data: 'clear' | 'protected';
  /** The newest version that it offers; TLSv1.3 unless told. */
  maxVersion?: 'TLSv1.2';
  /**
   * Whether a data channel offers to resume the control channel's session. Said of ftplib alone, which unless told
   * does not; the others do as they always do.
   */
  reuse?: boolean;
}

/**
 * Bytes that each client can be told to upload over TLS, to any server. Of more, the end is lost now and then: where
 * its send buffer is full at the end, curl 7.88 closes without close_notify; and where a ticket of TLS 1.3 is unread,
 * as lftp and curl leave it, to close is to reset, and what has not been sent by then is dropped. So much is sent at
 * once (RFC 6928: ten segments).
 */
export const safeUpload = 10_000;

/** One thing to do in a session. */
export interface Step {
  operation: Operation;
  /** The file's name on the server, in its root folder; every operation but `list` needs it. */
  remote?: string;
  /** The file's path on this side; what is there is continued by `resume-download`. */
  local?: string;
}

export interface ClientSession {
  /** The address to connect to, as a literal. */
  address: string;
  port?: number;
  user: string;
  password: string;
  mode: Mode;
  /** The namespace that it runs in, `client` unless told. */
  host?: 'client' | 'stranger';
  /** Without it, all is in the clear. */
  tls?: ClientTls;
  /** lftp only: settings such as `ftp:sync-mode off`. */
  settings?: readonly string[];
  /** Limit in ms, 30 s unless told. */
  timeout?: number;
}

export type ClientRun = ClientSession & Step;

export interface ClientResult {
  /** The client's own verdict, its exit code or what it printed. */
  ok: boolean;
  output: string;
  version: string;
  /** The listing's lines as the client gave them; basic-ftp gives the names alone. */
  listing?: string[];
}

/** `true`, or a word why the client cannot do that. */
export type Capability = true | string;

/** What of TLS decides whether a client can; the server where it does not get along with each client. */
export type TlsDialogue = Omit<ClientTls, 'ca'> & { server?: ServerName };

/**
 * Whether a client can be told to do this.
 *
 * PASV and PORT have no form for IPv6 (RFC 2428, section 1), whatever the client.
 */
export function capability(
  client: ClientName,
  mode: Mode,
  family: Family,
  operation: Operation,
  tls?: TlsDialogue,
): Capability {
  if (family === 6 && mode === 'passive') return 'PASV is IPv4 only';
  if (family === 6 && mode === 'active') return 'PORT is IPv4 only';
  const driver = drivers[client];
  const lacksTls = tls === undefined ? undefined : driver.lacksTls(tls, mode);
  return driver.lacks(mode, family, operation) ?? lacksTls ?? true;
}

/** Runs one operation to its end. Throws for what {@link capability} rules out, and past the limit. */
export async function runClient(network: Network, client: ClientName, run: ClientRun): Promise<ClientResult> {
  const { operation, remote, local, ...session } = run;
  const files = { ...(remote !== undefined && { remote }), ...(local !== undefined && { local }) };
  return runSession(network, client, session, [{ operation, ...files }]);
}

/**
 * Runs operations one after the other, in one session where the client can do that. It ends with the first that
 * fails. What it lists is not told apart from what else it prints. Throws as {@link runClient}.
 */
export async function runSession(
  network: Network,
  client: ClientName,
  session: ClientSession,
  steps: readonly Step[],
): Promise<ClientResult> {
  for (const { operation, remote, local } of steps) {
    const can = capability(client, session.mode, isIPv6(session.address) ? 6 : 4, operation, session.tls);
    if (can !== true) throw new Error(`${client} cannot ${operation} in ${session.mode} mode: ${can}`);
    if (operation !== 'list' && (remote === undefined || local === undefined)) {
      throw new Error(`${operation} needs a remote and a local file`);
    }
  }
  const driver = drivers[client];
  const whole = steps.map((step) => ({ remote: '', local: '', ...step }));
  const parts = driver.oneAtATime ? whole.map((step) => [step]) : [whole];
  let ok = true;
  let stdout = '';
  let stderr = '';
  for (const part of parts) {
    const done = await runCommand(network, client, session, part);
    stdout += done.stdout;
    stderr += done.stderr;
    ok = done.code === 0 && !(driver.failure?.test(done.stdout + done.stderr) ?? false);
    if (!ok) break;
  }
  return {
    ok,
    output: stdout + stderr,
    version: await version(client),
    ...(steps.some(({ operation }) => operation === 'list') && { listing: listing(stdout, driver) }),
  };
}

async function runCommand(
  network: Network,
  client: ClientName,
  session: ClientSession,
  steps: readonly Required<Step>[],
): Promise<Finished> {
  const home = mkdtempSync(join(network.folder, `${client}-`));
  const order = { port: 21, settings: [], tls: undefined, ...session, steps, home };
  const { argv, input, cwd } = drivers[client].command(order);
  // No name server answers in the lab, and ncftp would wait 5 s for one to tell it its own name.
  const lookups = join(home, 'nsswitch.conf');
  writeFileSync(lookups, 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n');
  return network.exec(session.host ?? 'client', withMounts({ '/etc/nsswitch.conf': lookups }, argv), {
    // No ~/.netrc, ~/.ncftp or ~/.lftp of whoever runs the tests.
    env: { HOME: home, LFTP_HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home },
    timeout: session.timeout ?? 30_000,
    cwd: cwd ?? home,
    ...(input === undefined ? {} : { input }),
  });
}

interface ClientCommand {
  argv: string[];
  input?: string;
  cwd?: string;
}

type Order = Required<Omit<ClientSession, 'host' | 'timeout' | 'tls'>> & {
  steps: readonly Required<Step>[];
  tls: ClientTls | undefined;
  home: string;
};

interface Driver {
  command(order: Order): ClientCommand;
  /** A program that does one thing and ends: it is given one step. */
  oneAtATime?: true;
  /** Why not, beyond what no client can. */
  lacks(mode: Mode, family: Family, operation: Operation): string | undefined;
  /** Why not with TLS. */
  lacksTls(tls: TlsDialogue, mode: Mode): string | undefined;
  /** For a client that exits 0 after a failure: what it prints then. */
  failure?: RegExp;
  /** Matches the lines of standard output that are the listing; without it all are. */
  listingLine?: RegExp;
  version: { argv: string[]; pattern: RegExp };
}

const nothing = (): undefined => undefined;
const isActive = (mode: Mode): boolean => mode === 'active' || mode === 'extended-active';
const urlHost = (address: string): string => (isIPv6(address) ? `[${address}]` : address);

const curl: Driver = {
  command: ({ address, port, user, password, mode, steps, tls }) => {
    const way: Record<Mode, string[]> = {
      passive: ['--ftp-pasv', '--disable-epsv'],
      'extended-passive': ['--ftp-pasv'],
      active: ['--ftp-port', '-', '--disable-eprt'],
      'extended-active': ['--ftp-port', '-'],
    };
    const what: Record<Operation, (local: string) => string[]> = {
      list: () => [],
      upload: (local) => ['--upload-file', local],
      download: (local) => ['--output', local],
      'resume-download': (local) => ['--continue-at', '-', '--output', local],
      'resume-upload': (local) => ['--continue-at', '-', '--upload-file', local],
    };
    const login = ['--user', `${user}:${password}`];
    const limits = ['--connect-timeout', '10', '--max-time', '25'];
    const how = [...login, ...limits, ...curlTls(tls), ...way[mode]];
    // Options are those of one transfer, the connection is kept for the next.
    const words = steps.flatMap(({ operation, remote, local }, index) => {
      const file = operation === 'list' ? '' : encodeURIComponent(remote);
      const url = `${scheme(tls)}://${urlHost(address)}:${port}/${file}`;
      return [...(index > 0 ? ['--next'] : []), '-sS', ...how, ...what[operation](local), url];
    });
    return { argv: ['curl', '-q', '-v', '--fail-early', ...words] };
  },
  lacks: nothing,
  lacksTls: (tls, mode) => {
    if (tls.data === 'clear') return undefined;
    // Of 7.88.1. It sends no ClientHello on a connection that it has accepted, and both sides wait.
    return isActive(mode) ? 'never begins TLS on an active data channel' : earlyHello(tls);
  },
  version: { argv: ['curl', '--version'], pattern: /^curl (\S+)/ },
};

function curlTls(tls: ClientTls | undefined): string[] {
  if (tls === undefined) return [];
  return [
    ...['--cacert', tls.ca, tls.data === 'clear' ? '--ftp-ssl-control' : '--ssl-reqd'],
    ...(tls.maxVersion === undefined ? [] : ['--tls-max', '1.2']),
  ];
}

const lftp: Driver = {
  command: ({ address, port, user, password, mode, steps, settings, tls }) => {
    const set = [
      'cmd:fail-exit yes',
      'net:max-retries 1',
      'net:timeout 20',
      ...lftpTls(tls),
      `ftp:passive-mode ${isActive(mode) ? 'off' : 'on'}`,
      `ftp:prefer-epsv ${mode === 'extended-passive' ? 'yes' : 'no'}`,
      'xfer:clobber yes',
      ...settings,
    ];
    const what: Record<Operation, (remote: string, local: string) => string> = {
      list: () => 'ls',
      upload: (remote, local) => `put ${quote(local)} -o ${quote(remote)}`,
      download: (remote, local) => `get ${quote(remote)} -o ${quote(local)}`,
      'resume-download': (remote, local) => `get -c ${quote(remote)} -o ${quote(local)}`,
      'resume-upload': (remote, local) => `put -c ${quote(local)} -o ${quote(remote)}`,
    };
    const open = `open -u ${quote(`${user},${password}`)} ${scheme(tls)}://${urlHost(address)}:${port}`;
    const does = steps.map(({ operation, remote, local }) => what[operation](remote, local));
    const script = [...set.map((each) => `set ${each}`), 'debug 5', open, ...does, 'bye'];
    return { argv: ['lftp', '--norc', '-c', script.join('\n')] };
  },
  lacks: (mode, family) =>
    mode === 'extended-active' && family === 4 ? 'sends EPRT over IPv6 only' : undefined,
  lacksTls: nothing,
  version: { argv: ['lftp', '--version'], pattern: /Version (\S+)/ },
};

function lftpTls(tls: ClientTls | undefined): string[] {
  if (tls === undefined) return ['ftp:ssl-allow no'];
  const protect = tls.data === 'protected' ? 'yes' : 'no';
  return [
    'ftp:ssl-force yes',
    `ftp:ssl-protect-data ${protect}`,
    `ftp:ssl-protect-list ${protect}`,
    `ssl:ca-file ${quote(tls.ca)}`,
    'ssl:verify-certificate yes',
    'ssl:check-hostname yes',
    ...(tls.maxVersion === undefined ? [] : ['ssl:priority NORMAL:-VERS-TLS1.3']),
  ];
}

const ncftp: Driver = {
  oneAtATime: true,
  command: ({ address, port, user, password, mode, steps }) => {
    const [{ operation, remote, local } = assert.fail('nothing to do')] = steps;
    const login = ['-u', user, '-p', password, '-P', String(port)];
    const flags = [...login, '-t', '20', '-r', '1', '-d', 'stderr', isActive(mode) ? '-E' : '-F'];
    switch (operation) {
      case 'list':
        return { argv: ['ncftpls', ...flags, '-l', `ftp://${address}/`] };
      case 'upload':
      case 'resume-upload': {
        const resume = operation === 'upload' ? '-Z' : '-z';
        return { argv: ['ncftpput', ...flags, '-V', resume, '-C', address, local, remote] };
      }
      case 'download':
      case 'resume-download': {
        const resume = operation === 'download' ? '-Z' : '-z';
        return { argv: ['ncftpget', ...flags, '-V', resume, '-C', address, remote, local] };
      }
    }
  },
  lacks: (mode, family) => {
    if (family === 6) return 'speaks IPv4 only';
    return mode.startsWith('extended') ? 'knows neither EPSV nor EPRT' : undefined;
  },
  lacksTls: () => 'has no TLS',
  version: { argv: ['ncftpget', '--version'], pattern: /NcFTPGet (\S+)/ },
};

const tnftp: Driver = {
  command: ({ address, port, user, password, mode, steps }) => {
    const size = (path: string): number => statSync(path).size;
    const what: Record<Operation, (remote: string, local: string) => string[]> = {
      list: () => ['dir'],
      upload: (remote, local) => [`put ${quote(local)} ${quote(remote)}`],
      download: (remote, local) => [`get ${quote(remote)} ${quote(local)}`],
      'resume-download': (remote, local) => [
        `restart ${size(local)}`,
        `get ${quote(remote)} ${quote(local)}`,
      ],
      'resume-upload': (remote, local) => [`size ${quote(remote)}`, `put ${quote(local)} ${quote(remote)}`],
    };
    const script = [
      `user ${quote(user)} ${quote(password)}`,
      // It tries EPSV and EPRT over IPv4 first unless this is turned off.
      ...(mode.startsWith('extended') ? [] : ['epsv4']),
      'binary',
      ...steps.flatMap(({ operation, remote, local }) => what[operation](remote, local)),
      'bye',
    ];
    const flags = ['-n', '-v', '-i', '-g', isActive(mode) ? '-A' : '-p', '-q', '20'];
    return { argv: ['tnftp', ...flags, address, String(port)], input: `${script.join('\n')}\n` };
  },
  lacks: nothing,
  lacksTls: () => 'has TLS for https alone',
  failure: /^[45]\d\d |^tnftp: |^Not connected/m,
  version: { argv: ['dpkg-query', '-W', '-f', '${Version}\n', 'tnftp'], pattern: /^(\d+)/ },
};

const ftplib: Driver = {
  command: (order) => ({
    argv: [
      debianPython,
      join(sourceFolder(import.meta.dirname), 'ftplib-client.py'),
      ...scriptArguments(order),
    ],
  }),
  lacks: nothing,
  lacksTls: nothing,
  listingLine: /^listing: (.*)$/gm,
  version: { argv: [debianPython, '--version'], pattern: /Python (\S+)/ },
};

const basicFtp: Driver = {
  command: (order) => ({
    argv: [process.execPath, emittedFile('test/support/lab/basic-ftp-client.ts'), ...scriptArguments(order)],
  }),
  lacks: (mode) => (isActive(mode) ? 'has no active mode' : undefined),
  lacksTls: (tls) => (tls.data === 'clear' ? 'protects each data channel' : earlyHello(tls)),
  listingLine: /^listing: (.*)$/gm,
  version: {
    argv: ['cat', join(fileURLToPath(import.meta.resolve('basic-ftp')), '../../package.json')],
    pattern: /"version": "(\S+)"/,
  },
};

const drivers: Readonly<Record<ClientName, Driver>> = {
  curl,
  lftp,
  ncftp,
  tnftp,
  ftplib,
  'basic-ftp': basicFtp,
};

/** Of a client that begins TLS on a passive data channel before it sends the command. pyftpdlib 1.5.7 resets it. */
function earlyHello({ server }: TlsDialogue): string | undefined {
  return server === 'pyftpdlib' ? 'begins TLS before the command, which pyftpdlib resets' : undefined;
}

function scheme(tls: ClientTls | undefined): 'ftp' | 'ftps' {
  return tls?.kind === 'implicit' ? 'ftps' : 'ftp';
}

function scriptArguments({ mode, address, port, user, password, steps, tls }: Order): string[] {
  const secured = tls === undefined ? [] : [JSON.stringify(tls)];
  return [mode, address, String(port), user, password, JSON.stringify(steps), ...secured];
}

/** lftp and tnftp both read a word in double quotes as one. */
function quote(word: string): string {
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}

function listing(stdout: string, driver: Driver): string[] {
  if (driver.listingLine === undefined) return stdout.split(/\r?\n/).filter((line) => line !== '');
  return [...stdout.matchAll(driver.listingLine)].map((match) => match[1] ?? '');
}

const versions = new Map<ClientName, Promise<string>>();

/** The version that the client says it is. */
function version(client: ClientName): Promise<string> {
  const known = versions.get(client);
  if (known !== undefined) return known;
  const { argv, pattern } = drivers[client].version;
  const asked = mustRun(
    argv.join(' ').startsWith('ncftpget') ? ['sh', '-c', 'ncftpget 2>&1 || true'] : argv,
  ).then((text) => pattern.exec(text)?.[1] ?? 'unknown');
  versions.set(client, asked);
  return asked;
}
