import { formatColonRange, formatPortRange, type PortRange } from '../../net/port-range.ts';
import {
  announcedAddressSetting,
  passiveRangeSettings,
  settingLine,
  type FtpServerProgram,
  type ServerSetting,
} from '../../server-settings/passive.ts';
import type { Remedy, RemedyTarget } from '../finding.ts';
import {
  isOfFamily,
  rulesOf,
  type Chain,
  type Firewall,
  type FirewallRule,
  type Hook,
  type Table,
} from './firewall.ts';
import type { FtpService } from './ftp-service.ts';
import type { Translation } from './openness.ts';

export function remedy(target: RemedyTarget, ...lines: readonly string[]): Remedy {
  return { target, lines };
}

type Configured = Pick<FtpService, 'program' | 'isCommandLine'>;

/** The lines that give a server this passive range. */
export function rangeRemedy({ program, isCommandLine }: Configured, range: PortRange): Remedy {
  if (program === 'pinhole') return remedy('pinhole', `passive-ports = "${formatPortRange(range)}"`);
  return settingsRemedy(program, passiveRangeSettings(program, range), isCommandLine);
}

/** The line that makes a server announce this address to clients. */
export function addressRemedy({ program, isCommandLine }: Configured, address: string): Remedy {
  if (program === 'pinhole') return remedy('pinhole', `public-address = "${address}"`);
  return settingsRemedy(program, [announcedAddressSetting(program, address)], isCommandLine);
}

function settingsRemedy(
  program: FtpServerProgram,
  settings: readonly ServerSetting[],
  isCommandLine = false,
): Remedy {
  const lines = settings.map(
    (setting) => (isCommandLine ? setting.flag : undefined) ?? settingLine(program, setting),
  );
  return remedy(targetOf(program), ...lines);
}

function targetOf(program: FtpServerProgram): RemedyTarget {
  return program === 'pure-ftpd' ? program : `${program}.conf`;
}

/** The name of iptables' program for the rules of this firewall. */
export function programOf({ family, program }: Firewall): string {
  return program ?? (family === 4 ? 'iptables' : 'ip6tables');
}

/** iptables takes `filter` for the table where none is named. */
function tableOption({ name }: Table): string {
  return name === 'filter' ? '' : `-t ${name} `;
}

/** The program that has made the rules and makes them anew, so that what is added beside it is lost. */
function managerOf({ tables }: Firewall): 'firewalld' | 'ufw' | undefined {
  const has = (pattern: RegExp): boolean =>
    tables.some(({ chains }) => [...chains.keys()].some((name) => pattern.test(name)));
  if (tables.some(({ name }) => name === 'firewalld') || has(/^(?:INPUT_ZONES|filter_INPUT_ZONES)$/))
    return 'firewalld';
  return has(/^ufw6?-user-input$/) ? 'ufw' : undefined;
}

/** The commands of what manages the firewall; `ufw allow` is for what this host takes in, `route` for what it leads on. */
function managedRemedy(manager: 'firewalld' | 'ufw', isForwarded: boolean, range: PortRange): Remedy {
  if (manager === 'ufw')
    return remedy(
      'shell',
      `ufw ${isForwarded ? 'route ' : ''}allow proto tcp to any port ${formatColonRange(range)}`,
    );
  const port = formatPortRange(range);
  if (!isForwarded)
    return remedy('shell', `firewall-cmd --permanent --add-port=${port}/tcp`, 'firewall-cmd --reload');
  // Zones open what this host takes in; what passes from one to another needs a policy.
  const policy = 'firewall-cmd --permanent --policy=ftp-forward';
  return remedy(
    'shell',
    'firewall-cmd --permanent --new-policy=ftp-forward',
    // It takes one change in a command.
    `${policy} --add-ingress-zone=ANY`,
    `${policy} --add-egress-zone=ANY`,
    `${policy} --add-port=${port}/tcp`,
    'firewall-cmd --reload',
  );
}

/** The command that opens ports in a chain, before whatever it does now. */
export function openRemedy(
  firewall: Firewall,
  at: { table: Table; chain: Chain } | Hook,
  range: PortRange,
): Remedy {
  const manager = managerOf(firewall);
  const hook = typeof at === 'string' ? at : at.chain.base?.hook;
  const place = typeof at === 'string' ? filterAt(firewall, at) : at;
  if (manager) return managedRemedy(manager, hook === 'forward', range);
  if (firewall.syntax === 'iptables') {
    const chain = typeof at === 'string' ? at.toUpperCase() : at.chain.name;
    const table = typeof at === 'string' ? '' : tableOption(at.table);
    const ports = formatColonRange(range);
    return {
      target: 'iptables',
      lines: [`${programOf(firewall)} ${table}-I ${chain} -p tcp --dport ${ports} -j ACCEPT`],
    };
  }
  const chain = place ? nameOf(place) : `inet filter ${hook}`;
  return {
    target: 'nftables',
    lines: [`nft insert rule ${chain} tcp dport ${formatPortRange(range)} accept`],
  };
}

