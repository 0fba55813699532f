import type { Address } from '../../net/address.ts';
import {
  announcedAddressSetting,
  passiveRangeSettings,
  settingLine,
  type FtpServerProgram,
  type ServerSetting,
} from '../../server-settings/passive.ts';
import { endTls } from '../end-tls.ts';
import type { Remedy } from '../finding.ts';
import type { Pinhole } from './pinhole.ts';

/** The passive ports of the examples: Pinhole's default. */
const examples = { first: 50_000, last: 50_999 };
const { first, last } = examples;

/** The server, or Pinhole in front of it, announces an address other than its own. */
export function announce(address: Address, pinhole: Pinhole = 'absent'): Remedy[] {
  const byPinhole: Remedy = { target: 'pinhole', lines: [`--public-address ${address}`] };
  if (pinhole === 'here') return [byPinhole];
  return [...remediesOf((program) => [announcedAddressSetting(program, address)]), byPinhole];
}

/** The server keeps to a range of ports. */
export const passiveRange: readonly Remedy[] = [
  ...remediesOf((program) => passiveRangeSettings(program, examples)),
  { target: 'pinhole', lines: [`--passive-ports ${first}-${last}`] },
];

/** A range of passive ports of whoever announces them, open in the firewall. */
export function openPassiveRange(pinhole: Pinhole): Remedy[] {
  const settings =
    pinhole === 'here' ? passiveRange.filter(({ target }) => target === 'pinhole') : passiveRange;
  return [...settings, ...openRange];
}

/**
 * The firewall lets in Pinhole's passive ports.
 *
 * @param port one of them
 */
export function openPassivePorts(port: number): Remedy[] {
  const isDefault = port >= first && port <= last;
  return [...(isDefault ? openRange : openPorts('FIRST', 'LAST')), ...checkPinholeHost];
}

/** For each server: the lines of its file, and the flags where it has them. */
function remediesOf(settingsOf: (program: FtpServerProgram) => readonly ServerSetting[]): Remedy[] {
  const targets = { vsftpd: 'vsftpd.conf', proftpd: 'proftpd.conf', 'pure-ftpd': 'pure-ftpd' } as const;
  const programs = Object.keys(targets) as FtpServerProgram[];
  return programs.map((program) => {
    const settings = settingsOf(program);
    const flags = settings.flatMap(({ flag }) => flag ?? []);
    const lines = [...settings.map((setting) => settingLine(program, setting)), ...flags];
    return { target: targets[program], lines };
  });
}

/** ... and the firewall opens it. */
export const openRange: readonly Remedy[] = openPorts(first, last);

function openPorts(from: number | string, to: number | string): Remedy[] {
  return [
    { target: 'nftables', lines: [`nft insert rule inet filter input tcp dport ${from}-${to} accept`] },
    { target: 'iptables', lines: [`iptables -I INPUT -p tcp --dport ${from}:${to} -j ACCEPT`] },
  ];
}

export function openControlPort(port: number): Remedy[] {
  return [
    { target: 'nftables', lines: [`nft insert rule inet filter input tcp dport ${port} accept`] },
    { target: 'iptables', lines: [`iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`] },
  ];
}

export function listenOn(port: number): Remedy[] {
  return [
    {
      target: 'vsftpd.conf',
      lines: ['# one of listen=YES and listen_ipv6=YES, not both', `listen_port=${port}`],
    },
    { target: 'proftpd.conf', lines: [`Port ${port}`] },
    { target: 'pure-ftpd', lines: [`Bind ,${port}`, `-S ,${port}`] },
    { target: 'shell', lines: [`ss -ltn 'sport = :${port}'`] },
  ];
}

/**
 * The kernel's helper, which a firewall or NAT needs for ports that are not opened by rules. Beside Pinhole both would
 * rewrite one dialogue, and over TLS, where Pinhole may be unknown, the helper reads nothing.
 *
 * @param chain `forward` where the firewall is a NAT in front of other hosts
 */
export function kernelHelper(port: number, pinhole: Pinhole, chain: 'input' | 'forward' = 'input'): Remedy[] {
  if (pinhole !== 'absent') return [];
  const notBeside = `# not on a host where Pinhole serves port ${port}`;
  return [
    {
      target: 'nftables',
      lines: [
        notBeside,
        '# for nft -f -',
        'table inet ftp-helper {',
        '  ct helper ftp { type "ftp" protocol tcp; }',
        '  chain watch {',
        '    type filter hook prerouting priority filter;',
        `    tcp dport ${port} ct helper set "ftp"`,
        '  }',
        '}',
        `insert rule inet filter ${chain} ct state related ct helper "ftp" accept`,
      ],
    },
    {
      target: 'iptables',
      lines: [
        notBeside,
        `iptables -t raw -A PREROUTING -p tcp --dport ${port} -j CT --helper ftp`,
        `iptables -I ${chain.toUpperCase()} -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT`,
      ],
    },
    { target: 'shell', lines: ['modprobe nf_nat_ftp'] },
  ];
}

