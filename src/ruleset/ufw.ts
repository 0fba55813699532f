import type { Family } from '../net/address.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { acceptRules, natTable, rawTable, today } from './iptables.ts';
import type { Plan, Rule } from './plan.ts';

/**
 * A script that puts rules into ufw's before.rules and before6.rules, in the place of older ones of itself, and loads
 * them. ufw's own commands know no mark and no helper, and its limit is six connections of an address in half a minute,
 * which a client with several connections passes at once.
 */
export function ufw(plan: Plan): RulesetFile[] {
  return [
    ...([4, 6] as const).flatMap((family) => [
      fileOf(`etc/ufw/ftp${suffix(family)}.filter`, filterRules(plan, family)),
      fileOf(`etc/ufw/ftp${suffix(family)}.tables`, [
        ...rawTable(plan, family, today),
        ...natTable(plan, family),
      ]),
    ]),
    fileOf('ftp-ufw.sh', [
      '#!/bin/sh',
      ...commented([
        ...plan.heading,
        '',
        'Load: sh ftp-ufw.sh, as root, in the folder that holds it and etc/',
      ]),
      ...script,
      ...(plan.forward ? ['$ufw default deny routed'] : []),
      '$ufw reload',
    ]),
  ];
}

const script = [
  'set -e',
  'cd "$(dirname "$0")"',
  '# Another tree and another program, to try it.',
  'root=${UFW_ROOT:-}',
  'ufw=${UFW:-ufw}',
  '',
  '# FILE, what goes into its table "filter", and tables that go behind it; older ones go.',
  'install_rules() {',
  `  awk -v filter="$2" -v tables="$3" '`,
  '    function put(part,  line) {',
  '      print "# ftp-rules begin"',
  '      while ((getline line < part) > 0) print line',
  '      print "# ftp-rules end"',
  '    }',
  '    /^# ftp-rules begin$/ { skip = 1 }',
  '    !skip && /^\\*/ { table = $0 }',
  '    !skip && /^COMMIT/ && table == "*filter" { put(filter) }',
  '    !skip { print }',
  '    /^# ftp-rules end$/ { skip = 0 }',
  '    END { put(tables) }',
  `  ' "$1" > "$1.new"`,
  '  # Its owner and rights stay.',
  '  cat "$1.new" > "$1"',
  '  rm "$1.new"',
  '}',
  '',
  'install_rules "$root/etc/ufw/before.rules" etc/ufw/ftp.filter etc/ufw/ftp.tables',
  'install_rules "$root/etc/ufw/before6.rules" etc/ufw/ftp6.filter etc/ufw/ftp6.tables',
  '$ufw default deny incoming',
];

function suffix(family: Family): string {
  return family === 4 ? '' : '6';
}

function filterRules({ input, forward = [], options }: Plan, family: Family): string[] {
  const prefix = `ufw${suffix(family)}-before`;
  const rulesOf = (rules: readonly Rule[], chain: string): string[] =>
    rules.flatMap((rule) => acceptRules(rule, chain, family, today, options.sessionRate));
  return [...rulesOf(input, `${prefix}-input`), ...rulesOf(forward, `${prefix}-forward`)];
}
