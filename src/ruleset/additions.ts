import { formatCidr, type Cidr } from '../net/cidr.ts';
import { formatColonRange, formatPortRange, type PortRange } from '../net/port-range.ts';
import { commented, fileOf, type RulesetFile } from './file.ts';
import { acceptRules, natRules, rawRules, today } from './iptables.ts';
import { acceptMatches, ownTable } from './nftables.ts';
import { familyOfCidr, RulesetError, type Plan, type Rule } from './plan.ts';

/** The formats that have commands which add to the rules that are loaded. */
export const addingFormats = ['nftables', 'iptables', 'firewalld', 'ufw'] as const;
export type AddingFormat = (typeof addingFormats)[number];

/**
 * A script of commands that add what a deployment needs to the rules that are loaded, and replace none of them. It has no
 * limit of sessions and no anti-spoofing: these are for whole rulesets.
 *
 * @throws {RulesetError} where the tool's commands cannot express it
 */
export function additions(plan: Plan, format: AddingFormat): RulesetFile[] {
  const { remarks, commands } = makers[format](plan);
  const [title = ''] = plan.heading;
  return [
    fileOf('add-ftp.sh', [
      '#!/bin/sh',
      ...commented([
        title,
        'Adds to the rules that are loaded, and replaces none of them. Established connections are assumed to pass already.',
        ...remarks,
      ]),
      'set -e',
      ...commands,
    ]),
  ];
}

interface Commands {
  /** How to make them permanent, and how to remove them. */
  readonly remarks: readonly string[];
  readonly commands: readonly string[];
}

const makers: Readonly<Record<AddingFormat, (plan: Plan) => Commands>> = {
  nftables: nftablesCommands,
  iptables: iptablesCommands,
  firewalld: firewalldCommands,
  ufw: ufwCommands,
};

function nftablesCommands(plan: Plan): Commands {
  const insert = (chain: string, rules: readonly Rule[]): string[] =>
    rules.flatMap((rule) => [
      `# ${rule.comment}`,
      ...acceptMatches(rule).map((match) => `nft 'insert rule inet filter ${chain} ${match} accept'`),
    ]);
  const table = ownTable(plan);
  return {
    remarks: [
      'The chains are "inet filter input" and "inet filter forward", as in the nftables.conf of Debian; yours: nft list chains',
      'Permanent: the same rules in /etc/nftables.conf. Remove: nft -a list chain inet filter input, then nft delete rule',
    ],
    commands: [
      ...(table.length > 0 ? ["nft -f - <<'END'", ...table, 'END'] : []),
      ...insert('input', plan.input),
      ...insert('forward', plan.forward ?? []),
    ],
  };
}

function iptablesCommands(plan: Plan): Commands {
  const commands = ([4, 6] as const).flatMap((family) => {
    const program = family === 4 ? 'iptables' : 'ip6tables';
    const dialect = { ...today, spoofed: [] };
    const accepted = (chain: string, rules: readonly Rule[]): string[] =>
      rules.flatMap((rule) =>
        acceptRules(withoutLimit(rule), chain, family, dialect, plan.options.sessionRate),
      );
    return [
      ...asCommands(`${program} -t raw`, rawRules(plan, family, dialect, 'PREROUTING')),
      ...asCommands(`${program} -t nat`, natRules(plan, family, 'PREROUTING')),
      ...asCommands(program, accepted('INPUT', plan.input)),
      ...asCommands(program, accepted('FORWARD', plan.forward ?? [])),
    ];
  });
  return {
    remarks: [
      'Permanent: netfilter-persistent save, or service iptables save. Remove: the same commands with -D in place of -I',
    ],
    commands,
  };
}

function withoutLimit(rule: Rule): Rule {
  const { limited: _, ...rest } = rule;
  return rest;
}

/** `-A CHAIN ...` -> `iptables -I CHAIN ...`; comments stay. */
function asCommands(program: string, rules: readonly string[]): string[] {
  return rules.map((rule) => (rule.startsWith('#') ? rule : rule.replace(/^-A /, `${program} -I `)));
}

function firewalldCommands({ input, watch }: Plan): Commands {
  const words = 'firewall-cmd --permanent';
  const open = input.filter(({ mark, expectedByHelper }) => mark === undefined && !expectedByHelper);
  return {
    remarks: [
      'The zone is the default one; another: --zone=ZONE with each of them. Remove: --remove- in place of --add-',
    ],
    commands: [
      ...(watch.length > 0 ? ["# the kernel's helper, for port 21", `${words} --add-service=ftp`] : []),
      ...open.flatMap((rule) => {
        const ports = rule.ports ?? [];
        if (watch.length > 0 && rule.limited) return [];
        return [`# ${rule.comment}`, ...ports.flatMap((range) => firewalldAdding(words, rule, range))];
      }),
      'firewall-cmd --reload',
    ],
  };
}

function firewalldAdding(words: string, { from = [], to = [] }: Rule, range: PortRange): string[] {
  const port = formatPortRange(range);
  if (from.length + to.length === 0) return [`${words} --add-port=${port}/tcp`];
  return pairsOf(from, to).map(([source, target]) => {
    const family = familyOfCidr(source ?? target ?? never());
    const parts = [
      `rule family="ipv${family}"`,
      ...(source ? [`source address="${formatCidr(source)}"`] : []),
      ...(target ? [`destination address="${formatCidr(target)}"`] : []),
      `port port="${port}" protocol="tcp" accept`,
    ];
    return `${words} --add-rich-rule='${parts.join(' ')}'`;
  });
}

function ufwCommands({ input, forward = [], watch, lead, redirect }: Plan): Commands {
  if (watch.length + lead.length + redirect.length > 0 || [...input, ...forward].some(isBeyondUfw)) {
    throw new RulesetError(
      'ufw: its commands have neither marks nor helpers nor translation; allowed: --for ufw without --add, or another deployment',
    );
  }
  return {
    remarks: ['ufw keeps them. Remove: ufw delete allow ... with the same words'],
    commands: input.flatMap(({ comment, from = [], to = [], ports = [] }) => [
      `# ${comment}`,
      ...ports.flatMap((range) =>
        pairsOf(from, to).map(
          ([source, target]) =>
            `ufw allow proto tcp from ${source ? formatCidr(source) : 'any'} ` +
            `to ${target ? formatCidr(target) : 'any'} port ${formatColonRange(range)}`,
        ),
      ),
    ]),
  };
}

function isBeyondUfw({ mark, expectedByHelper }: Rule): boolean {
  return mark !== undefined || expectedByHelper === true;
}

/** Each source with each destination of its family; undefined where any is meant. */
function pairsOf(
  from: readonly Cidr[],
  to: readonly Cidr[],
): (readonly [source: Cidr | undefined, target: Cidr | undefined])[] {
  const sources = from.length > 0 ? from : [undefined];
  const targets = to.length > 0 ? to : [undefined];
  return sources.flatMap((source) =>
    targets
      .filter((target) => !source || !target || familyOfCidr(source) === familyOfCidr(target))
      .map((target) => [source, target] as const),
  );
}

function never(): never {
  throw new Error('a rule without addresses has no family');
}
