import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../net/error.ts';
import { distinct, type Finding } from '../finding.ts';
import type { HostSources, RunningPinhole, SourceText } from '../host-sources.ts';
import type { Config } from '../../config/config.ts';
import { checkAuthorities, checkIdentity, type PemFile } from './check-certificates.ts';
import { readPinhole } from './pinhole-settings.ts';
import { withIncludes } from './read-proftpd.ts';
import { isOfNode } from './pinhole-signs.ts';
import { configOfCommand, isPinholeCommand, readPinholeCommand } from './pinhole-command.ts';
import { readListening } from './listening.ts';
import { fault, note } from './say.ts';

/** How to get at a host; tests have made ones. */
export interface HostAccess {
  /** Where its file system begins. */
  readonly root: string;
  /** What the program prints; rejects with `code`, and with `stderr` where it ran. */
  readonly run: (program: string, args: readonly string[]) => Promise<string>;
}

/** This host. */
export const thisHost: HostAccess = { root: '/', run };

/** Reads every available source, and reports which could not be read and why. Never throws. */
export async function readHost({ root, run: runProgram }: HostAccess): Promise<{
  readonly sources: HostSources;
  readonly findings: readonly Finding[];
}> {
  const findings: Finding[] = [];

  const read = async (path: string): Promise<SourceText | undefined> => {
    try {
      return { file: path, text: await readFile(join(root, path), 'utf8') };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EACCES' || code === 'EPERM')
        findings.push(note('rights-missing', { values: { what: path } }));
      return undefined;
    }
  };
  const firstOf = async (paths: readonly string[]): Promise<SourceText | undefined> => {
    for (const path of paths) {
      const found = await read(path);
      if (found) return found;
    }
    return undefined;
  };
  const printed = async (program: string, ...args: string[]): Promise<SourceText | undefined> => {
    try {
      return { file: [program, ...args].join(' '), text: await runProgram(program, args) };
    } catch (error) {
      findings.push(whyNot(program, error));
      return undefined;
    }
  };

  const listening = await printed('ss', '-ltnpe');
  const [running, ...otherPinholes] = await readPinholeProcesses(listening, read);
  const pinholeCommand = running?.command;
  const pinhole = running ? running.config : await read('/etc/pinhole.toml');
  const configs = running
    ? [running, ...otherPinholes].map(({ command, config }) => configOfCommand(command, config))
    : [pinhole && readPinhole(pinhole.file, pinhole.text)];
  for (const config of configs) if (config) findings.push(...(await readCertificates(root, config)));
  const saved = await firstOf(['/etc/sysconfig/iptables', '/etc/iptables/rules.v4']);
  const iptables = await printed('iptables-save');
  // With handles, by which the rules of its JSON are found.
  const nftables = await printed('nft', '-a', 'list', 'ruleset');
  const proftpd = await firstOf(['/etc/proftpd/proftpd.conf', '/etc/proftpd.conf']);
  const sources: HostSources = {
    vsftpd: await firstOf(['/etc/vsftpd.conf', '/etc/vsftpd/vsftpd.conf']),
    proftpd: proftpd && (await withIncludes(root, proftpd, read)),
    pureFtpd:
      (await readFolder(root, '/etc/pure-ftpd/conf', read)) ??
      (await firstOf(['/etc/pure-ftpd/pure-ftpd.conf', '/etc/pure-ftpd.conf'])),
    iptables: iptables ?? saved,
    savedIptables: iptables && saved,
    legacyIptables: (await hasLegacyRules(iptables, read))
      ? await printed('iptables-legacy-save')
      : undefined,
    ip6tables: await printed('ip6tables-save'),
    nftables: nftables && { file: 'nft list ruleset', text: nftables.text },
    nftablesJson: nftables && (await readNftJson(runProgram)),
    iptablesConfig: await read('/etc/sysconfig/iptables-config'),
    modules: await readAllModules(read),
    sysctl: await readKernelSettings(read),
    listening,
    addresses: await printed('ip', 'address'),
    pinhole,
    pinholeCommand,
    ...(otherPinholes.length > 0 && { otherPinholes }),
  };
  if (proftpd) findings.push(...(await testProftpd(proftpd.file, runProgram)));
  return { sources, findings: distinct(findings).map((finding) => ofWeight(finding, sources)) };
}

/** Some nft are built without JSON: the text is read then. */
async function readNftJson(runProgram: HostAccess['run']): Promise<SourceText | undefined> {
  const args = ['-j', 'list', 'ruleset'];
  const text = await runProgram('nft', args).catch(() => undefined);
  return text === undefined ? undefined : { file: ['nft', ...args].join(' '), text };
}

/** Rules that `iptables-save` does not show where it is the form that keeps its own in nftables. */
async function hasLegacyRules(iptables: SourceText | undefined, read: Read): Promise<boolean> {
  if (iptables?.text.includes('(nf_tables)') !== true) return false;
  return ((await read('/proc/net/ip_tables_names'))?.text.trim() ?? '') !== '';
}

