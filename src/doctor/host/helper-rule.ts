import {
  hooksOf,
  rulesOf,
  translationPriority,
  type Chain,
  type Firewall,
  type Hook,
  type PlacedRule,
} from './firewall.ts';
import { matches } from './matching.ts';

const helperHooks: Readonly<Record<Firewall['syntax'], ReadonlySet<Hook>>> = {
  iptables: new Set(['prerouting']),
  nftables: new Set(['prerouting', 'input', 'forward']),
};

/** Before this one there is no connection yet to which a helper could be given, other than by iptables' CT. */
const trackingPriority = -200;

export interface HelperRule extends PlacedRule {
  readonly isCertain: boolean;
}

/**
 * The rule that gives the kernel's helper for FTP to connections to this port; also where that is not certain.
 *
 * @param inside the port that a translation makes of it, which the chains behind the translation see
 */
export function helperRule(firewall: Firewall, port: number, inside: number = port): HelperRule | undefined {
  const { family, syntax } = firewall;
  for (const placed of helperRules(firewall)) {
    const { table, chain, rule } = placed;
    const seen = seesTranslated(chain, syntax) ? inside : port;
    const answer = matches(rule, family, { hook: 'prerouting', port: seen, state: 'new' });
    if (answer === 'no') continue;
    // A chain without references may be referenced by rules that could not be parsed.
    return { ...placed, isCertain: answer === 'yes' && hooksOf(table, chain).size > 0 };
  }
  return undefined;
}

/** The rules that give the helper to what comes to a server. */
function helperRules({ tables, syntax }: Firewall): PlacedRule[] {
  return rulesOf(tables).filter(({ table, chain, rule: { action } }) => {
    if (action.kind !== 'helper' || action.name !== 'ftp' || action.missingObject !== undefined) return false;
    if (syntax === 'nftables' && (chain.base?.priority ?? 0) <= trackingPriority) return false;
    // What this host itself connects to is not its server.
    const hooks = hooksOf(table, chain);
    return hooks.size === 0 || [...hooks].some((hook) => helperHooks[syntax].has(hook));
  });
}

/** Whether a chain comes after the translation of addresses and ports. */
export function seesTranslated({ base }: Chain, syntax: Firewall['syntax']): boolean {
  // CT stands in the table raw alone.
  if (syntax === 'iptables') return false;
  return base !== undefined && (base.hook !== 'prerouting' || base.priority > translationPriority);
}
