import { settings } from '../../config/table.ts';
import type { HostSources } from '../host-sources.ts';
import { meaningfulLines } from './lines.ts';
import { isVsftpdSetting, vsftpdSettingMeant } from './vsftpd-names.ts';

/** The texts of which a copy may be given. */
type Copied = Exclude<
  keyof HostSources,
  'pinholeCommand' | 'otherPinholes' | 'legacyIptables' | 'savedIptables' | 'nftablesJson'
>;

const chain = String.raw`[A-Za-z_]\S*`;

/** No option of a server's command line: what comes after `-A`, `-I` or `-N` is the name of a chain, after `-P` also its policy. */
const iptables = new RegExp(
  [
    String.raw`^\*[a-z]+$`,
    String.raw`^:${chain}\s+(?:ACCEPT|DROP|-)`,
    String.raw`(?:^|\s)(?:-[AIN]|--(?:append|insert|new-chain))\s+${chain}(?:\s|$)`,
    String.raw`(?:^|\s)(?:-P|--policy)\s+${chain}\s+(?:ACCEPT|DROP)\b`,
  ].join('|'),
);

/** Those of pure-ftpd.conf that no other server has. */
const ofPureFtpd = new RegExp(
  `^(?:${[
    'AllowAnonymousFXP AllowUserFXP AltLog AnonymousBandwidth AnonymousCanCreateDirs AnonymousCantUpload AnonymousOnly',
    'AnonymousRatio AntiWarez AutoRename Bind BrokenClientsCompatibility CallUploadScript CertFile(?:AndKey)? ChrootEveryone',
    'ClientCharset CreateHomeDir CustomerProof Daemonize DisplayDotFiles DontResolve ExtAuth ExtCert FileSystemCharset',
    'ForcePas+iveIP FortunesFile FSCharset IPV[46]Only KeepAllFiles LDAPConfigFile LimitRecursion LogPID MaxClientsNumber',
    'MaxClientsPerIP MaxDiskUsage MaxIdleTime MaxLoad MinUID MySQLConfigFile NATmode NoAnonymous NoChmod NoRename NoTruncate',
    'PAMAuthentication Pas+ivePortRange PerUserLimits PGSQLConfigFile PIDFile ProhibitDotFiles(?:Read|Write) PureDB Quota',
    'SyslogFacility TLS TrustedGID TrustedIP Umask(?=\\s+\\d+:) UnixAuthentication UserBandwidth UserRatio VerboseLog',
  ]
    .join(' ')
    .replaceAll(' ', '|')})\\s+[^\\s=]`,
  'i',
);

/** Written as ProFTPD's own files have them: `passive ports` in a sentence is no directive. */
const ofProftpd =
  /^(?:<(?:Anonymous|Directory|Global|If\w+|Limit|VirtualHost)\b|(?:Allow|Auth|Default|Delay|Deny|Group|Include|Load|Masquerade|Max|Passive|Port|Require|Root|Server|System|TLS|Timeout|Transfer|Umask|Use)\w*\s+[^\s=]|(?:Port|PassivePorts|MasqueradeAddress|Include)\s+[^\s=])/;
const plainProftpd =
  /^(?:port\s+\d+|passiveports\s+\d+\s+\d+|(?:servername|servertype|masqueradeaddress|defaultroot|tlsengine)\s+\S+)$/i;

/** What at least one line of each text looks like. */
const looks: Readonly<Record<Copied, (line: string) => boolean>> = {
  vsftpd: looksLikeVsftpd,
  proftpd: (line) => (ofProftpd.test(line) && !ofPureFtpd.test(line)) || plainProftpd.test(line),
  pureFtpd: (line) =>
    !iptables.test(line) && (/^(?:-{1,2}[a-z0-9]|\S*pure-ftpd\b)/i.test(line) || ofPureFtpd.test(line)),
  iptables: (line) => iptables.test(line),
  ip6tables: (line) => iptables.test(line),
  nftables: (line) =>
    /^(?:\S*nft\s+)?(?:-f\s|table\s+(?:(?:ip6?|inet|arp|bridge|netdev)\s+)?\S+\s*(?:\{|;|$)|chain\s+\S+\s*\{|(?:add|create|delete|destroy|flush|insert|list|replace|reset)\s+(?:chain|counter|ct|element|flowtable|limit|map|quota|rule|ruleset|set|table)\b|define\s+\S+\s*=|include\s+"|(?:tcp|udp|th)\s+[ds]port\s|ct\s+(?:state|status|mark|helper)\s|[io]if(?:name)?\s+\S|ip6?\s+(?:saddr|daddr|protocol|nexthdr)\s|meta\s+\w+\s)/.test(
      line,
    ),
  iptablesConfig: (line) => /^(?:export\s+)?IP6?TABLES?_[A-Z0-9_]+\+?=/.test(line),
  // `nf_conntrack_ftp 24576 1 nf_nat_ftp, Live 0x0`, or names alone
  modules: (line) =>
    /^(?:Module\s+Size\b|[a-z0-9]\w*\s+\d+\s+-?\d{1,4}(?:\s+(?:-|[a-z]).*)?$|\S+\.ko\b|[a-z0-9]+(?:_[a-z0-9]+)+$)/.test(
      line,
    ),
  sysctl: (line) => /^-?(?:abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm)[./][\w./*-]+\s*=/.test(line),
  listening: (line) => /^(?:State|Netid|Proto|Active)\b|\bLISTEN\b/.test(line),
  addresses: (line) => /^\d+:\s+\S+:\s|^inet6?\s+(?:addr:\s?)?[0-9a-f]*[.:]/.test(line),
  pinhole: looksLikePinhole,
};

function looksLikeVsftpd(line: string, index = 0): boolean {
  const [, name = '', sign = '', value = ''] = /^([A-Za-z0-9_]+)(\s*=|[\s:]+)\s*(.*)$/.exec(line) ?? [];
  // The value is TOML's.
  if (name === '' || /^\[/.test(value)) return false;
  if (isVsftpdSetting(name)) return true;
  return (
    sign.endsWith('=') && name.includes('_') && index < mostMeant && vsftpdSettingMeant(name) !== undefined
  );
}

/** Lines of which is asked what they may mean: that takes long. */
const mostMeant = 200;

const ownKeys: ReadonlySet<string> = new Set(settings.map(({ key }) => key));

/** `passive-ports = "50000-50999"`; whether it is right, Pinhole says itself. */
function looksLikePinhole(line: string): boolean {
  const [, key = '', value = ''] = /^([a-z-]+)\s*=\s*(.*)$/.exec(line) ?? [];
  return (ownKeys.has(key) || key.includes('-')) && /^(?:["'[\d]|(?:true|false)\b)/.test(value);
}

/** The program that says of itself that the rules are of the other family. */
const otherFamily: Readonly<Partial<Record<Copied, RegExp>>> = {
  iptables: /^# Generated by ip6tables/m,
  ip6tables: /^# Generated by iptables/m,
};

/** Whether the text is, or may be, the kind of file that it is named as: an empty one may be anything. */
export function isRecognised(source: keyof HostSources, text: string): boolean {
  const lines = meaningfulLines(text.replace(/^\ufeff/, ''));
  if (lines.length === 0 || !isCopied(source)) return true;
  if (otherFamily[source]?.test(text) === true) return false;
  const look: (line: string, index: number) => boolean = looks[source];
  return lines.some(({ value }, index) => look(value, index));
}

function isCopied(source: keyof HostSources): source is Copied {
  return source in looks;
}
