import { formatCidr } from '../net/cidr.ts';
import { formatPortRange, type PortRange } from '../net/port-range.ts';
import { fileOf, type RulesetFile } from './file.ts';
import { familyOfCidr, type Plan, type Rule } from './plan.ts';
import { spoofing } from './sysctl.ts';

/**
 * A zone that drops all else, and a service. What the kernel plane forwards needs no rule here: firewalld lets pass what
 * is translated.
 */
export function firewalld(plan: Plan): RulesetFile[] {
  const { heading, input, watch, options } = plan;
  const open = input.filter(
    ({ from = [], mark, expectedByHelper }) => from.length === 0 && mark === undefined && !expectedByHelper,
  );
  const limited = open.filter((rule) => rule.limited);
  const comment = [
    '<!--',
    ...[...heading, '', ...replacing].map((line) => `  ${escaped(line)}`.trimEnd()),
    '-->',
  ];
  return [
    fileOf('etc/firewalld/services/ftp-rules.xml', [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<service>',
      '  <short>FTP</short>',
      `  <description>${open
        .map((rule) => rule.comment)
        .map(escaped)
        .join('. ')}</description>`,
      ...open
        .filter((rule) => !rule.limited)
        .flatMap(({ ports = [] }) => ports.map((range) => `  ${port(range)}`)),
      ...(watch.length > 0 ? ['  <helper name="ftp"/>'] : []),
      ...watch.flatMap(({ ports = [] }) => ports.map((range) => `  ${port(range)}`)),
      '</service>',
    ]),
    fileOf('etc/firewalld/zones/ftp-rules.xml', [
      '<?xml version="1.0" encoding="utf-8"?>',
      ...comment,
      '<zone target="DROP">',
      '  <short>FTP</short>',
      '  <description>',
      ...trying.map((line) => `    ${escapedText(line)}`),
      '  </description>',
      '  <service name="ftp-rules"/>',
      '  <service name="dhcpv6-client"/>',
      '  <protocol value="icmp"/>',
      '  <protocol value="ipv6-icmp"/>',
      ...(watch.length > 0
        ? [
            '  <!-- Sessions have no limit: firewalld attaches its helper by the service, which knows none. -->',
          ]
        : ['  <!-- This limit is one for all addresses together, and lets 5 sessions in at once. -->']),
      ...limited.flatMap((rule) => richRules(rule, watch.length > 0 ? undefined : options.sessionRate)),
      ...input.filter(({ from = [] }) => from.length > 0).flatMap((rule) => richRules(rule, undefined)),
      '</zone>',
    ]),
    fileOf('etc/sysctl.d/90-ftp.conf', [
      '# Anti-spoofing of IPv4. firewalld does it for IPv6 (IPv6_rpfilter in firewalld.conf).',
      spoofing,
    ]),
  ];
}

const replacing = [
  'Replaces: the zone and the service ftp-rules, older ones of themselves. All else is dropped at an interface that is bound',
  'to the zone, whatever its zone before has let in.',
];

/** Not in the comment: XML allows no two hyphens there. And without the &, which XML shows otherwise. */
const trying = [
  'Try: firewall-cmd --reload',
  'systemd-run --unit=ftp-back --on-active=60 --timer-property=AccuracySec=1 firewall-cmd --reload',
  'firewall-cmd --zone=ftp-rules --change-interface=eth0',
  'Within the minute log in once more, in a second terminal. If you can: systemctl stop ftp-back.timer. If not, the interface',
  'goes back to its zone.',
  'For good: firewall-cmd --permanent --zone=ftp-rules --change-interface=eth0',
];

/** The limit of a rich rule is one for all addresses together. */
function richRules({ from = [], to = [], ports = [], comment }: Rule, rate: number | undefined): string[] {
  const families =
    [...from, ...to].length > 0 ? [...new Set([...from, ...to].map(familyOfCidr))] : [undefined];
  return [
    `  <!-- ${escaped(comment)} -->`,
    ...families.flatMap((family) => {
      const sources = from.filter((each) => familyOfCidr(each) === family);
      const targets = to.filter((each) => familyOfCidr(each) === family);
      return (sources.length > 0 ? sources : [undefined]).flatMap((source) =>
        (targets.length > 0 ? targets : [undefined]).flatMap((target) =>
          ports.map((range) =>
            [
              family === undefined ? '  <rule>' : `  <rule family="ipv${family}">`,
              ...(source ? [`    <source address="${formatCidr(source)}"/>`] : []),
              ...(target ? [`    <destination address="${formatCidr(target)}"/>`] : []),
              `    ${port(range)}`,
              ...(rate === undefined
                ? ['    <accept/>']
                : ['    <accept>', `      <limit value="${rate}/m"/>`, '    </accept>']),
              '  </rule>',
            ].join('\n'),
          ),
        ),
      );
    }),
  ];
}

function port(range: PortRange): string {
  return `<port port="${formatPortRange(range)}" protocol="tcp"/>`;
}

/** In a comment, which may not have two hyphens. */
function escaped(text: string): string {
  return escapedText(text).replaceAll('--', '- -');
}

function escapedText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
