/** A file of a ruleset. */
export interface RulesetFile {
  /** Below `/`: `etc/sysconfig/iptables`. */
  readonly path: string;
  readonly text: string;
}

/** `# ` before each line, in most of these languages. */
export function commented(lines: readonly string[], mark = '#'): string[] {
  return lines.map((line) => `${mark} ${line}`.trimEnd());
}

export function fileOf(path: string, lines: readonly string[]): RulesetFile {
  return { path, text: `${lines.join('\n')}\n` };
}
