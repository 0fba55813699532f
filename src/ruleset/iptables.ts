import { familyOf, type Family } from '../net/address.ts';
import type { Cidr } from '../net/cidr.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import { formatColonRange, type PortRange } from '../net/port-range.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { isWholeFamily, ofFamily, textOfCidr, type Plan, type Rule } from './plan.ts';

/** The dialect of a rule: current matches, or those of 2.6 kernels. */
export interface Dialect {
  readonly state: (states: string) => string;
  /** Matches a new connection of an address that has made too many in the last minute. */
  readonly tooMany: (rate: number) => readonly string[];
  readonly spoofed: readonly string[];
}

export const today: Dialect = {
  state: (states) => `-m conntrack --ctstate ${states}`,
  tooMany: (rate) => [
    // The rate is in the name: a table that is there already keeps its own.
    `-m hashlimit --hashlimit-name ftp-${rate} --hashlimit-mode srcip --hashlimit-above ${rate}/minute --hashlimit-burst ${rate} -j DROP`,
  ],
  spoofed: ['! -i lo -m rpfilter --invert -j DROP'],
};

/** For iptables-restore and ip6tables-restore, of either back end. */
export function iptables(plan: Plan): RulesetFile[] {
  return [fileFor(plan, 4, 'etc/iptables/rules.v4'), fileFor(plan, 6, 'etc/iptables/rules.v6')];
}

function fileFor(plan: Plan, family: Family, path: string): RulesetFile {
  const program = family === 4 ? 'iptables' : 'ip6tables';
  const lines = [
    ...commented([
      ...plan.heading,
      '',
      'Replaces: all that there is in the tables that are named below: put your own rules in here.',
      `Try:  ${program}-apply -t 60 /${path}`,
      '      It asks whether you can still log in, and puts the old rules back where nobody answers within the minute.',
      `Load: ${program}-restore < /${path}`,
    ]),
    ...rawTable(plan, family, today),
    ...natTable(plan, family),
    '*filter',
    ':INPUT DROP [0:0]',
    ':FORWARD DROP [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...chainRules(plan, 'input', 'INPUT', family, today),
    ...chainRules(plan, 'forward', 'FORWARD', family, today),
    'COMMIT',
  ];
  return fileOf(path, lines, family);
}

/** The table `raw`, if it has rules. */
export function rawTable(plan: Plan, family: Family, dialect: Dialect): string[] {
  return tableOf('raw', ['PREROUTING', 'OUTPUT'], rawRules(plan, family, dialect, 'PREROUTING'));
}

/** The table `nat`, where something is led elsewhere. */
export function natTable(plan: Plan, family: Family): string[] {
  // Its INPUT, which older kernels do not have, is flushed with the table without being named.
  const chains = ['PREROUTING', 'OUTPUT', 'POSTROUTING'];
  return tableOf('nat', chains, natRules(plan, family, 'PREROUTING'));
}

function tableOf(name: string, chains: readonly string[], rules: readonly string[]): string[] {
  if (rules.length === 0) return [];
  return [`*${name}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), ...rules, 'COMMIT'];
}

/** For incoming packets before routing: anti-spoofing, and the helper. */
export function rawRules({ watch }: Plan, family: Family, { spoofed }: Dialect, chain: string): string[] {
  const neighbours =
    family === 6
      ? [
          '# Neighbours are asked from addresses that are not in use yet.',
          ...['neighbour-solicitation', 'router-advertisement'].map(
            (type) => `-A ${chain} -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`,
          ),
        ]
      : [];
  return [
    ...(spoofed.length > 0
      ? [
          ...neighbours,
          '# Anti-spoofing: a source that would not be answered through the interface that it came in by.',
          ...spoofed.map((rule) => `-A ${chain} ${rule}`),
        ]
      : []),
    ...translated(watch, family, chain, () => 'CT --helper ftp'),
  ];
}

/** For incoming packets: their translation. */
export function natRules({ lead, redirect }: Plan, family: Family, chain: string): string[] {
  return [
    ...translated(
      lead.filter(({ target }) => familyOf(target.address) === family),
      family,
      chain,
      ({ target }) => `DNAT --to-destination ${formatEndpoint(target)}`,
    ),
    ...translated(redirect, family, chain, ({ port }) => `REDIRECT --to-ports ${port}`),
  ];
}

/** What is done with connections before it is known where they go. */
function translated<R extends Rule>(
  rules: readonly R[],
  family: Family,
  chain: string,
  targetOf: (rule: R) => string,
): string[] {
  return rules.flatMap((rule) =>
    said(rule, family, (one, match) => [
      `# ${one.comment}`,
      ...match(chain).map((m) => `${m} -j ${targetOf(one)}`),
    ]),
  );
}

