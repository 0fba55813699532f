import { isLoopback } from '../net/address.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import type { Plan } from './plan.ts';

/** What is said of a server in whatever language. */
function settingsOf({ options }: Plan): {
  readonly port: number;
  readonly local: string | undefined;
  readonly oneClient: boolean;
  readonly first: number;
  readonly last: number;
} {
  const { server, deployment, keepClientAddress, passivePorts } = options;
  const isLocal = server !== undefined && isLoopback(server.address);
  return {
    port: server?.port ?? 21,
    local: isLocal ? server.address : undefined,
    // The relay is the one client that the server sees.
    oneClient: deployment !== 'kernel-helper' && !keepClientAddress,
    ...passivePorts,
  };
}

const rangeComment = 'passive mode: the ports of its 227 and 229';
const addressComment = 'no address of its own in the 227: whoever translates addresses rewrites it there';
const limitComment = 'all clients have one address here: limits by address would be limits for all';

export function vsftpd(plan: Plan): RulesetFile[] {
  const { port, local, oneClient, first, last } = settingsOf(plan);
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
      `# ${addressComment}: no pasv_address`,
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
  const { port, local, oneClient, first, last } = settingsOf(plan);
  return [
    fileOf('etc/proftpd/conf.d/ftp.conf', [
      ...commented([plan.heading[0] ?? '']),
      ...(local === undefined
        ? []
        : ['# only the relay on this host gets to it', `DefaultAddress ${local}`, 'SocketBindTight on']),
      ...(port === 21 ? [] : [`Port ${port}`]),
      `# ${rangeComment}`,
      `PassivePorts ${first} ${last}`,
      `# ${addressComment}: no MasqueradeAddress`,
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
