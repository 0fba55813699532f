/** Follows the remedies of findings as a reader would: lines of files are edited, and commands are typed. */
import { parsePort } from '../../../src/net/endpoint.ts';
import type { Finding, Remedy } from '../../../src/doctor/finding.ts';
import type { HostSources } from '../../../src/doctor/host-sources.ts';

export type Texts = Partial<Record<keyof HostSources, string>>;

/** A finding, and those of its remedies that are followed. */
export interface Followed {
  readonly finding: Finding;
  readonly remedies: readonly Remedy[];
}

/** What stands for the words of a remedy that its text tells the reader to replace. */
export type Fillings = Readonly<Record<string, string>>;

const sourceOf: Readonly<Record<string, keyof HostSources>> = {
  'vsftpd.conf': 'vsftpd',
  'proftpd.conf': 'proftpd',
  'pure-ftpd': 'pureFtpd',
  'iptables-config': 'iptablesConfig',
  nftables: 'nftables',
  iptables: 'iptables',
  pinhole: 'pinhole',
};

/** Findings of which all remedies belong together; those of any other are a choice. */
const whole: ReadonlySet<string> = new Set([
  'control-port-closed-ipv6',
  'helper-module-missing',
  'helper-sees-no-tls',
  'passive-range-missing',
]);

/** The ways in which a finding can be mended, each of which is enough. */
function waysOf({ id, remedies }: Finding): (readonly Remedy[])[] {
  if (whole.has(id)) return [remedies];
  // "The first lines", or "the last lines".
  if (id === 'related-without-helper') return [remedies.slice(0, -1), remedies.slice(-1)];
  return remedies.map((remedy) => [remedy]);
}

/** What a reader may do about findings: the first way of each, and every other way beside the first ones of the rest. */
export function choicesOf(findings: readonly Finding[], fillings: Fillings = {}): Followed[][] {
  const all = findings.map((finding) => ({
    finding,
    ways: waysOf(finding).map((way) => filled(way, fillings)),
  }));
  const choose = (other?: Finding, way = 0): Followed[] =>
    all.map(({ finding, ways }) => ({ finding, remedies: ways[finding === other ? way : 0] ?? [] }));
  return [
    choose(),
    ...all.flatMap(({ finding, ways }) => ways.slice(1).map((_, index) => choose(finding, index + 1))),
  ];
}

function filled(remedies: readonly Remedy[], fillings: Fillings): Remedy[] {
  return remedies.map(({ target, lines }) => ({
    target,
    lines: lines.map((line) => {
      const text = Object.entries(fillings).reduce((all, [word, value]) => all.replaceAll(word, value), line);
      if (text.includes('PUBLIC-ADDRESS')) throw new Error(`nothing stands for a word of: ${line}`);
      return text;
    }),
  }));
}

/** These are lines of a script, though they look like commands to type. */
const ofScripts: ReadonlySet<string> = new Set(['chain-not-declared', 'chain-of-other-table']);

/** Whether a remedy is typed, not written into a file. */
export function isTyped({ finding: { id } }: Followed, { lines: [first = ''] }: Remedy): boolean {
  return (
    !ofScripts.has(id) &&
    /^(?:nft|ip6?tables(?:-legacy)?|table|add|sed|sysctl|modprobe|docker|ufw|firewall-cmd) /.test(first)
  );
}

/** The texts with the lines of remedies written into them; nothing is typed. */
function edited(texts: Texts, followed: readonly Followed[]): Texts {
  const result = { ...texts };
  // From below, so that the numbers of lines stay those that were told.
  const ordered = [...followed].sort((a, b) => (b.finding.where?.line ?? 0) - (a.finding.where?.line ?? 0));
  for (const each of ordered)
    for (const remedy of each.remedies) {
      if (isTyped(each, remedy)) continue;
      const name = sourceIn(each.finding, remedy);
      const line = each.finding.where?.file === name ? each.finding.where.line : undefined;
      result[name] = written(result[name] ?? '', remedy, each.finding.id, line);
    }
  return result;
}

/** The text that a remedy is for; several have lines of iptables. */
function sourceIn({ where }: Finding, { target }: Remedy): keyof HostSources {
  const read = where?.file as keyof HostSources;
  const isOther = target === 'iptables' && /^(?:ip6tables|legacyIptables|savedIptables)$/.test(read);
  return isOther ? read : (sourceOf[target] ?? read);
}

/** The texts after the remedies of findings: what is typed is done to them as the programs would do it. */
export function mended(texts: Texts, followed: readonly Followed[]): Texts {
  const result = edited(texts, followed);
  for (const each of followed)
    for (const remedy of each.remedies.filter((one) => isTyped(each, one))) {
      const { target, lines } = remedy;
      const [, program = ''] = /^(ip6tables|iptables-legacy) /.exec(lines[0] ?? '') ?? [];
      if (program !== '') {
        const name = program === 'ip6tables' ? program : 'legacyIptables';
        result[name] = `${result[name] ?? ''}${lines.map(withTable).join('\n')}\n`;
      } else if (target === 'nftables' || target === 'iptables') {
        const text = result[target] ?? '';
        result[target] = lines.some((line) => line.includes(' -D '))
          ? lines.reduce(deleted, text)
          : `${text}${lines.map(withTable).join('\n')}\n`;
        // The same rules in their other form.
        if (target === 'iptables' && result.nftables !== undefined)
          result.nftables += lines.map(inNftables).join('');
      } else {
        for (const line of lines) Object.assign(result, typed(result, line));
      }
    }
  return result;
}

