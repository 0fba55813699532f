import type { Family } from '../net/address.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { chainRules, natTable, rawTable, type Dialect } from './iptables.ts';
import type { Plan } from './plan.ts';
import { forwarding, spoofing } from './sysctl.ts';

const chain = 'RH-Firewall-1-INPUT';

/** The `recent` match remembers so many packets of an address, unless the module is told otherwise. */
const mostRemembered = 20;

/** What kernels of the 2.6 days have. */
const before: Dialect = {
  state: (states) => `-m state --state ${states}`,
  tooMany: (rate) => {
    const hits = Math.min(rate, mostRemembered);
    const seconds = Math.max(1, Math.round((60 * hits) / rate));
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
    fileOf('etc/sysconfig/iptables-config', [
      ...(plan.watch.length > 0
        ? [
            '# Both modules in one line, in the order of loading: a second line would replace the first.',
            '# Before Linux 2.6.20: ip_conntrack_ftp ip_nat_ftp.',
            'IPTABLES_MODULES="nf_conntrack_ftp nf_nat_ftp"',
          ]
        : [
            "# No ip_conntrack_ftp and no ip_nat_ftp: the kernel's helper and Pinhole would both rewrite.",
            'IPTABLES_MODULES=""',
          ]),
    ]),
    fileOf('etc/sysctl.d/90-ftp.conf', ['# Anti-spoofing.', spoofing, ...forwarding(plan)]),
  ];
}

function rules(plan: Plan, family: Family, path: string): RulesetFile {
  const lines = [
    ...commented([
      ...plan.heading,
      '',
      `Load: service ${family === 4 ? 'iptables' : 'ip6tables'} restart`,
      ...(plan.watch.length > 0
        ? [
            'The table raw is for Linux 3.6 and later; before that modules attach themselves, and it has to go.',
          ]
        : []),
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
