import type { Config } from './config.ts';
import { keyOf, names, writeSetting } from './table.ts';

/** What differs between two configurations, one line a setting: `passive-ports: 50000-50999 -> 40000-40100`. */
export function changesBetween(before: Config, after: Config): string[] {
  return names.flatMap((name) => {
    const [old, young] = [shown(name, before), shown(name, after)];
    return old === young ? [] : [`${keyOf(name)}: ${old} -> ${young}`];
  });
}

function shown(name: keyof Config, config: Config): string {
  const text = String(writeSetting(name, config));
  return text === '' ? '(none)' : text;
}