/** A command without a table stands behind the lines of whatever table. */
function withTable(line: string): string {
  return line.replace(/^(ip6?tables(?:-legacy)?) (?!-t )/, '$1 -t filter ');
}

function inNftables(line: string): string {
  const [, chain, first, last] = /^iptables -I (\S+) -p tcp --dport (\d+):(\d+) -j ACCEPT$/.exec(line) ?? [];
  if (chain === undefined) throw new Error(`nothing says this in nftables: ${line}`);
  return `nft insert rule ip filter ${chain} tcp dport ${first}-${last} accept\n`;
}

/** `iptables -t raw -D PREROUTING ...` takes the line `-A PREROUTING ...` out. */
function deleted(text: string, command: string): string {
  const [, rule = ''] = / -D (.*)$/.exec(command) ?? [];
  if (!text.includes(`-A ${rule}\n`)) throw new Error(`not there to delete: ${rule}`);
  return text.replace(`-A ${rule}\n`, '');
}

function typed(texts: Texts, line: string): Texts {
  const [, expression, file = ''] = /^sed -i '(.*)' (\S+)$/.exec(line) ?? [];
  if (expression !== undefined) {
    const name = file as keyof HostSources;
    const text = texts[name] ?? '';
    return {
      [name]: expression.includes('\\r') ? text.replaceAll('\r\n', '\n') : text.replace(/^\ufeff/, ''),
    };
  }
  const [, setting, value] = /^sysctl -w (\S+)=(\S+)$/.exec(line) ?? [];
  if (setting !== undefined) {
    const others = (texts.sysctl ?? '').split('\n').filter((each) => !each.startsWith(`${setting} `));
    return { sysctl: [`${setting} = ${value}`, ...others].join('\n') };
  }
  const [, module] = /^modprobe (\S+)$/.exec(line) ?? [];
  if (module !== undefined) return { modules: `${texts.modules ?? ''}${module} 24576 0\n` };
  if (line.startsWith('docker run ')) return { iptables: dockerPublishes(texts.iptables ?? '', line) };
  throw new Error(`what this does is not known: ${line}`);
}

/** The rules as docker writes them for a container that is started with `-p A-B:A-B`, beside those of its port 21. */
function dockerPublishes(rules: string, command: string): string {
  const [, ...ends] = / -p (\d+)-(\d+):(\d+)-(\d+) /.exec(command) ?? [];
  const [first, last, inside] = ends.map(parsePort);
  const [, address] = /--dport 21 -j DNAT --to-destination ([0-9.]+):21$/m.exec(rules) ?? [];
  if (first === undefined || last === undefined || first !== inside || address === undefined)
    throw new Error(`docker does not publish by that: ${command}`);
  let result = rules;
  for (let port = first; port <= last; port++) {
    const accept = `-A DOCKER -d ${address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport ${port} -j ACCEPT\n`;
    const lead = `-A DOCKER ! -i docker0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${address}:${port}\n`;
    if (!result.includes(accept))
      result = result.replace('-A DOCKER ! -i docker0 -o docker0 -j DROP\n', `${accept}$&`);
    if (!result.includes(lead)) result = result.replace(/COMMIT\n$/, `${lead}$&`);
  }
  return result;
}

function written(text: string, { target, lines }: Remedy, id: string, place: number | undefined): string {
  const [first = ''] = lines;
  const all = text.split('\n');
  // An object belongs in its table.
  if (first.startsWith('ct helper '))
    return text.replace(/^table .*\{\n/m, (head) => `${head}${lines.join('\n')}\n`);
  // They stand for all rules for incoming connections.
  if (id === 'firewall-lets-all-in')
    return text.replace(/^-A INPUT .*\n/gm, '').replace(/^COMMIT$/m, () => `${lines.join('\n')}\nCOMMIT`);
  // A chain is made before its rules.
  if (id === 'chain-not-declared' && place !== undefined)
    return [...all.slice(0, place - 1), ...lines, ...all.slice(place - 1)].join('\n');
  if (target === 'pure-ftpd' && first.startsWith('-')) {
    const [option = ''] = first.split(' ');
    const pattern = new RegExp(`(?:^|(?<= ))${option} \\S+`, 'm');
    return pattern.test(text) ? text.replace(pattern, first) : text.replace(/\n?$/, ` ${first}\n`);
  }
  const keyOf = (line: string): string => line.trim().split(/[=\s]/)[0] ?? '';
  const hasKeys = target.includes('ftpd') || target === 'pinhole' || target === 'iptables-config';
  const own = new Set(lines.map(keyOf));
  const isKept = (line: string, index: number): boolean =>
    index + 1 !== place && !(hasKeys && own.has(keyOf(line)));
  const rest = all.filter(isKept);
  const at = place === undefined ? rest.length - 1 : all.slice(0, place - 1).filter(isKept).length;
  return [...rest.slice(0, at), ...lines, ...rest.slice(at)].join('\n');
}