/** The chain that filters at a hook: the one that drops by its policy, where there are several. */
function filterAt({ tables, family }: Firewall, hook: Hook): { table: Table; chain: Chain } | undefined {
  const found = tables
    .filter((table) => isOfFamily(table, family))
    .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
    .filter(({ chain: { base } }) => base?.hook === hook && !base.isNat);
  return found.find(({ chain }) => chain.policy === 'drop') ?? found[0];
}

/**
 * The command that leads a range on to the same port numbers of a host, for the interfaces and addresses of the rule that
 * leads the control port there; before the other rules, one of which may lead these ports elsewhere.
 */
export function forwardRemedy(firewall: Firewall, rule: Translation, range: PortRange): Remedy {
  const { tables, syntax } = firewall;
  const isDocker = tables.some(({ chains }) => chains.has('DOCKER'));
  const ports = formatPortRange(range);
  // It makes the rules anew whenever it starts a container.
  if (isDocker) return remedy('shell', `docker run -p ${ports}:${ports} ...`);
  const places = placesOf(firewall, rule)
    .map((words) => `${words} `)
    .join('');
  if (syntax === 'iptables') {
    const command = `${programOf(firewall)} -t nat -I PREROUTING`;
    const match = `-p tcp --dport ${formatColonRange(range)}`;
    return remedy('iptables', `${command} ${places}${match} -j DNAT --to-destination ${rule.to}`);
  }
  const table = rulesOf(tables).find((placed) => placed.rule.words === rule.words)?.table;
  const chain = [...(table?.chains.values() ?? [])].find(
    ({ base }) => base?.hook === 'prerouting' && base.isNat,
  );
  const name = table && chain ? nameOf({ table, chain }) : 'ip nat prerouting';
  // A table for both families has to be told of which one the address is.
  const family = table?.family === 'inet' ? (rule.to.includes(':') ? 'ip6 ' : 'ip ') : '';
  const command = `nft insert rule ${name}`;
  return remedy('nftables', `${command} ${places}tcp dport ${ports} dnat ${family}to ${rule.to}`);
}

/** The words of a rule by which it is for certain interfaces or addresses that clients come to. */
function placesOf({ syntax }: Firewall, { words }: FirewallRule): string[] {
  const pattern =
    syntax === 'nftables'
      ? /(?:^| )((?:meta )?iif(?:name)?(?: !=)? (?:\{[^}]*\}|[^ ]+)|ip6? daddr(?: !=)? (?:\{[^}]*\}|[^ ]+)|fib daddr type local)/g
      : /(?:^| )((?:! )?(?:-i|--in-interface|-d|--destination|--dst) (?:! )?[^ ]+|-m addrtype (?:! )?--dst-type LOCAL)/g;
  return Array.from(words.join(' ').matchAll(pattern), ([, place = '']) => place);
}

/** The command that lets through what belongs to connections that were accepted. */
export function establishedRemedy(firewall: Firewall, at: { table: Table; chain: Chain }): Remedy {
  if (firewall.syntax === 'nftables')
    return remedy('nftables', `nft insert rule ${nameOf(at)} ct state established,related accept`);
  const state = '-m conntrack --ctstate ESTABLISHED,RELATED';
  return remedy(
    'iptables',
    `${programOf(firewall)} ${tableOption(at.table)}-I ${at.chain.name} ${state} -j ACCEPT`,
  );
}

/** The command that lets through what a mark has. */
export function markRemedy(
  firewall: Firewall,
  at: { table: Table; chain: Chain } | undefined,
  mark: number,
): Remedy {
  const value = `0x${mark.toString(16)}`;
  if (firewall.syntax === 'iptables') {
    const lines = [`${programOf(firewall)} -I FORWARD -m connmark --mark ${value} -j ACCEPT`];
    return { target: 'iptables', lines };
  }
  const chain = at ? nameOf(at) : 'inet filter forward';
  return remedy('nftables', `nft insert rule ${chain} ct mark ${value} accept`);
}

/** The lines that give the kernel's helper to connections to a port. */
export function helperRemedy(firewall: Firewall, port: number): Remedy {
  if (firewall.syntax === 'iptables') {
    const program = programOf(firewall);
    return {
      target: 'iptables',
      lines: [`${program} -t raw -A PREROUTING -p tcp --dport ${port} -j CT --helper ftp`],
    };
  }
  return {
    target: 'nftables',
    lines: [
      'table inet ftp-helper {',
      '  ct helper ftp-standard {',
      '    type "ftp" protocol tcp',
      '  }',
      '  chain prerouting {',
      '    type filter hook prerouting priority filter;',
      `    tcp dport ${port} ct helper set "ftp-standard"`,
      '  }',
      '}',
    ],
  };
}

