import type { Family } from '../net/address.ts';

/** A file of a ruleset. */
export interface RulesetFile {
  /** Below `/`: `etc/sysconfig/iptables`. */
  readonly path: string;
  readonly text: string;
  /** Whose rules alone it has; undefined: it is for both. */
  readonly family?: Family;
}

export function commented(lines: readonly string[]): string[] {
  return lines.map((line) => `# ${line}`.trimEnd());
}

/** One as it is, several as nftables and pf list them: `{ 21, 2121 }`. */
export function braced(items: readonly string[]): string {
  const [first = '', ...others] = new Set(items);
  return others.length === 0 ? first : `{ ${[first, ...others].join(', ')} }`;
}

export function fileOf(path: string, lines: readonly string[], family?: Family): RulesetFile {
  return { path, text: `${lines.join('\n')}\n`, ...(family && { family }) };
}
