import type { Family } from '../../net/address.ts';
import {
  never,
  type Action,
  type Chain,
  type Firewall,
  type Hook,
  type Match,
  type FirewallRule,
  type Table,
} from './firewall.ts';
import { meaningfulLines, wordsOf, type Placed } from './lines.ts';
import { readAllPorts, readDestination } from './ports.ts';

const hooks: ReadonlyMap<string, Hook> = new Map([
  ['PREROUTING', 'prerouting'],
  ['INPUT', 'input'],
  ['FORWARD', 'forward'],
  ['OUTPUT', 'output'],
  ['POSTROUTING', 'postrouting'],
]);

/** The chains that the kernel has in each table. */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: [...hooks.keys()],
  raw: ['PREROUTING', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Targets that stand in one table alone. */
const tableOfTarget: Readonly<Record<string, string>> = {
  ...{ DNAT: 'nat', SNAT: 'nat', MASQUERADE: 'nat', REDIRECT: 'nat', NETMAP: 'nat' },
  ...{ CT: 'raw', NOTRACK: 'raw', TRACE: 'raw' },
};

/** The table of a rule that somebody has shown without its table: `-A PREROUTING ... -j DNAT ...` */
export function tableMeant(words: readonly string[], otherwise = 'filter'): string {
  const target = words[words.findIndex((word) => word === '-j' || word === '--jump') + 1] ?? '';
  return tableOfTarget[target] ?? otherwise;
}

/** What lets the next rule decide. */
const passingTargets: ReadonlySet<string> = new Set(
  'LOG NFLOG ULOG MARK CONNMARK CONNSECMARK SECMARK TCPMSS TCPOPTSTRIP SET AUDIT TRACE NOTRACK CLASSIFY DSCP TOS TTL HL CHECKSUM TEE CT'.split(
    ' ',
  ),
);

/** Extensions that match nothing themselves, or whose options are read below. */
const knownExtensions: ReadonlySet<string> = new Set(
  'tcp udp state conntrack multiport comment connmark helper addrtype'.split(' '),
);

/** Where each table stands at a hook (NF_IP_PRI_*). */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

type Draft = {
  name: string;
  line: number;
  isDeclared: boolean;
  policy: 'accept' | 'drop';
  /** Inserted before the others, the last one first: a script may insert each of its rules. */
  inserted: FirewallRule[];
  rules: FirewallRule[];
};

/** Reads what iptables-save prints, a file of the same kind, or lines `iptables -A ...` of a script. */
export function readIptables(file: string, text: string, family: Family): Firewall {
  const tables = new Map<string, Map<string, Draft>>();
  const chainOf = (table: string, name: string, line: number): Draft => {
    const chains = tables.get(table) ?? new Map<string, Draft>();
    tables.set(table, chains);
    const chain = chains.get(name) ?? {
      ...{ name, line, policy: 'accept', inserted: [], rules: [] },
      isDeclared: (builtIn[table] ?? [...hooks.keys()]).includes(name),
    };
    chains.set(name, chain);
    return chain;
  };
  const unread: Placed<string>[] = [];
  let current: string | undefined;
  for (const { value, line } of meaningfulLines(text)) {
    if (value.startsWith('*')) {
      current = value.slice(1).trim();
      continue;
    }
    if (value.startsWith(':')) {
      const [name = '', policy] = wordsOf(value.slice(1));
      const draft = chainOf(current ?? 'filter', name, line);
      draft.policy = policy === 'DROP' ? 'drop' : 'accept';
      draft.isDeclared = true;
      continue;
    }
    const words = wordsOf(value);
    if (isOfOther(family, words)) continue;
    const { table: given, command, chain, position, rest } = splitCommand(words);
    const isCommand = /^(?:sudo|\S*ip6?tables\S*)$/.test(words[0] ?? '');
    const table = given ?? current ?? (isCommand ? 'filter' : tableMeant(rest));
    if (command === 'flush') {
      for (const draft of tables.get(table)?.values() ?? [])
        if (chain === undefined || draft.name === chain) [draft.rules, draft.inserted] = [[], []];
      continue;
    }
    if (command === undefined || chain === undefined) {
      if (!isHarmless(value)) unread.push({ value, line });
      continue;
    }
    const draft = chainOf(table, chain, line);
    if (command === 'new') draft.isDeclared = true;
    if (command === 'policy') draft.policy = rest[0] === 'DROP' ? 'drop' : 'accept';
    if (command === 'append') draft.rules.push(readRule(rest, line));
    if (command === 'insert') insert(draft, position, readRule(rest, line));
  }
  return {
    file,
    syntax: 'iptables',
    family,
    unread,
    tables: [...tables].map(([name, chains]) => finish(name, chains, family)),
  };
}

/** A script may have the rules of both families. */
function isOfOther(family: Family, [first = '', second = '']: readonly string[]): boolean {
  const [, six] = /(?:^|\/)ip(6?)tables(?:-legacy|-nft)?$/.exec(first === 'sudo' ? second : first) ?? [];
  return six !== undefined && (six === '6') !== (family === 6);
}

function insert(draft: Draft, position: number, rule: FirewallRule): void {
  if (position === 1) {
    draft.inserted.push(rule);
    return;
  }
  draft.rules = inOrder(draft);
  draft.inserted = [];
  draft.rules.splice(position - 1, 0, rule);
}

function inOrder({ inserted, rules }: Draft): FirewallRule[] {
  return [...inserted].reverse().concat(rules);
}

function finish(name: string, drafts: ReadonlyMap<string, Draft>, family: Family): Table {
  const chains = new Map<string, Chain>();
  for (const draft of drafts.values()) {
    const hook = hooks.get(draft.name);
    const { line, policy, isDeclared } = draft;
    const base = hook && { hook, isNat: name === 'nat', priority: priorities[name] ?? 0 };
    const rules = inOrder(draft);
    chains.set(draft.name, { name: draft.name, line, isUndeclared: !isDeclared, policy, rules, base });
  }
  return { name, family: family === 4 ? 'ip' : 'ip6', chains };
}

type Command = 'append' | 'insert' | 'policy' | 'new' | 'flush';

const commands: ReadonlyMap<string, Command> = new Map([
  ['-A', 'append'],
  ['--append', 'append'],
  ['-I', 'insert'],
  ['--insert', 'insert'],
  ['-P', 'policy'],
  ['--policy', 'policy'],
  ['-N', 'new'],
  ['--new-chain', 'new'],
  ['-F', 'flush'],
  ['--flush', 'flush'],
]);

/** What changes no rule: of iptables-restore, of iptables, and of a script around its lines. */
function isHarmless(line: string): boolean {
  return (
    /^(?:COMMIT|exit|fi|done|esac|then|else|do|\}|\{)\b|^[{}]|^(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=/.test(
      line,
    ) ||
    /^(?:sudo\s+)?(?:echo|modprobe|sysctl|service|systemctl|set|sleep|printf|cd)\b/.test(line) ||
    /(?:^|\s)(?:-[XZLSV]|--(?:delete-chain|zero|list|list-rules))(?:\s|$)/.test(line) ||
    /^(?:sudo\s+)?\S*iptables-save\b/.test(line)
  );
}

/** `[12:3456] -A INPUT ...`, or a script's `iptables -t nat -A PREROUTING ...` */
function splitCommand(words: readonly string[]): {
  table?: string;
  command: Command | undefined;
  chain: string | undefined;
  position: number;
  rest: readonly string[];
} {
  const at = words.findIndex((word) => commands.has(word));
  const before = words.slice(0, Math.max(at, 0));
  const option = before.findIndex((word) => word === '-t' || word === '--table');
  const table = option === -1 ? undefined : before[option + 1];
  const command = commands.get(words[at] ?? '');
  const rest = words.slice(at + 2);
  const isNumbered = command === 'insert' && /^[1-9][0-9]{0,4}$/.test(rest[0] ?? '');
  return {
    ...(table !== undefined && { table }),
    command,
    chain: at === -1 ? undefined : words[at + 1],
    position: isNumbered ? Number(rest[0]) : 1,
    rest: isNumbered ? rest.slice(1) : rest,
  };
}

function readRule(words: readonly string[], line: number): FirewallRule {
  const matches: Match[] = [];
  let action: Action = { kind: 'continue' };
  let target: string | undefined;
  let extension = '';
  let not = false;
  let index = 0;
  const next = (): string => {
    // `--dport ! 21`, as before iptables 1.4.3
    if (words[index + 1] === '!') {
      not = true;
      index++;
    }
    return words[++index] ?? '';
  };
  for (; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '!') {
      not = true;
      continue;
    }
    switch (word) {
      case '-p':
      case '--protocol':
      case '--proto': {
        const name = next().toLowerCase();
        matches.push({ kind: 'protocol', names: [name], not });
        break;
      }
      case '-s':
      case '--source':
      case '--src': {
        const source = next();
        if (!/^(?:0\.0\.0\.0|::)\/0(?:\.0\.0\.0)?$/.test(source) || not)
          matches.push({ kind: 'source', addresses: source.split(','), not });
        break;
      }
      case '-d':
      case '--destination':
      case '--dst': {
        const destination = next();
        if (!/^(?:0\.0\.0\.0|::)\/0(?:\.0\.0\.0)?$/.test(destination) || not)
          matches.push({ kind: 'destination', addresses: destination.split(','), not });
        break;
      }
      case '-i':
      case '--in-interface': {
        const name = next();
        matches.push({ kind: 'in-interface', names: [name], not });
        break;
      }
      case '-o':
      case '--out-interface': {
        const name = next();
        matches.push({ kind: 'out-interface', names: [name], not });
        break;
      }
      case '--dst-type': {
        const type = next();
        matches.push(type === 'LOCAL' ? { kind: 'to-this-host', not } : { kind: 'unknown' });
        break;
      }
      case '-m':
      case '--match':
        extension = next();
        // It holds for packets that came the wrong way.
        if (extension === 'rpfilter' && words.includes('--invert')) matches.push(never);
        // A client that connects now and then is under every limit.
        else if (words.includes('--hashlimit-above')) matches.push(never);
        else if (extension === 'recent') matches.push(...recentMatches(words));
        else if (!knownExtensions.has(extension)) matches.push({ kind: 'unknown' });
        break;
      case '--dport':
      case '--dports':
      case '--destination-port':
      case '--destination-ports':
        matches.push(portMatch('to-port', next(), () => not));
        break;
      case '--sport':
      case '--sports':
      case '--source-port':
      case '--source-ports':
        matches.push(portMatch('from-port', next(), () => not));
        break;
      case '--syn':
        matches.push({ kind: 'opening', not });
        break;
      case '--tcp-flags': {
        const mask = next().split(',');
        const set = next();
        // Of its flags the first packet has SYN alone.
        const holds = set === (mask.includes('SYN') || mask.includes('ALL') ? 'SYN' : 'NONE');
        matches.push({ kind: 'opening', not: holds === not });
        break;
      }
      case '--state':
      case '--ctstate': {
        const names = next().split(',');
        matches.push({ kind: 'state', names, not });
        break;
      }
      case '--comment':
        next();
        break;
      case '--mark': {
        const mark = Number(next().split('/')[0]);
        matches.push(
          extension === 'connmark' && mark >= 0 ? { kind: 'mark', mark, not } : { kind: 'unknown' },
        );
        break;
      }
      case '--helper': {
        const name = next();
        if (target === 'CT') action = { kind: 'helper', name };
        else matches.push(name.startsWith('ftp') && !not ? { kind: 'helper' } : { kind: 'unknown' });
        break;
      }
      case '-j':
      case '--jump':
      case '-g':
      case '--goto': {
        const isMissing = words[index + 1] === undefined || words[index + 1]?.startsWith('-') === true;
        target = isMissing ? undefined : next();
        action =
          target === undefined ? { kind: 'missing' } : actionOf(target, word === '-g' || word === '--goto');
        break;
      }
      case '--to-destination':
      case '--to': {
        const destination = next();
        if (target === 'DNAT') action = { kind: 'dnat', ...readDestination(destination) };
        break;
      }
      default:
        // Words after a target belong to the target; those of recent are read above.
        if (extension === 'recent' && recentOptions.has(word)) break;
        if (target === undefined && word.startsWith('-')) matches.push({ kind: 'unknown' });
    }
    not = false;
  }
  return { line, matches, action, words };
}

const recentOptions: ReadonlySet<string> = new Set(
  '--set --update --rcheck --seconds --hitcount --reap --rttl --name --mask --rsource --rdest'.split(' '),
);

/** What `-m recent` asks: `--set` of nobody, `--hitcount` whether more came in a while than from whom now and then does. */
function recentMatches(words: readonly string[]): Match[] {
  if (words.some((word, index) => word === '!' && recentOptions.has(words[index + 1] ?? '')))
    return [{ kind: 'unknown' }];
  if (words.includes('--set')) return [];
  const hits = Number(words[words.indexOf('--hitcount') + 1]);
  return [words.includes('--hitcount') && hits > 1 ? never : { kind: 'unknown' }];
}

function actionOf(target: string, isGoto: boolean): Action {
  if (target === 'ACCEPT') return { kind: 'accept' };
  if (target === 'DROP' || target === 'REJECT' || target === 'TARPIT') return { kind: 'drop' };
  if (target === 'RETURN') return { kind: 'return' };
  if (target === 'DNAT') return { kind: 'dnat', address: undefined };
  if (passingTargets.has(target)) return { kind: 'continue' };
  return { kind: isGoto ? 'goto' : 'jump', chain: target };
}

function portMatch(kind: 'to-port' | 'from-port', text: string, not: () => boolean): Match {
  const ports = readAllPorts(text.split(','));
  return ports ? { kind, ports, not: not() } : { kind: 'unknown' };
}