/** All that a chain which drops lets through; nothing where the plan has no such chain. */
export function chainRules(
  plan: Plan,
  hook: 'input' | 'forward',
  chain: string,
  family: Family,
  dialect: Dialect,
): string[] {
  const rules = plan[hook];
  if (!rules) return [];
  const accepted = rules.flatMap((rule) =>
    acceptRules(rule, chain, family, dialect, plan.options.sessionRate),
  );
  return [...commonRules(chain, family, dialect, hook === 'input'), ...accepted];
}

/** What every chain that drops begins with. */
function commonRules(chain: string, family: Family, { state }: Dialect, isInput: boolean): string[] {
  const icmp = family === 4 ? 'icmp' : 'ipv6-icmp';
  return [
    '# What belongs to what was let in: answers, acknowledgements, the way back of data.',
    `-A ${chain} ${state('ESTABLISHED')} -j ACCEPT`,
    `-A ${chain} ${state('INVALID')} -j DROP`,
    ...(isInput ? [`-A ${chain} -i lo -j ACCEPT`] : []),
    ...(isInput
      ? [
          `# All of ICMP: errors, the size of packets on the way, ping${family === 4 ? '' : '; neighbours and routers'}.`,
          `-A ${chain} -p ${icmp} -j ACCEPT`,
          ...(family === 4 ? [] : dhcpv6Answers(chain)),
        ]
      : [
          '# Errors and the size of packets on the way, of what was let in.',
          `-A ${chain} -p ${icmp} ${state('RELATED')} -j ACCEPT`,
        ]),
  ];
}

function dhcpv6Answers(chain: string): string[] {
  return [
    '# Answers of DHCPv6: it was a multicast address that was asked, so they belong to nothing that is known.',
    `-A ${chain} -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT`,
  ];
}

export function acceptRules(
  rule: Rule,
  chain: string,
  family: Family,
  dialect: Dialect,
  rate: number,
): string[] {
  return said(rule, family, (one, match) => {
    const isNew = dialect.state('NEW');
    const limits = one.limited
      ? match(chain).flatMap((m) => dialect.tooMany(rate).map((limit) => `${m} ${isNew} ${limit}`))
      : [];
    const state = one.expectedByHelper
      ? ` ${dialect.state('RELATED')} -m helper --helper ftp`
      : one.mark === undefined
        ? ` ${isNew}`
        : '';
    return [`# ${one.comment}`, ...limits, ...match(chain).map((m) => `${m}${state} -j ACCEPT`)];
  });
}

/** The lines of a rule in a family; none if it does not apply to it. */
function said<R extends Rule>(
  rule: R,
  family: Family,
  say: (rule: R, match: (chain: string) => string[]) => string[],
): string[] {
  const one = ofFamily(rule, family);
  return one ? say(one, (chain) => matches(one, chain)) : [];
}

/** A rule can name one source and one destination; lists of ports are split where `multiport` is full. */
function matches({ from, to, local, ports, mark }: Rule, chain: string): string[] {
  const sources = addresses('-s', from);
  const targets = addresses('-d', to).map((match) => match + (local ? ' -m addrtype --dst-type LOCAL' : ''));
  const services = ports ? portMatches(ports) : [''];
  const marked = mark === undefined ? '' : ` -m connmark --mark 0x${mark.toString(16)}`;
  return sources.flatMap((source) =>
    targets.flatMap((target) =>
      services.map((service) => `-A ${chain}${source}${target}${service}${marked}`),
    ),
  );
}

/** The program has one family: all addresses of it are not named. */
function addresses(flag: string, networks: readonly Cidr[] = []): string[] {
  const names = !networks.some(isWholeFamily) && networks.length > 0;
  return names ? networks.map((network) => ` ${flag} ${textOfCidr(network)}`) : [''];
}

/** multiport holds 15 ports, a range counts as two. */
const mostRanges = 7;

function portMatches(ports: readonly PortRange[]): string[] {
  const unique = [...new Map(ports.map((range) => [formatColonRange(range), range])).values()];
  const [only, ...others] = unique;
  if (only && others.length === 0) return [` -p tcp -m tcp --dport ${formatColonRange(only)}`];
  const lists: string[] = [];
  for (let at = 0; at < unique.length; at += mostRanges) {
    lists.push(
      ` -p tcp -m multiport --dports ${unique
        .slice(at, at + mostRanges)
        .map(formatColonRange)
        .join(',')}`,
    );
  }
  return lists;
}
