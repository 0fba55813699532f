import { isLoopback } from '../net/address.ts';
import { formatPortRange, sizeOf, type PortRange } from '../net/port-range.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { isServerHere } from './listeners.ts';
import { RulesetError, type Plan, type RulesetOptions } from './plan.ts';

/** What is said of a server in whatever language. */
function settingsOf({ options }: Plan): {
  readonly port: number;
  readonly local: string | undefined;
  readonly oneClient: boolean;
  /** Whose business the address in the 227 is. */
  readonly announced: string;
  readonly first: number;
  readonly last: number;
} {
  const { server, deployment, keepClientAddress } = options;
  const isLocal = server !== undefined && isLoopback(server.address);
  return {
    port: server?.port ?? 21,
    local: isLocal ? server.address : undefined,
    // The relay is the one client that the server sees.
    oneClient: deployment !== 'kernel-helper' && !keepClientAddress,
    announced: announcedBy(options),
    ...passivePortsOf(options),
  };
}

function announcedBy({ deployment, server }: RulesetOptions): string {
  if (deployment !== 'kernel-helper') return 'the 227 has the address of the server, and Pinhole rewrites it';
  return server
    ? "the 227 has the address of the server, and the kernel's helper rewrites it"
    : 'the 227 has the address that the client connected to, and clients reach that';
}

const lastPort = 65535;

/** Those of Pinhole, but where both are on one host: a port can be had once, so that the server gets others. */
function passivePortsOf(options: RulesetOptions): PortRange {
  const { passivePorts, activePorts, deployment } = options;
  if (deployment === 'kernel-helper' || !isServerHere(options)) return passivePorts;
  const size = sizeOf(passivePorts);
  const taken = [passivePorts, activePorts];
  const above = Math.max(...taken.map(({ last }) => last)) + 1;
  const below = Math.min(...taken.map(({ first }) => first)) - size;
  const first = [above, below].find((port) => port >= 1024 && port + size - 1 <= lastPort);
  if (first === undefined) {
    throw new RulesetError(
      `passive-ports: ${formatPortRange(passivePorts)} leaves a server on this host no ${size} ports of its own above or below passive-ports and active-ports; allowed: fewer ports`,
    );
  }
  return { first, last: first + size - 1 };
}

const rangeComment = 'passive mode: the ports of its 227 and 229';
const limitComment = 'all clients have one address here: limits by address would be limits for all';

export function vsftpd(plan: Plan): RulesetFile[] {
  const { port, local, oneClient, announced, first, last } = settingsOf(plan);
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
      `pasv_min_port=${first}`,
      `pasv_max_port=${last}`,
      `# ${announced}: no pasv_address`,
      '# data connections come from where the control connection does',
      'pasv_promiscuous=NO',
      'port_promiscuous=NO',
      '# active mode, from port 20',
      'port_enable=YES',
      'connect_from_port_20=YES',
      ...(oneClient ? [`# ${limitComment}`, 'max_per_ip=0'] : []),
    ]),
  ];
}

export function proftpd(plan: Plan): RulesetFile[] {
  const { port, local, oneClient, announced, first, last } = settingsOf(plan);
  return [
    fileOf('etc/proftpd/conf.d/ftp.conf', [
      ...commented([plan.heading[0] ?? '']),
      ...(local === undefined
        ? []
        : ['# only the relay on this host gets to it', `DefaultAddress ${local}`, 'SocketBindTight on']),
      ...(port === 21 ? [] : [`Port ${port}`]),
      `# ${rangeComment}`,
      `PassivePorts ${first} ${last}`,
      `# ${announced}: no MasqueradeAddress`,
      '# data connections come from where the control connection does',
      'AllowForeignAddress off',
      ...activeByPortBelow(port),
      ...(oneClient ? [`# ${limitComment}: no MaxClientsPerHost, no MaxConnectionsPerHost`] : []),
    ]),
  ];
}

function activeByPortBelow(port: number): string[] {
  return port <= 1024
    ? [`# active mode, from port ${port - 1}: as root alone it can bind to that`, 'RootRevoke off']
    : [`# active mode comes from port ${port - 1}: from the control port less one, not from 20`];
}

/** Debian's folder: one file a setting. A file holds the setting alone, and what is said of it is said in docs/rules.md. */
export function pureFtpd(plan: Plan): RulesetFile[] {
  const { port, local, first, last } = settingsOf(plan);
  const folder = 'etc/pure-ftpd/conf';
  return [
    ...(local === undefined && port === 21 ? [] : [fileOf(`${folder}/Bind`, [`${local ?? ''},${port}`])]),
    fileOf(`${folder}/PassivePortRange`, [`${first} ${last}`]),
  ];
}
