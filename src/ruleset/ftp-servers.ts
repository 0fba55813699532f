import { reachedIPv4 } from '../config/listening.ts';
import { familyOf, isLoopback, parseAddress } from '../net/address.ts';
import { formatPortRange, sizeOf, type PortRange } from '../net/port-range.ts';
import {
  announcedAddressSetting,
  passiveRangeSettings,
  settingLine,
  type FtpServerProgram,
  type ServerSetting,
} from '../server-settings/passive.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { isServerHere, sharesAddress } from './listeners.ts';
import { RulesetError, usesPinhole, type Plan, type RulesetOptions } from './plan.ts';
import { usesTls } from './tls.ts';

/** The settings of a server, in no program's own syntax. */
function settingsOf({ options }: Plan): {
  readonly port: number;
  readonly local: string | undefined;
  readonly oneClient: boolean;
  /** Whose business the address in the 227 is. */
  readonly announced: string;
  /** What it has to announce itself; undefined: the address that it has. */
  readonly address: string | undefined;
  readonly first: number;
  readonly last: number;
  readonly tls: ServerTls | undefined;
} {
  const { server, deployment, keepClientAddress, listen, tls } = options;
  const isLocal = server !== undefined && isLoopback(server.address);
  return {
    port:
      server?.port ?? (deployment === 'server-alone' ? [...listen, ...tls.listen][0]?.port : undefined) ?? 21,
    local: isLocal ? server.address : undefined,
    // The relay is the one client that the server sees.
    oneClient: usesPinhole(options) && !keepClientAddress,
    announced: announcedBy(options),
    address: announcedAddressOf(options),
    ...passivePortsOf(options),
    tls: serverTlsOf(options),
  };
}

/** What the server has to announce itself: where nobody rewrites it, and it is not the address that clients connect to. */
function announcedAddressOf(options: RulesetOptions): string | undefined {
  if (options.deployment === 'server-alone') return options.tls.publicAddress;
  return options.tls.mode === 'pass' ? publicAddressOf(options) : undefined;
}

function announcedBy({ deployment, server, tls }: RulesetOptions): string {
  if (deployment === 'server-alone') {
    return tls.publicAddress === undefined
      ? 'the 227 has the address that the client connected to, and clients reach that'
      : 'clients reach this host at another address than its own, and nobody rewrites the 227';
  }
  if (tls.mode === 'pass')
    return 'behind AUTH TLS nobody rewrites the 227: it has to have the address that clients reach';
  if (deployment !== 'kernel-helper') return 'the 227 has the address of the server, and Pinhole rewrites it';
  return server
    ? "the 227 has the address of the server, and the kernel's helper rewrites it"
    : 'the 227 has the address that the client connected to, and clients reach that';
}

const lastPort = 65535;

/** Undefined where none is known, and over IPv6, whose 229 has no address. */
function publicAddressOf({ server, listen, tls }: RulesetOptions): string | undefined {
  if (server && familyOf(server.address) === 6) return undefined;
  return tls.publicAddress ?? reachedIPv4(listen);
}

/** Why TLS leaves nothing to print for a server; undefined where it does not. */
export function reasonOfTls(options: RulesetOptions, program: ServerName): string | undefined {
  const { server, listen, tls } = options;
  if (program === 'pure-ftpd' && tls.server === 'implicit') {
    return 'pure-ftpd: it does not support implicit TLS; allowed: server-tls off, explicit or same';
  }
  if (tls.mode !== 'pass' || !server) return undefined;
  if (sharesAddress(server, listen)) {
    return `${program}: with tls pass it has the same passive ports as Pinhole, which also listens on ${server.address}; allowed: another address of the server, like 127.0.0.1`;
  }
  if (familyOf(server.address) === 4 && publicAddressOf(options) === undefined) {
    return `${program}: with tls pass it announces the address that clients reach, which is not known; allowed: --public-address ADDRESS, or one address in --listen`;
  }
  return undefined;
}

type ServerName = 'vsftpd' | 'proftpd' | 'pure-ftpd';

