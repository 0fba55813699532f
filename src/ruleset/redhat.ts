import { familyOf, type Family } from '../net/address.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { chainRules, natTable, rawTable, type Dialect } from './iptables.ts';
import { usesPinhole, type Plan, type Rule } from './plan.ts';
import { forwarding, spoofing } from './sysctl.ts';

const chain = 'RH-Firewall-1-INPUT';

/** The `recent` match remembers this many packets of an address, by the module's default. */
const mostRemembered = 20;
/** It counts in whole seconds. */
const mostSessions = 60 * mostRemembered;

/** Why the session limit cannot be expressed; undefined if it can. */
export function rateReason(rate: number): string | undefined {
  return rate > mostSessions
    ? `session-rate ${rate}; allowed: 1 to ${mostSessions}, because the match "recent" remembers ${mostRemembered} packets of an address`
    : undefined;
}

/** What kernels of the 2.6 days have. */
const before: Dialect = {
  state: (states) => `-m state --state ${states}`,
  tooMany: (rate) => {
    const seconds = Math.min(60, Math.floor(mostSessions / rate));
    const hits = Math.round((rate * seconds) / 60);
    return [
      `-m recent --name ftp --rcheck --seconds ${seconds} --hitcount ${hits} -j DROP`,
      '-m recent --name ftp --set',
    ];
  },
  // net.ipv4.conf.all.rp_filter does it.
  spoofed: [],
};

/**
 * `service iptables` of Red Hat: the rules of both families, and the configuration that loads modules. One line has all
 * modules, as the file is a shell script in which a second assignment would replace the first.
 */
export function redhat(plan: Plan): RulesetFile[] {
  return [
    rules(plan, 4, 'etc/sysconfig/iptables'),
    rules(plan, 6, 'etc/sysconfig/ip6tables'),
    configuration(plan, 4),
    configuration(plan, 6),
    fileOf('etc/sysctl.d/90-ftp.conf', [
      '# Red Hat 5 does not read this folder: there these lines go into /etc/sysctl.conf.',
      '# Anti-spoofing of IPv4. The kernel has none for IPv6 but by the match rpfilter, since Linux 3.3.',
      spoofing,
      ...forwarding(plan),
    ]),
  ];
}

function configuration({ watch, lead, options }: Plan, family: Family): RulesetFile {
  const [name, prefix] = family === 4 ? (['iptables', ''] as const) : (['ip6tables', '6'] as const);
  const line = (...modules: string[]): string => `IP${prefix}TABLES_MODULES="${modules.join(' ')}"`;
  const path = `etc/sysconfig/${name}-config`;
  if (watch.length === 0) {
    return fileOf(path, [
      usesPinhole(options)
        ? "# No ip_conntrack_ftp and no ip_nat_ftp: the kernel's helper and Pinhole would both rewrite."
        : '# No ip_conntrack_ftp and no ip_nat_ftp: nothing is left for a helper to open.',
      line(),
    ]);
  }
  if (family === 6 && !lead.some(({ target }) => familyOf(target.address) === 6)) {
    return fileOf(path, ['# IPv6 is not translated.', line('nf_conntrack_ftp')]);
  }
  return fileOf(path, [
    '# Both modules in one line, in the order of loading: a second line would replace the first.',
    '# Before Linux 2.6.20: ip_conntrack_ftp ip_nat_ftp.',
    line('nf_conntrack_ftp', 'nf_nat_ftp'),
  ]);
}

function rules(plan: Plan, family: Family, path: string): RulesetFile {
  const program = family === 4 ? 'iptables' : 'ip6tables';
  const saved = `/root/${program}.before`;
  const lines = [
    ...commented([
      ...plan.heading,
      '',
      `Replaces: /${path}, and with the next start of the service all that there is in the tables that it names.`,
      `Try:  ${program}-save > ${saved}; nohup sh -c 'sleep 60; ${program}-restore < ${saved}' &`,
      `      service ${program} restart`,
      '      Within the minute log in once more, in a second terminal. If you can: kill %1. If not, the old rules come back.',
      `Load: service ${program} restart`,
      ...(plan.watch.length > 0 ? helperBoundaries(plan.watch) : []),
      ...limitBoundaries,
      ...(family === 6
        ? ['No anti-spoofing: Linux has had a match for it since 3.3, and no setting.']
        : ['Anti-spoofing is a setting: net.ipv4.conf.all.rp_filter.']),
    ]),
    ...rawTable(plan, family, before),
    ...natTable(plan, family),
    '*filter',
    ':INPUT DROP [0:0]',
    ':FORWARD DROP [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    `:${chain} - [0:0]`,
    `-A INPUT -j ${chain}`,
    ...chainRules(plan, 'input', chain, family, before),
    `-A ${chain} -j DROP`,
    ...chainRules(plan, 'forward', 'FORWARD', family, before),
    'COMMIT',
  ];
  return fileOf(path, lines, family);
}

/** What depends on the kernel. */
function helperBoundaries(watch: readonly Rule[]): string[] {
  const ports = watch.flatMap((rule) => rule.ports ?? []);
  const others = ports.some(({ first }) => first !== 21);
  const list = ports.map(({ first }) => first).join(',');
  return [
    'The target CT is there since Linux 2.6.34. Before that the table raw has to go: the module attaches itself to port',
    '21, as it does until Linux 4.7 (since 3.5: unless net.netfilter.nf_conntrack_helper is 0).',
    ...(others ? [`To other ports it does by: options nf_conntrack_ftp ports=${list} in modprobe.d.`] : []),
  ];
}

const limitBoundaries = [
  'The limit of new sessions remembers the last 100 addresses: options xt_recent ip_list_tot=1000 in modprobe.d makes it',
  'more (before Linux 2.6.28: ipt_recent).',
];