/** A rule as its file has it, with other words. */
export function ruleRemedy({ syntax }: Firewall, chain: Chain, words: readonly string[]): Remedy {
  const quoted = words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ');
  const line = syntax === 'iptables' ? `-A ${chain.name} ${quoted}` : quoted.replaceAll(' ,', ',');
  return { target: syntax, lines: [line] };
}

/** The words of a rule by which it is for an interface, or not for certain addresses. */
function limitsOf({ syntax }: Firewall, { words }: FirewallRule): string[] {
  const isNft = syntax === 'nftables';
  const pattern = isNft
    ? /(?:^| )((?:meta )?iif(?:name)?(?: !=)? (?:\{[^}]*\}|[^ ]+)|ip6? saddr != (?:\{[^}]*\}|[^ ]+))/g
    : /(?:^| )((?:! )?(?:-i|--in-interface|-s|--source|--src) (?:! )?[^ ]+)/g;
  return Array.from(words.join(' ').matchAll(pattern), ([, limit = '']) => limit);
}

/** What makes a rule open these ports and nothing else, within the limits that it had. */
export function narrowRemedy(
  firewall: Firewall,
  chain: Chain,
  rule: FirewallRule,
  { opened, kept }: { readonly opened: readonly PortRange[]; readonly kept: readonly PortRange[] },
): Remedy {
  const manager = managerOf(firewall);
  if (manager === 'ufw') {
    const allow = (range: PortRange): string => `allow proto tcp to any port ${formatColonRange(range)}`;
    return remedy(
      'shell',
      ...opened.map((range) => `ufw delete ${allow(range)}`),
      ...kept.map((range) => `ufw ${allow(range)}`),
    );
  }
  if (manager === 'firewalld') {
    const [, zone] = /^(?:filter_)?IN_(.+)_allow$/.exec(chain.name) ?? [];
    const change = `firewall-cmd --permanent${zone === undefined ? '' : ` --zone=${zone}`}`;
    return remedy(
      'shell',
      ...opened.map((range) => `${change} --remove-port=${formatPortRange(range)}/tcp`),
      ...kept.map((range) => `${change} --add-port=${formatPortRange(range)}/tcp`),
      'firewall-cmd --reload',
    );
  }
  return portsRemedy(firewall, chain, kept, limitsOf(firewall, rule));
}

function portsRemedy(
  { syntax }: Firewall,
  chain: Chain,
  ranges: readonly PortRange[],
  limits: readonly string[],
): Remedy {
  const limit = limits.map((words) => `${words} `).join('');
  const [only] = ranges;
  if (syntax === 'nftables') {
    const texts = ranges.map(formatPortRange);
    const ports = texts.length === 1 ? texts.join() : `{ ${texts.join(', ')} }`;
    return remedy('nftables', `${limit}tcp dport ${ports} accept`);
  }
  const texts = ranges.map(formatColonRange);
  const match =
    only && ranges.length === 1 ? `-m tcp --dport ${texts.join()}` : `-m multiport --dports ${texts.join()}`;
  return remedy('iptables', `-A ${chain.name} ${limit}-p tcp ${match} -j ACCEPT`);
}

/** An input chain that accepts FTP, its data connections, and SSH. */
export function inputRemedy({ syntax }: Firewall, ranges: readonly PortRange[]): Remedy {
  const ssh: PortRange = { first: 22, last: 22 };
  if (syntax === 'nftables') {
    const ports = [ssh, ...ranges].map(formatPortRange).join(', ');
    return {
      target: 'nftables',
      lines: [
        'table inet filter {',
        '  chain input {',
        '    type filter hook input priority filter; policy drop;',
        '    ct state established,related accept',
        '    iif lo accept',
        '    meta l4proto { icmp, ipv6-icmp } accept',
        `    tcp dport { ${ports} } accept`,
        '  }',
        '}',
      ],
    };
  }
  const opened = [ssh, ...ranges].map(
    (range) => `-A INPUT -p tcp -m tcp --dport ${formatColonRange(range)} -j ACCEPT`,
  );
  return {
    target: 'iptables',
    lines: [
      '-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT',
      '-A INPUT -i lo -j ACCEPT',
      '-A INPUT -p icmp -j ACCEPT',
      ...opened,
      '-A INPUT -j REJECT --reject-with icmp-host-prohibited',
    ],
  };
}

/** The words of a rule with one of them replaced, and a target where it has none. */
export function corrected({ words, action }: FirewallRule, replace: ReadonlyMap<string, string>): string[] {
  const others = words.map((word) => replace.get(word) ?? word);
  return action.kind === 'missing'
    ? [...others.filter((word) => word !== '-j' && word !== '--jump'), '-j', 'ACCEPT']
    : others;
}

function nameOf({ table, chain }: { table: Table; chain: Chain }): string {
  return `${table.family} ${table.name} ${chain.name}`;
}
