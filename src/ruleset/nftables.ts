import { formatEndpoint } from '../net/endpoint.ts';
import { familyOf, type Family } from '../net/address.ts';
import { formatPortRange, mergedPorts } from '../net/port-range.ts';
import { mergedNetworks, type Cidr } from '../net/cidr.ts';
import { braced, commented, fileOf, type RulesetFile } from './file.ts';
import { isWholeFamily, ofFamily, textOfCidr, type Plan, type Rule } from './plan.ts';

const table = 'ftp_rules';
/** Beside rules of others. */
const addedTable = 'ftp_added';
const families = [4, 6] as const;
const ip = { 4: 'ip', 6: 'ip6' } as const;

/** For `nft -f`: one table of its own, which replaces an older one of itself and nothing else. */
export function nftables(plan: Plan): RulesetFile[] {
  return [
    fileOf('etc/nftables.d/ftp.nft', [
      ...commented([
        ...plan.heading,
        '',
        `Replaces: the table inet ${table}, an older one of itself, with what was added to it by hand. Other tables stay, and a`,
        'packet has to be accepted in all of them.',
        'Try:    nft -c -f /etc/nftables.d/ftp.nft',
        `        nohup sh -c 'sleep 60; nft delete table inet ${table}' & nft -f /etc/nftables.d/ftp.nft`,
        '        Within the minute log in once more, in a second terminal. If you can: kill %1. If not, the table goes.',
        'Load:   nft -f /etc/nftables.d/ftp.nft',
        `Remove: nft delete table inet ${table}`,
      ]),
      `table inet ${table}`,
      `delete table inet ${table}`,
      `table inet ${table} {`,
      ...indented([
        ...sessionSets(),
        ...(plan.watch.length > 0 ? helperObject() : []),
        ...spoofed(),
        ...(plan.watch.length > 0
          ? chain('watch', 'filter', 'prerouting', 'mangle', 'accept', watching(plan.watch))
          : []),
        ...translation(plan),
        ...chain('input', 'filter', 'input', 'filter', 'drop', filtering(plan, plan.input, true)),
        ...(plan.forward
          ? chain('forward', 'filter', 'forward', 'filter', 'drop', filtering(plan, plan.forward, false))
          : []),
      ]),
      '}',
    ]),
  ];
}

function sessionSets(): string[] {
  return families.flatMap((family) => [
    `set sessions${family} {`,
    `  type ipv${family}_addr`,
    '  size 65535',
    '  flags dynamic,timeout',
    '  timeout 1m',
    '}',
  ]);
}

function helperObject(): string[] {
  return ['ct helper ftp {', '  type "ftp" protocol tcp', '  l3proto inet', '}'];
}

function spoofed(): string[] {
  return chain('spoofed', 'filter', 'prerouting', 'raw', 'accept', [
    'iif lo accept',
    '# Neighbours are asked from addresses that are not in use yet.',
    'icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept',
    '# Anti-spoofing: a source that would not be answered through the interface that it came in by.',
    'fib saddr . iif oif missing counter drop',
  ]);
}

function watching(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule) => said(rule, families, 'ct helper set "ftp"'));
}

function translation({ lead, redirect }: Plan): string[] {
  const rules = [
    ...lead.flatMap((rule) => {
      const family = familyOf(rule.target.address);
      return said(rule, [family], `dnat ${ip[family]} to ${formatEndpoint(rule.target)}`);
    }),
    ...redirect.flatMap((rule) => said(rule, families, `redirect to :${rule.port}`)),
  ];
  return rules.length > 0 ? chain('translate', 'nat', 'prerouting', 'dstnat', 'accept', rules) : [];
}