/** The TLS that a server has to have. */
interface ServerTls {
  /** What it is for. */
  readonly comment: string;
  readonly isImplicit: boolean;
  /** Whether it may refuse logins and data without TLS; undefined: its own choice. */
  readonly demands: { readonly login: boolean; readonly data: boolean } | undefined;
  /** Whether data channels resume the session of the control channel that it knows. */
  readonly resumes: boolean;
}

function serverTlsOf({ tls, deployment }: RulesetOptions): ServerTls | undefined {
  const { mode, server, serverData, data, isRequired, isRequiredForData } = tls;
  if (!usesTls(tls)) return undefined;
  if (deployment === 'server-alone') {
    const comment = "TLS of the client: its data connection resumes the control connection's session";
    // As with Pinhole, whose require-tls is off unless told.
    const demands = { login: false, data: false };
    return { comment, isImplicit: server === 'implicit', demands, resumes: true };
  }
  if (mode === 'pass') {
    const comment = "TLS of the client ends here: its data connection resumes the control channel's session";
    return { comment, isImplicit: false, demands: undefined, resumes: true };
  }
  if (server === 'off') return undefined;
  const resumes = data === 'relay';
  const login = server !== 'same' || isRequired;
  return {
    comment: resumes
      ? "TLS with Pinhole, whose data connection resumes the control channel's session"
      : 'TLS of control channels is with Pinhole and that of data with the client, which has no session to resume',
    isImplicit: server === 'implicit',
    demands: {
      login,
      data: login && (serverData === 'protected' || (serverData === 'same' && isRequiredForData)),
    },
    resumes,
  };
}

/**
 * Those of Pinhole, unless both are on one host: a port can be used once, so the server gets others. If TLS is passed
 * through, each port leads to the same number, on two addresses.
 */
function passivePortsOf(options: RulesetOptions): PortRange {
  const { passivePorts, activePorts, deployment, tls } = options;
  if (!usesPinhole({ deployment }) || tls.mode === 'pass' || !isServerHere(options)) return passivePorts;
  const size = sizeOf(passivePorts);
  const taken = [passivePorts, activePorts];
  const above = Math.max(...taken.map(({ last }) => last)) + 1;
  const below = Math.min(...taken.map(({ first }) => first)) - size;
  const first = [above, below].find((port) => port >= 1024 && port + size - 1 <= lastPort);
  if (first === undefined) {
    throw new RulesetError(
      `passive-ports: ${formatPortRange(passivePorts)} leaves no ${size} free ports above or below passive-ports and active-ports for a server on this host; allowed: fewer ports`,
    );
  }
  return { first, last: first + size - 1 };
}

const rangeComment = 'passive mode: the ports of its 227 and 229';
const limitComment = 'all clients have one address here: limits by address would be limits for all';

export function vsftpd(plan: Plan): RulesetFile[] {
  const { port, local, oneClient, announced, address, first, last, tls } = settingsOf(plan);
  return [
    fileOf('etc/vsftpd.conf', [
      ...commented([plan.heading[0] ?? '', 'Lines for vsftpd.conf. There must be no blank around the =.']),
      ...(local === undefined
        ? []
        : [
            '# only the relay on this host gets to it',
            ...(local.includes(':')
              ? ['listen=NO', 'listen_ipv6=YES', `listen_address6=${local}`]
              : ['listen=YES', 'listen_ipv6=NO', `listen_address=${local}`]),
          ]),
      ...(port === 21 ? [] : [`listen_port=${port}`]),
      `# ${rangeComment}`,
      'pasv_enable=YES',
      ...rangeLines('vsftpd', { first, last }),
      ...(address === undefined
        ? [`# ${announced}: no pasv_address`]
        : [
            `# ${announced}`,
            addressLine('vsftpd', address),
            ...(parseAddress(address) === undefined ? ['pasv_addr_resolve=YES'] : []),
          ]),
      '# data connections come from where the control connection does',
      'pasv_promiscuous=NO',
      'port_promiscuous=NO',
      '# active mode, from port 20',
      'port_enable=YES',
      'connect_from_port_20=YES',
      ...(oneClient ? [`# ${limitComment}`, 'max_per_ip=0'] : []),
      ...(tls ? vsftpdTls(tls) : []),
    ]),
  ];
}

