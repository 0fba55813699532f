import { meaningfulLines, wordsOf, type Placed } from './lines.ts';
import { moduleNamed } from './modules.ts';

/** A line `IPTABLES_MODULES="ip_conntrack_ftp ip_nat_ftp"`, its modules by their names of today. */
export interface ModulesLine extends Placed<readonly string[]> {
  /** As the line has them. */
  readonly written: readonly string[];
}

/** Every line of /etc/sysconfig/iptables-config that names modules. The file is read by a shell: the last one holds. */
export function readModulesLines(text: string): ModulesLine[] {
  return meaningfulLines(text).flatMap(({ value, line }) => {
    const [, given] = /^(?:export\s+)?IPTABLES_MODULES=(.*)$/.exec(value) ?? [];
    if (given === undefined) return [];
    const quoted = given.startsWith("'") ? given.slice(1).split("'")[0] : wordsOf(given)[0];
    const written = (quoted ?? '').split(/\s+/).filter((name) => name !== '' && !name.startsWith('$'));
    // One that takes up what was there before replaces nothing.
    const before = /\$\{?IPTABLES_MODULES/.test(given);
    return before ? [] : [{ value: written.map(moduleNamed), written, line }];
  });
}
