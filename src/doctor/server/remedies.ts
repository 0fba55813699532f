import type { Address } from '../../net/address.ts';
import {
  announcedAddressSetting,
  passiveRangeSettings,
  settingLine,
  type FtpServerProgram,
  type ServerSetting,
} from '../../server-settings/passive.ts';
import type { Remedy } from '../finding.ts';

/** The passive ports of the examples: Pinhole's default. */
const examples = { first: 50_000, last: 50_999 };
const { first, last } = examples;

/** The server announces an address other than its own. */
export function announce(address: Address): Remedy[] {
  return [
    ...remediesOf((program) => [announcedAddressSetting(program, address)]),
    { target: 'pinhole', lines: [`--public-address ${address}`] },
  ];
}

/** The server keeps to a range of ports. */
export const passiveRange: readonly Remedy[] = [
  ...remediesOf((program) => passiveRangeSettings(program, examples)),
  { target: 'pinhole', lines: [`--passive-ports ${first}-${last}`] },
];

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
export const openRange: readonly Remedy[] = [
  { target: 'nftables', lines: [`nft insert rule inet filter input tcp dport ${first}-${last} accept`] },
  { target: 'iptables', lines: [`iptables -I INPUT -p tcp --dport ${first}:${last} -j ACCEPT`] },
];

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

/** The kernel's helper, which a firewall or NAT needs for ports that are not opened by rules. */
export function kernelHelper(port: number): Remedy[] {
  return [
    {
      target: 'nftables',
      lines: [
        '# for nft -f -',
        'table inet ftp-helper {',
        '  ct helper ftp { type "ftp" protocol tcp; }',
        '  chain watch {',
        '    type filter hook prerouting priority filter;',
        `    tcp dport ${port} ct helper set "ftp"`,
        '  }',
        '}',
        'insert rule inet filter input ct state related ct helper "ftp" accept',
      ],
    },
    {
      target: 'iptables',
      lines: [
        `iptables -t raw -A PREROUTING -p tcp --dport ${port} -j CT --helper ftp`,
        'iptables -I INPUT -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT',
      ],
    },
    { target: 'shell', lines: ['modprobe nf_nat_ftp'] },
  ];
}

export const noLookups: readonly Remedy[] = [
  // Only Red Hat's build knows the second; another would not start with it.
  { target: 'vsftpd.conf', lines: ['tcp_wrappers=NO', '# RHEL, Fedora: reverse_lookup_enable=NO'] },
  { target: 'proftpd.conf', lines: ['UseReverseDNS off', 'IdentLookups off'] },
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
export function fromDataPort(controlPort: number): Remedy[] {
  const other = controlPort === 21 ? [] : [`ftp_data_port=${controlPort - 1}`];
  return [
    { target: 'vsftpd.conf', lines: ['connect_from_port_20=YES', ...other] },
    { target: 'proftpd.conf', lines: ['RootRevoke off'] },
  ];
}

export const otherDataAddress: readonly Remedy[] = [
  { target: 'vsftpd.conf', lines: ['pasv_promiscuous=YES'] },
  { target: 'proftpd.conf', lines: ['AllowForeignAddress on'] },
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

/** A packet each minute keeps what is on the way from forgetting the connection. */
export const keepAlive: readonly Remedy[] = [
  { target: 'shell', lines: ['sysctl -w net.ipv4.tcp_keepalive_time=60'] },
  { target: 'proftpd.conf', lines: ['SocketOptions keepalive on'] },
];
