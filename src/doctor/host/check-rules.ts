import type { Finding } from '../finding.ts';
import { portIn } from '../../net/port-range.ts';
import { controlPorts, type Facts } from './facts.ts';
import { hooksOf, portsOf, rulesOf, type Firewall, type FirewallRule } from './firewall.ts';
import { corrected, ruleRemedy } from './remedies.ts';
import { fault } from './say.ts';

/** Single rules that do not mean what was intended. */
export function checkRules(facts: Facts): Finding[] {
  const { firewalls, savedRules } = facts;
  return [...firewalls, ...(savedRules ? [savedRules] : [])].flatMap((firewall) => [
    ...checkSourcePorts(firewall, [...new Set([21, ...controlPorts(facts)])]),
    ...checkTargets(firewall),
  ]);
}

/** What a client sends to a server goes to port 21; it comes from any port. */
function checkSourcePorts(firewall: Firewall, ports: readonly number[]): Finding[] {
  return rulesOf(firewall.tables).flatMap(({ table, chain, rule }) => {
    const from = portsOf(rule, 'from-port') ?? [];
    const port = ports.find((one) => portIn(from, one));
    const isNarrow = from.every(({ first, last }) => last - first < 1000);
    if (port === undefined || !isNarrow || portsOf(rule, 'to-port') || !admitsNew(rule)) return [];
    const hooks = hooksOf(table, chain);
    if (!hooks.has('input') && !hooks.has('forward')) return [];
    // Replies of the server behind a gateway come from its port 21.
    if (!hooks.has('input') && !rule.matches.some(({ kind }) => kind === 'state')) return [];
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