function vsftpdTls({ comment, isImplicit, demands, resumes }: ServerTls): string[] {
  return [
    `# ${comment}`,
    '# rsa_cert_file and rsa_private_key_file name its certificate and key',
    'ssl_enable=YES',
    '# its default is a single cipher, which OpenSSL 3 has given up',
    'ssl_ciphers=HIGH',
    ...(isImplicit ? ['implicit_ssl=YES'] : []),
    `require_ssl_reuse=${yes(resumes)}`,
    ...(demands
      ? [`force_local_logins_ssl=${yes(demands.login)}`, `force_local_data_ssl=${yes(demands.data)}`]
      : []),
  ];
}

function yes(condition: boolean): string {
  return condition ? 'YES' : 'NO';
}

export function proftpd(plan: Plan): RulesetFile[] {
  const { port, local, oneClient, announced, address, first, last, tls } = settingsOf(plan);
  return [
    fileOf('etc/proftpd/conf.d/ftp.conf', [
      ...commented([plan.heading[0] ?? '', 'Lines for proftpd.conf, or a file of /etc/proftpd/conf.d.']),
      ...(local === undefined
        ? []
        : ['# only the relay on this host gets to it', `DefaultAddress ${local}`, 'SocketBindTight on']),
      ...(port === 21 ? [] : [`Port ${port}`]),
      `# ${rangeComment}`,
      ...rangeLines('proftpd', { first, last }),
      ...(address === undefined
        ? [`# ${announced}: no MasqueradeAddress`]
        : [`# ${announced}`, addressLine('proftpd', address)]),
      '# data connections come from where the control connection does',
      'AllowForeignAddress off',
      ...activeByPortBelow(port),
      ...(oneClient ? [`# ${limitComment}: no MaxClientsPerHost, no MaxConnectionsPerHost`] : []),
      ...(tls ? proftpdTls(tls) : []),
    ]),
  ];
}

function proftpdTls({ comment, isImplicit, demands, resumes }: ServerTls): string[] {
  const required = demands && (demands.data ? 'on' : demands.login ? 'ctrl' : 'off');
  const options = [...(resumes ? [] : ['NoSessionReuseRequired']), ...(isImplicit ? ['UseImplicitSSL'] : [])];
  return [
    `# ${comment}`,
    '# mod_tls has to be loaded; TLSRSACertificateFile and TLSRSACertificateKeyFile name its certificate and key',
    'TLSEngine on',
    ...(required === undefined ? [] : [`TLSRequired ${required}`]),
    ...(options.length > 0 ? [`TLSOptions ${options.join(' ')}`] : []),
  ];
}

function activeByPortBelow(port: number): string[] {
  return port <= 1024
    ? [`# active mode, from port ${port - 1}: as root alone it can bind to that`, 'RootRevoke off']
    : [`# active mode comes from port ${port - 1}: from the control port less one, not from 20`];
}

/** Debian's folder: one file per setting. A file holds only the value; its explanation is in docs/rules.md. */
export function pureFtpd(plan: Plan): RulesetFile[] {
  const { port, local, address, first, last, tls } = settingsOf(plan);
  const settingFile = ({ name, value }: ServerSetting): RulesetFile => fileOf(`${folder}/${name}`, [value]);
  const folder = 'etc/pure-ftpd/conf';
  return [
    ...(local === undefined && port === 21 ? [] : [fileOf(`${folder}/Bind`, [`${local ?? ''},${port}`])]),
    ...passiveRangeSettings('pure-ftpd', { first, last }).map(settingFile),
    ...(address === undefined ? [] : [settingFile(announcedAddressSetting('pure-ftpd', address))]),
    ...(tls ? [fileOf(`${folder}/TLS`, [pureFtpdTls(tls)])] : []),
  ];
}

function rangeLines(program: FtpServerProgram, range: PortRange): string[] {
  return passiveRangeSettings(program, range).map((setting) => settingLine(program, setting));
}

function addressLine(program: FtpServerProgram, address: string): string {
  return settingLine(program, announcedAddressSetting(program, address));
}

/** 1: as the client wishes; 2: no login without; 3: no data without either. */
function pureFtpdTls({ demands }: ServerTls): string {
  if (!demands?.login) return '1';
  return demands.data ? '3' : '2';
}
