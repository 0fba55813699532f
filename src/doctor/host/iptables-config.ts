import { meaningfulLines, wordsOf, type Placed } from './lines.ts';
import { moduleNamed } from './modules.ts';

/** A line `IPTABLES_MODULES="ip_conntrack_ftp ip_nat_ftp"`, its modules by their names of today. */
export interface ModulesLine extends Placed<readonly string[]> {
  /** As the line has them. */
  readonly written: readonly string[];
}

/**
 * Every line of /etc/sysconfig/iptables-config that names modules. A shell reads the file: the last line wins, and
 * includes earlier ones if it extends them (`"$IPTABLES_MODULES x"`, `+=" x"`).
 */
export function readModulesLines(text: string): ModulesLine[] {
  const lines: ModulesLine[] = [];
  for (const { value, line } of meaningfulLines(text)) {
    const [, plus, given = ''] = /^(?:export\s+)?IPTABLES_MODULES(\+?)=(.*)$/.exec(value) ?? [];
    if (plus === undefined) continue;
    const before = lines.at(-1)?.written.join(' ') ?? '';
    const named = (plus === '' ? '' : before) + namesIn(given, before);
    const written = named.split(/\s+/).filter((name) => name !== '' && !name.startsWith('$'));
    lines.push({ value: written.map(moduleNamed), written, line });
  }
  return lines;
}

/** What stands in the quotation marks; a shell puts in no variable between single ones. */
function namesIn(given: string, before: string): string {
  if (given.startsWith("'")) return given.slice(1).split("'")[0] ?? '';
  return (wordsOf(given)[0] ?? '').replace(
    /\$(?:IPTABLES_MODULES\b|\{IPTABLES_MODULES(?::?-)?\})/g,
    () => before,
  );
}
