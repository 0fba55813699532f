import type { Finding } from '../finding.ts';
import { portIn } from '../../net/port-range.ts';
import { someOf } from './check-firewall.ts';
import { controlPorts, type Facts } from './facts.ts';
import {
  hooksOf,
  portsOf,
  rulesOf,
  type Chain,
  type Firewall,
  type FirewallRule,
  type Table,
} from './firewall.ts';
import { tableMeant } from './iptables.ts';
import { corrected, remedy, ruleRemedy } from './remedies.ts';
import { fault, unseen } from './say.ts';

/** Single rules that do not mean what was intended. */
export function checkRules(facts: Facts): Finding[] {
  const { firewalls, savedRules } = facts;
  return [...firewalls, ...(savedRules ? [savedRules] : [])].flatMap((firewall) => [
    ...checkUnread(firewall),
    ...checkDeclared(firewall, facts),
    ...checkSourcePorts(firewall, [...new Set([21, ...controlPorts(facts)])]),
    ...checkTargets(firewall),
    ...checkHelperObjects(firewall),
  ]);
}

/** What was not understood may decide anything. */
function checkUnread({ file, unread: all, tables, syntax }: Firewall): Finding[] {
  // Those of chains that no line makes are named by themselves.
  const told = new Set(
    rulesOf(syntax === 'nftables' ? tables : [])
      .filter(({ chain }) => chain.isUndeclared)
      .map(({ rule }) => rule.line),
  );
  const unread = all.filter(({ line }) => !told.has(line));
  const [first] = unread;
  if (first === undefined) return [];
  const lines = unread.slice(0, 3).map(({ line, value }) => `${line}: ${cut(value)}`);
  const values = {
    count: unread.length,
    lines: [...lines, ...(unread.length > lines.length ? ['…'] : [])].join(' | '),
  };
  return [unseen('lines-not-understood', { values, file, line: first.line })];
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Chains that rules are for, and that no line makes: the file is refused at the first of them. */
function checkDeclared({ tables, file, syntax }: Firewall, { sources }: Facts): Finding[] {
  const undeclared = tables.flatMap((table) =>
    [...table.chains.values()].filter((chain) => chain.isUndeclared).map((chain) => ({ table, chain })),
  );
  if (syntax === 'nftables') return notShown(undeclared, file);
  const text =
    [sources.iptables, sources.ip6tables, sources.savedIptables].find((each) => each?.file === file)?.text ??
    '';
  return [
    ...undeclared.flatMap(({ table, chain }) => checkTable(table, chain, file, text)),
    ...checkMade(
      undeclared.filter(({ chain: { base } }) => base === undefined),
      file,
      text,
    ),
  ];
}

interface PlacedChain {
  readonly table: Table;
  readonly chain: Chain;
}

/** nftables has no chains of its own: these may be loaded, with a hook, a policy and other rules. */
function notShown(undeclared: readonly PlacedChain[], file: string): Finding[] {
  const [first] = undeclared;
  if (first === undefined) return [];
  const names = undeclared.map(({ table, chain }) => `${table.family} ${table.name} ${chain.name}`);
  return [unseen('chain-not-shown', { values: { chains: someOf(names) }, file, line: first.chain.line })];
}

/** `iptables -A PREROUTING ... -j DNAT ...` without `-t nat`: a chain of the kernel that another table has. */
function checkTable(
  { name: table }: Table,
  { name, base, rules }: Chain,
  file: string,
  text: string,
): Finding[] {
  if (base === undefined) return [];
  const lines = text.split('\n');
  return rules.map(({ line, words }) => {
    const wanted = tableMeant(words, 'mangle');
    const command = /^(\s*(?:sudo\s+)?\S*ip6?tables)(\s.*)$/.exec(lines[line - 1] ?? '');
    const values = { table, chain: name, wanted };
    // In a file the rule moves to the lines of another table.
    const remedies = command ? [remedy('iptables', `${command[1]} -t ${wanted}${command[2]}`.trim())] : [];
    return fault('chain-of-other-table', { values, file, line, remedies });
  });
}

function checkMade(undeclared: readonly PlacedChain[], file: string, text: string): Finding[] {
  if (undeclared.length === 0) return [];
  const chains = undeclared.map(({ chain }) => chain);
  // A jump to it has to stand behind its line too.
  const first = Math.min(...undeclared.map(({ table, chain }) => firstUse(table, chain)));
  const [, program] = /^\s*(?:sudo\s+)?(\S*ip6?tables)\s.*-[AI]\s/m.exec(text) ?? [];
  const names = chains.map(({ name }) => name);
  const lines = names
    .slice(0, 10)
    .map((name) => (program === undefined ? `:${name} - [0:0]` : `${program} -N ${name}`));
  const values = { chains: someOf(names) };
  return [
    fault('chain-not-declared', { values, file, line: first, remedies: [remedy('iptables', ...lines)] }),
  ];
}

function firstUse({ chains }: Table, { name, line }: Chain): number {
  const jumps = [...chains.values()]
    .flatMap(({ rules }) => rules)
    .filter(({ action }) => (action.kind === 'jump' || action.kind === 'goto') && action.chain === name);
  return Math.min(line, ...jumps.map((rule) => rule.line));
}

/** `ct helper set "ftp"` names an object of the table, not the helper of the kernel. */
function checkHelperObjects(firewall: Firewall): Finding[] {
  if (firewall.unread.length > 0) return [];
  return rulesOf(firewall.tables).flatMap(({ rule }) => {
    if (rule.action.kind !== 'helper' || rule.action.missingObject === undefined) return [];
    const object = rule.action.missingObject;
    const remedies = [remedy('nftables', `ct helper ${object} {`, '  type "ftp" protocol tcp', '}')];
    return [
      fault('helper-object-missing', { values: { object }, file: firewall.file, line: rule.line, remedies }),
    ];
  });
}

/** What a client sends to a server goes to port 21; it comes from any port. */
function checkSourcePorts(firewall: Firewall, ports: readonly number[]): Finding[] {
  return rulesOf(firewall.tables).flatMap(({ table, chain, rule }) => {
    const from = portsOf(rule, 'from-port') ?? [];
    const port = ports.find((one) => portIn(from, one));
    const isNarrow = from.every(({ first, last }) => last - first < 1000);
    if (port === undefined || !isNarrow || portsOf(rule, 'to-port') || !admitsNew(rule)) return [];
    const hooks = hooksOf(table, chain);
    const isInput = hooks.has('input') || (hooks.size === 0 && chain.isUndeclared === true);
    if (!isInput && !hooks.has('forward')) return [];
    // Replies of the server behind a gateway come from its port 21.
    if (!isInput && !rule.matches.some(({ kind }) => kind === 'state')) return [];
    const words = corrected(rule, swapped);
    const remedies = [ruleRemedy(firewall, chain, words)];
    const [wrong, right] = firewall.syntax === 'iptables' ? ['--sport', '--dport'] : ['sport', 'dport'];
    const values = { wrong: `${wrong} ${port}`, right: `${right} ${port}`, port };
    return [fault('source-port-for-destination', { values, file: firewall.file, line: rule.line, remedies })];
  });
}

const swapped: ReadonlyMap<string, string> = new Map([
  ['--sport', '--dport'],
  ['--sports', '--dports'],
  ['--source-port', '--destination-port'],
  ['--source-ports', '--destination-ports'],
  ['sport', 'dport'],
]);

function admitsNew({ matches, action }: FirewallRule): boolean {
  if (action.kind !== 'accept' && action.kind !== 'missing') return false;
  return matches.every((match) => {
    if (match.kind === 'state') return match.names.some((name) => name.toLowerCase() === 'new') !== match.not;
    return match.kind !== 'opening' || !match.not;
  });
}

function checkTargets(firewall: Firewall): Finding[] {
  return rulesOf(firewall.tables)
    .filter(({ rule }) => rule.action.kind === 'missing')
    .map(({ chain, rule }) => {
      // With the right port, where that is wrong too.
      const isMeantForPort = (portsOf(rule, 'from-port') ?? []).some(
        ({ first, last }) => first <= 21 && last >= 21,
      );
      const words = corrected(rule, isMeantForPort && !portsOf(rule, 'to-port') ? swapped : new Map());
      const remedies = [ruleRemedy(firewall, chain, words)];
      return fault('rule-without-target', {
        values: { chain: chain.name },
        file: firewall.file,
        line: rule.line,
        remedies,
      });
    });
}