/** Each Pinhole that listens here: flags may say all of its configuration. */
async function readPinholeProcesses(
  listening: SourceText | undefined,
  read: Read,
): Promise<RunningPinhole[]> {
  const found: RunningPinhole[] = [];
  const own = readListening(listening?.text ?? '').filter((listener) => isOfNode(listener));
  for (const pid of new Set(own.flatMap((listener) => listener.pid ?? []))) {
    const cmdline = await read(`/proc/${pid}/cmdline`);
    const words = cmdline?.text.split('\0') ?? [];
    if (cmdline === undefined || !isPinholeCommand(words)) continue;
    const environment = (await read(`/proc/${pid}/environ`))?.text.split('\0') ?? [];
    const settings = environment.filter((line) => line.startsWith('PINHOLE_'));
    const command = { file: cmdline.file, text: [...settings, ...words].join('\n') };
    const { configPath } = readPinholeCommand(command);
    found.push({ command, config: configPath === undefined ? undefined : await read(configPath) });
  }
  return found;
}

/** ProFTPD says itself what it does not start with. */
async function testProftpd(file: string, runProgram: HostAccess['run']): Promise<Finding[]> {
  try {
    await runProgram('proftpd', ['-t', '-c', file]);
    return [];
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const [, reply] = /\bfatal: ([^\n]+)/.exec(said) ?? [];
    return reply === undefined
      ? []
      : [fault('settings-refused', { values: { program: 'proftpd', reply }, file })];
  }
}

/** What could not be read matters unless another source has the same, or nothing here depends on it. */
function ofWeight(finding: Finding, { iptables, nftables, modules }: HostSources): Finding {
  const program = finding.values['program'] ?? finding.values['what'];
  if (finding.level !== 'note' || typeof program !== 'string') return finding;
  const hasModule = (name: RegExp): boolean => name.test(modules?.text ?? '');
  const isDispensable =
    finding.id === 'program-missing' &&
    (program === 'ip' ||
      program === 'ip6tables-save' ||
      // What iptables keeps in nftables, nft shows; its older form has modules of its own.
      (program === 'iptables-save' && nftables !== undefined && !hasModule(/^iptable_\w+ /m)) ||
      (program === 'nft' && iptables !== undefined && !hasModule(/^nf_tables /m)));
  return isDispensable ? finding : { ...finding, level: 'unseen' };
}

/** Certificates have no place among the texts: they are judged as they are read, and no key is kept. */
async function readCertificates(root: string, config: Config): Promise<Finding[]> {
  const { tls, tlsCert, tlsKey, tlsClientCa, serverTlsCa } = config;
  const pem = (file: string): Promise<PemFile> =>
    readFile(join(root, file), 'utf8').then(
      (text) => ({ file, text }),
      (error: unknown) => ({ file, code: String(codeOf(error) ?? error) }),
    );
  const now = new Date();
  const certificates = tls === 'terminate' ? tlsCert : [];
  const identities = certificates.map(async (cert, index) =>
    checkIdentity({ cert: await pem(cert), key: await pem(tlsKey[index] ?? '') }, now),
  );
  const authorities = [tlsClientCa, serverTlsCa]
    .filter((file) => file !== undefined)
    .map(async (file) => checkAuthorities(await pem(file)));
  return (await Promise.all([...identities, ...authorities])).flat();
}

type Read = (path: string) => Promise<SourceText | undefined>;

/** Debian's /etc/pure-ftpd/conf: a file a setting, its name the setting's. */
async function readFolder(root: string, path: string, read: Read): Promise<SourceText | undefined> {
  const names = await readdir(join(root, path)).catch(() => []);
  const lines: string[] = [];
  for (const name of names.sort()) {
    const found = await read(`${path}/${name}`);
    lines.push(`${name} ${(found?.text ?? '').trim().split('\n')[0] ?? ''}`);
  }
  return lines.length === 0 ? undefined : { file: path, text: lines.join('\n') };
}

/** The modules that are loaded, and the helpers that are built in, which /proc/modules does not show. */
async function readAllModules(read: Read): Promise<SourceText | undefined> {
  const loaded = await read('/proc/modules');
  if (loaded === undefined) return undefined;
  const release = (await read('/proc/sys/kernel/osrelease'))?.text.trim() ?? '';
  const builtIn = (await read(`/lib/modules/${release}/modules.builtin`))?.text ?? '';
  const helpers = builtIn.split('\n').filter((line) => line.includes('_ftp.ko'));
  return { file: loaded.file, text: [loaded.text.trimEnd(), ...helpers, ''].join('\n') };
}

const kernelSettings = ['net.ipv4.ip_forward', 'net.netfilter.nf_conntrack_helper'] as const;

async function readKernelSettings(read: Read): Promise<SourceText> {
  const lines: string[] = [];
  for (const name of kernelSettings) {
    const found = await read(`/proc/sys/${name.replaceAll('.', '/')}`);
    if (found) lines.push(`${name} = ${found.text.trim()}`);
  }
  return { file: 'sysctl', text: lines.join('\n') };
}

function whyNot(program: string, error: unknown): Finding {
  const code = codeOf(error);
  if (code === 'ENOENT') return note('program-missing', { values: { program } });
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  if (code === 'EACCES' || /permission denied|not permitted|must be root/i.test(said)) {
    return note('rights-missing', { values: { what: program } });
  }
  const isLate = error instanceof Error && 'killed' in error && error.killed === true;
  return note('program-failed', { values: { program, code: isLate ? 'timeout' : String(code) } });
}

/** Milliseconds; a listing of rules takes far less. */
const patience = 10_000;

function run(program: string, args: readonly string[]): Promise<string> {
  // Where these programs are is often not on the path of a user.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env, timeout: patience, maxBuffer: 1 << 28, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error instanceof Error) reject(Object.assign(error, { stderr }));
        else resolve(stdout);
      },
    );
  });
}
