import { commented, fileOf, type RulesetFile } from './file.ts';
import type { Plan } from './plan.ts';

/** Of IPv4; the kernel has none for IPv6. */
export const spoofing = 'net.ipv4.conf.all.rp_filter = 1';

export function sysctl(plan: Plan): RulesetFile[] {
  const { heading, watch, options } = plan;
  return [
    fileOf('etc/sysctl.d/90-ftp.conf', [
      ...commented([heading[0] ?? '', 'A file of /etc/sysctl.d, such as 90-ftp.conf. Load: sysctl --system']),
      '# Anti-spoofing, where the rules of the firewall do not do it.',
      spoofing,
      '# A helper watches what a rule gives it, and no more. Linux 6 has no such setting any more, hence the -.',
      '-net.netfilter.nf_conntrack_helper = 0',
      ...forwarding(plan),
      ...(options.plane === 'kernel' && watch.length === 0
        ? ['# So that the log can say how many bytes a transfer had.', 'net.netfilter.nf_conntrack_acct = 1']
        : []),
    ]),
  ];
}

/** Where the kernel forwards data connections; a server on this host needs none. */
export function forwarding({ forwards }: Plan): string[] {
  return forwards.length === 0
    ? []
    : ['# The kernel forwards data connections.', ...forwards.flatMap((family) => switches[family])];
}

const switches = {
  4: ['net.ipv4.ip_forward = 1'],
  6: [
    'net.ipv6.conf.all.forwarding = 1',
    "# A host that forwards takes no route from router advertisements any more. Where this one's default route is such a",
    '# one, say so of the interface that it comes in by:',
    '# net.ipv6.conf.eth0.accept_ra = 2',
  ],
} as const;