export const noLookups: readonly Remedy[] = [
  // Only Red Hat's build knows the second; another would not start with it.
  { target: 'vsftpd.conf', lines: ['tcp_wrappers=NO', '# RHEL, Fedora: reverse_lookup_enable=NO'] },
  {
    target: 'proftpd.conf',
    lines: ['UseReverseDNS off', '<IfModule mod_ident.c>', '  IdentLookups off', '</IfModule>'],
  },
  { target: 'pure-ftpd', lines: ['DontResolve yes', '-H'] },
];

export const allowActive: readonly Remedy[] = [{ target: 'vsftpd.conf', lines: ['port_enable=YES'] }];

/** Pure-FTPd's -N forces active mode. */
export const allowPassive: readonly Remedy[] = [
  { target: 'vsftpd.conf', lines: ['pasv_enable=YES'] },
  { target: 'pure-ftpd', lines: ['NATmode no'] },
];

/**
 * The source port of active data connections is one below the control port; vsftpd needs a setting for any port but
 * 20.
 */
export function fromDataPort(controlPort: number, pinhole: Pinhole): Remedy[] {
  if (pinhole === 'here') return [{ target: 'pinhole', lines: ['--data-source-port 20'] }];
  const other = controlPort === 21 ? [] : [`ftp_data_port=${controlPort - 1}`];
  return [
    { target: 'vsftpd.conf', lines: ['connect_from_port_20=YES', ...other] },
    { target: 'proftpd.conf', lines: ['RootRevoke off'] },
  ];
}

/** Where a data connection may come from another address than the control connection: vsftpd refuses it ... */
export const otherDataAddress: readonly Remedy[] = [
  { target: 'vsftpd.conf', lines: ['pasv_promiscuous=YES'] },
];

/** ... and Pure-FTPd waits for another. */
export const otherDataAddressAwaited: readonly Remedy[] = [
  { target: 'pure-ftpd', lines: ['AllowUserFXP yes', '-w'] },
];

export function idleFor(seconds: number): Remedy[] {
  const minutes = Math.ceil(seconds / 60);
  return [
    { target: 'vsftpd.conf', lines: [`idle_session_timeout=${seconds}`] },
    { target: 'proftpd.conf', lines: [`TimeoutIdle ${seconds}`] },
    { target: 'pure-ftpd', lines: [`MaxIdleTime ${minutes}`, `-I ${minutes}`] },
  ];
}

/** Pinhole ends TLS on both sides, in front of a server that demands it. */
export const endTlsTowardsServer: readonly Remedy[] = [
  {
    ...endTls,
    lines: [
      "# the fingerprint: openssl x509 -noout -fingerprint -sha256 -in the server's certificate",
      ...endTls.lines.map((line) => `${line} --server-tls explicit --server-tls-fingerprint FINGERPRINT`),
    ],
  },
];

export const checkPinholeHost: readonly Remedy[] = [
  { target: 'shell', lines: ["# on Pinhole's host", 'npx pinhole doctor --host'] },
];

export const tryServer: readonly Remedy[] = [
  { target: 'shell', lines: ["# on Pinhole's host, with its flags or --config", 'npx pinhole run --check'] },
];

/** On the router between two links: it tells both ends of a connection how much fits, where no ICMP message does. */
export const smallerSegments: readonly Remedy[] = [
  {
    target: 'nftables',
    lines: ['nft insert rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu'],
  },
  {
    target: 'iptables',
    lines: ['iptables -t mangle -I FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu'],
  },
];

/** The server accepts protected data connections of other TLS sessions. */
export const noReuse: readonly Remedy[] = [
  { target: 'vsftpd.conf', lines: ['require_ssl_reuse=NO'] },
  { target: 'proftpd.conf', lines: ['TLSOptions NoSessionReuseRequired'] },
];

/** A packet each minute keeps what is on the way from forgetting the connection. */
export const keepAlive: readonly Remedy[] = [
  { target: 'shell', lines: ['sysctl -w net.ipv4.tcp_keepalive_time=60'] },
  { target: 'proftpd.conf', lines: ['SocketOptions keepalive on'] },
];