function filtering({ options }: Plan, rules: readonly Rule[], isInput: boolean): string[] {
  return [
    '# What belongs to what was let in: answers, acknowledgements, the way back of data.',
    'ct state established accept',
    'ct state invalid drop',
    ...(isInput ? ['iif lo accept'] : []),
    ...(isInput
      ? [
          '# All of ICMP: errors, the size of packets on the way, ping; neighbours and routers of IPv6.',
          'meta l4proto { icmp, ipv6-icmp } accept',
          '# Answers of DHCPv6: it was a multicast address that was asked, so they belong to nothing that is known.',
          'ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept',
        ]
      : [
          '# Errors and the size of packets on the way, of what was let in.',
          'ct state related meta l4proto { icmp, ipv6-icmp } accept',
        ]),
    ...rules.flatMap((rule) => [`# ${rule.comment}`, ...accepting(rule, options.sessionRate)]),
  ];
}

function accepting(rule: Rule, rate: number): string[] {
  const limits = rule.limited
    ? families.flatMap((family) =>
        matches(rule, [family]).map(
          (match) =>
            `${match} ct state new update @sessions${family} ` +
            `{ ${ip[family]} saddr limit rate over ${rate}/minute burst ${rate} packets } drop`,
        ),
      )
    : [];
  return [...limits, ...matches(rule, families).map((match) => `${match} accept`)];
}

function said(rule: Rule, of: readonly Family[], verdict: string): string[] {
  return [`# ${rule.comment}`, ...matches(rule, of).map((match) => `${match} ${verdict}`)];
}

/** What a rule accepts, without its limit. */
export function acceptMatches(rule: Rule): string[] {
  return matches(rule, families);
}

/** The table of its own that attaches the helper and translates, and filters nothing; empty where there is nothing of it. */
export function ownTable(plan: Plan): string[] {
  const chains = [
    ...(plan.watch.length > 0
      ? [
          ...helperObject(),
          ...chain('watch', 'filter', 'prerouting', 'mangle', 'accept', watching(plan.watch)),
        ]
      : []),
    ...translation(plan),
  ];
  if (chains.length === 0) return [];
  return [
    `table inet ${addedTable}`,
    `delete table inet ${addedTable}`,
    `table inet ${addedTable} {`,
    ...indented(chains),
    '}',
  ];
}

/** One match for each family that the rule speaks of, or one for both. */
function matches(rule: Rule, of: readonly Family[]): string[] {
  const { from = [], to = [], local, ports, mark, expectedByHelper } = rule;
  const tail = [
    ...(local ? ['fib daddr type local'] : []),
    ...(expectedByHelper ? ['ct state related ct helper "ftp"'] : []),
    ...(mark === undefined ? [] : [`ct mark 0x${mark.toString(16)}`]),
    // Merged: nft before 1.0 refuses a set whose intervals overlap.
    ...(ports ? [`tcp dport ${braced(mergedPorts(ports).map(formatPortRange))}`] : []),
  ];
  if (from.length + to.length === 0) {
    const isOne = of.length === 1 && mark === undefined && !expectedByHelper;
    return [[...(isOne ? [`meta nfproto ipv${of[0] ?? 4}`] : []), ...tail].join(' ')];
  }
  return of.flatMap((family) => {
    const one = ofFamily(rule, family);
    if (!one) return [];
    const named = [...addresses('saddr', family, one.from), ...addresses('daddr', family, one.to)];
    return [[...(named.length > 0 ? named : [`meta nfproto ipv${family}`]), ...tail].join(' ')];
  });
}

/** All addresses of a family are not named. */
function addresses(which: string, family: Family, networks: readonly Cidr[] = []): string[] {
  const isAny = networks.length === 0 || networks.some(isWholeFamily);
  return isAny ? [] : [`${ip[family]} ${which} ${braced(mergedNetworks(networks).map(textOfCidr))}`];
}

function chain(
  name: string,
  type: string,
  hook: string,
  priority: string,
  policy: string,
  rules: readonly string[],
): string[] {
  return [
    `chain ${name} {`,
    ...indented([`type ${type} hook ${hook} priority ${priority}; policy ${policy};`, ...rules]),
    '}',
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
