import type { Family } from '../net/address.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { acceptRules, natRules, rawRules, today } from './iptables.ts';
import type { Plan, Rule } from './plan.ts';

/** Of the tables raw and nat, which are not ufw's: what is in it goes when ufw stops. */
const ownChain = 'ftp-rules';
const begin = '# ftp-rules begin';
const end = '# ftp-rules end';

/**
 * A script that puts rules into ufw's files, in the place of older ones of itself, and loads them. ufw's own commands
 * know no mark and no helper, and its limit is six connections of an address in half a minute, which a client with
 * several connections passes at once.
 *
 * ufw flushes its own chains at each load, so the rules of the table filter may lie in before.rules. In raw and nat it
 * has none: there before.init, which ufw calls at start and stop, loads the rules and takes them away.
 */
export function ufw(plan: Plan): RulesetFile[] {
  return [
    ...([4, 6] as const).flatMap((family) => [
      fileOf(`etc/ufw/ftp${suffix(family)}.filter`, [begin, ...filterRules(plan, family), end]),
      fileOf(`etc/ufw/ftp${suffix(family)}.tables`, [
        ...ownTable('raw', rawRules(plan, family, today, ownChain)),
        ...ownTable('nat', natRules(plan, family, ownChain)),
      ]),
    ]),
    fileOf('etc/ufw/ftp.hook', [begin, ...hook, end]),
    fileOf('etc/ufw/ftp.init', ['#!/bin/sh', ...commented(plan.heading.slice(0, 1)), ...init]),
    fileOf('ftp-ufw.sh', [
      '#!/bin/sh',
      ...commented([
        ...plan.heading,
        '',
        'Replaces: its own older rules in before.rules, before6.rules and before.init. Rules of ufw allow stay; what else came in',
        'is denied.',
        "Try:    nohup sh -c 'sleep 60; sh ftp-ufw.sh remove; ufw disable' & sh ftp-ufw.sh; ufw enable",
        '        Within the minute log in once more, in a second terminal. If you can: kill %1. If not, ufw is switched off.',
        'Load:   sh ftp-ufw.sh, as root, in the folder that holds it and etc/',
        'Remove: sh ftp-ufw.sh remove. The default policies stay as they are then: ufw status verbose says them.',
      ]),
      ...functions,
      ...removing,
      ...installing,
      '$ufw default deny incoming',
      ...(plan.forward ? ['$ufw default deny routed'] : []),
      ...loading,
    ]),
  ];
}

/** In before.init, after its first line. */
const hook = ['case "$1" in', 'start | stop) sh "$(dirname "$0")/ftp.init" "$1" ;;', 'esac'];

const init = [
  '# Called by before.init, with start and with stop, each perhaps twice in a row.',
  'set -e',
  'here=$(dirname "$0")',
  '',
  "# PROGRAM: the jumps go, then the chain. What is not there can't be deleted, and need not be.",
  'take_away() {',
  '  for table in raw nat; do',
  `    while "$1" -w -t $table -D PREROUTING -j ${ownChain}; do :; done`,
  `    "$1" -w -t $table -F ${ownChain} && "$1" -w -t $table -X ${ownChain} || true`,
  '  done 2> /dev/null',
  '}',
  '',
  '# PROGRAM FILE',
  'one_family() {',
  '  # A kernel without IPv6 has no table for it.',
  '  "$1" -w -t raw -L -n > /dev/null 2>&1 || return 0',
  '  take_away "$1"',
  '  [ "$action" = stop ] || "$1-restore" -n < "$here/$2"',
  '}',
  '',
  'action=$1',
  'one_family iptables ftp.tables',
  'one_family ip6tables ftp6.tables',
];

const functions = [
  'set -e',
  'cd "$(dirname "$0")"',
  '# Another tree and another program, to try it.',
  'root=${UFW_ROOT:-}',
  'ufw=${UFW:-ufw}',
  'there=$root/etc/ufw',
  '',
  'fail() {',
  '  echo "ftp-ufw.sh: $*" >&2',
  '  exit 1',
  '}',
  '',
  '# FILE: what this script put into it goes.',
  'take_out() {',
  `  sed '/^${begin}$/,/^${end}$/d' "$1" > "$1.new"`,
  '  put_back "$1"',
  '}',
  '',
  '# FILE: what FILE.new holds; its owner and rights stay.',
  'put_back() {',
  '  cat "$1.new" > "$1"',
  '  rm "$1.new"',
  '}',
  '',
  '# FILE PART: at the end of the table filter.',
  'put_into_filter() {',
  '  take_out "$1"',
  `  awk -v part="$2" '`,
  '    /^\\*/ { table = $0 }',
  '    /^COMMIT/ && table == "*filter" { while ((getline line < part) > 0) print line }',
  '    { print }',
  `  ' "$1" > "$1.new"`,
  `  grep -q '^${end}$' "$1.new" || fail "$1 has no table filter that ends with COMMIT"`,
  '  put_back "$1"',
  '}',
  '',
  '# FILE PART: behind its first line.',
  'put_on_top() {',
  '  take_out "$1"',
  '  sed "1r $2" "$1" > "$1.new"',
  '  put_back "$1"',
  '}',
  '',
  'for file in before.rules before6.rules before.init; do',
  '  [ -f "$there/$file" ] || fail "$there/$file is missing: ufw 0.34 or later has it"',
  'done',
  '',
];

const removing = [
  'if [ "${1:-}" = remove ]; then',
  '  [ ! -f "$there/ftp.init" ] || sh "$there/ftp.init" stop',
  '  for file in before.rules before6.rules before.init; do take_out "$there/$file"; done',
  '  rm -f "$there/ftp.init" "$there/ftp.tables" "$there/ftp6.tables"',
  '  $ufw reload',
  '  exit',
  'fi',
  '[ $# = 0 ] || fail "$*: allowed: nothing, or remove"',
  '',
];

const installing = [
  'for file in ftp.filter ftp6.filter ftp.tables ftp6.tables ftp.hook ftp.init; do',
  '  [ -s "etc/ufw/$file" ] || fail "$PWD/etc/ufw/$file is missing: --out writes it beside this script"',
  'done',
  'cp etc/ufw/ftp.init etc/ufw/ftp.tables etc/ufw/ftp6.tables "$there/"',
  'put_into_filter "$there/before.rules" etc/ufw/ftp.filter',
  'put_into_filter "$there/before6.rules" etc/ufw/ftp6.filter',
  'put_on_top "$there/before.init" etc/ufw/ftp.hook',
  '# ufw calls it only then.',
  'chmod u+x "$there/before.init"',
];

const loading = [
  '$ufw reload',
  `grep -qi '^ENABLED=yes' "$there/ufw.conf" ||`,
  '  echo "ufw is inactive: ufw enable puts the rules in force. Over SSH its port has to be in --open-ports, or ufw allow."',
];

function suffix(family: Family): string {
  return family === 4 ? '' : '6';
}

function ownTable(name: string, rules: readonly string[]): string[] {
  if (rules.length === 0) return [];
  return [`*${name}`, `:${ownChain} - [0:0]`, `-A PREROUTING -j ${ownChain}`, ...rules, 'COMMIT'];
}

function filterRules({ input, forward = [], options }: Plan, family: Family): string[] {
  const prefix = `ufw${suffix(family)}-before`;
  const rulesOf = (rules: readonly Rule[], chain: string): string[] =>
    rules.flatMap((rule) => acceptRules(rule, chain, family, today, options.sessionRate));
  return [...rulesOf(input, `${prefix}-input`), ...rulesOf(forward, `${prefix}-forward`)];
}
