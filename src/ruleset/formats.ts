import type { RulesetFile } from './file.ts';
import { firewalld } from './firewalld.ts';
import { proftpd, pureFtpd, reasonOfTls, vsftpd } from './ftp-servers.ts';
import { iptables } from './iptables.ts';
import { modules } from './modules.ts';
import { nftables } from './nftables.ts';
import { pf } from './pf.ts';
import { deployments, RulesetError, usesPinhole, type Deployment, type Plan } from './plan.ts';
import { rateReason, redhat } from './redhat.ts';
import { sysctl } from './sysctl.ts';
import { ufw } from './ufw.ts';

export type FormatName =
  | 'nftables'
  | 'iptables'
  | 'redhat'
  | 'firewalld'
  | 'ufw'
  | 'pf'
  | 'modules'
  | 'sysctl'
  | 'vsftpd'
  | 'proftpd'
  | 'pure-ftpd';

interface Format {
  /** What it is, for --help. */
  readonly what: string;
  readonly make: (plan: Plan) => RulesetFile[];
  /** Undefined: all. */
  readonly deployments?: readonly Deployment[];
  /** Undefined: both. */
  readonly plane?: 'relay';
}

const table: Readonly<Record<FormatName, Format>> = {
  nftables: { what: 'a table for nft -f', make: nftables },
  iptables: { what: 'for iptables-restore and ip6tables-restore', make: iptables },
  redhat: { what: 'files in /etc/sysconfig for the iptables service', make: redhat, plane: 'relay' },
  firewalld: {
    what: 'a zone and a service',
    make: firewalld,
    deployments: ['in-front', 'gateway', 'kernel-helper', 'server-alone'],
  },
  ufw: { what: 'a script that puts rules into before.rules', make: ufw },
  pf: {
    what: "OpenBSD's and FreeBSD's pf.conf",
    make: pf,
    deployments: ['in-front', 'gateway', 'server-alone'],
    plane: 'relay',
  },
  modules: { what: 'modules-load.d and modprobe.d', make: modules },
  sysctl: { what: 'sysctl.d', make: sysctl },
  vsftpd: {
    what: 'lines for vsftpd.conf',
    make: vsftpd,
    deployments: ['in-front', 'gateway', 'kernel-helper', 'server-alone'],
  },
  proftpd: {
    what: 'lines for proftpd.conf',
    make: proftpd,
    deployments: ['in-front', 'gateway', 'kernel-helper', 'server-alone'],
  },
  'pure-ftpd': {
    what: "files of Debian's pure-ftpd/conf",
    make: pureFtpd,
    deployments: ['in-front', 'gateway', 'kernel-helper', 'server-alone'],
  },
};

export const formatNames: readonly FormatName[] = Object.keys(table) as FormatName[];

/** `nftables: a table for nft -f; ...` */
export const formatsText: string = formatNames.map((name) => `${name}: ${table[name].what}`).join('; ');

/** Whether a format closes what it does not name. */
export function filters(name: FormatName | 'all'): boolean {
  return name === 'all' || filtering.has(name);
}

const filtering: ReadonlySet<string> = new Set<FormatName>([
  'nftables',
  'iptables',
  'redhat',
  'firewalld',
  'ufw',
  'pf',
]);

/** @throws {RulesetError} where the format cannot say it */
export function filesOf(plan: Plan, name: FormatName): RulesetFile[] {
  const reason = reasonAgainst(plan, name);
  if (reason !== undefined) throw new RulesetError(reason);
  return table[name].make(plan);
}

/** Why the format cannot express such a plan; undefined if it can. */
export function reasonAgainst({ options, lead, watch }: Plan, name: FormatName): string | undefined {
  const { deployments: possible = deployments, plane } = table[name];
  const { deployment } = options;
  if (!possible.includes(deployment)) {
    return `${name}: not for the deployment ${deployment}; allowed: ${possible.join(', ')}`;
  }
  if (plane !== undefined && usesPinhole(options) && options.plane !== plane) {
    return `${name}: not for the kernel plane, which needs nftables; allowed: --plane ${plane}`;
  }
  const rate = name === 'redhat' ? rateReason(options.sessionRate) : undefined;
  if (rate !== undefined) return `redhat: ${rate}`;
  if (name === 'vsftpd' || name === 'proftpd' || name === 'pure-ftpd') return reasonOfTls(options, name);
  if (name === 'pf' && options.keepClientAddress) {
    return 'pf: keep-client-address needs nftables; allowed: without it';
  }
  // Active mode is led to the very address that the server dials: not translated for firewalld, and dropped.
  if (name === 'firewalld' && options.keepClientAddress && options.plane === 'kernel') {
    return 'firewalld: not for the kernel plane with keep-client-address; allowed: one of them';
  }
  // firewalld attaches its helper "ftp" to this port, whatever the service defines.
  if (name === 'firewalld' && watch.some(({ ports = [] }) => ports.some(({ first }) => first !== 21))) {
    return 'firewalld: kernel-helper works on port 21 only; allowed: --listen 21 or ADDRESS:21';
  }
  if (name === 'firewalld' && lead.length > 0) {
    return 'firewalld: not for kernel-helper with a server behind this host; allowed: without --server, for a server on this host';
  }
  return undefined;
}
