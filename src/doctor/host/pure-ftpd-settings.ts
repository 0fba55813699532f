import { distance } from '../../config/spelling.ts';
import { parsePort } from '../../net/endpoint.ts';
import type { PortRange } from '../../net/port-range.ts';
import { rangeMeant, type FtpService, type Unreadable } from './ftp-service.ts';
import { meaningfulLines, wordsOf, type Placed } from './lines.ts';

/** The short option of each setting, and the long one, where they are given on a command line. */
const options: ReadonlyMap<string, string> = new Map([
  ['-p', 'passiveportrange'],
  ['--passiveportrange', 'passiveportrange'],
  ['-P', 'forcepassiveip'],
  ['--forcepassiveip', 'forcepassiveip'],
  ['-S', 'bind'],
  ['--bind', 'bind'],
  ['-Y', 'tls'],
  ['--tls', 'tls'],
  ['-N', 'natmode'],
  ['--natmode', 'natmode'],
]);

/** Those that something belongs to, as `pure-ftpd --help` lists them. */
const lettersWithValue = '23aCcfFgIJklLmnOpPqQStTUuVyY';

/** Reads pure-ftpd.conf, Debian's folder of settings as lines `Name value`, or a command line with its options. */
export function readPureFtpd(file: string, text: string): FtpService {
  const lines = new Map<string, Placed<string[]>>();
  const unreadable: Unreadable[] = [];
  let isCommandLine = false;
  for (const { value, line } of meaningfulLines(text)) {
    const words = wordsOf(value);
    const found = judge(value, words);
    if (found) unreadable.push({ ...found, file, line });
    if (isOptions(words)) {
      isCommandLine = true;
      for (const [name, setting] of optionsOf(words)) lines.set(name, { value: setting, line });
    } else {
      const [name = '', ...rest] = words;
      const meant = found?.id === 'setting-misspelt' ? nearSetting(name) : undefined;
      lines.set((meant ?? name).toLowerCase(), { value: rest, line });
    }
  }
  const first = (name: string): Placed<string> | undefined => {
    const found = lines.get(name);
    const [word] = found?.value ?? [];
    return found && word !== undefined ? { value: word, line: found.line } : undefined;
  };
  const range = lines.get('passiveportrange');
  const meant = rangeMeant(range?.value.join(' ') ?? '');
  const end = (side: keyof PortRange): Placed<number> | undefined =>
    range && meant && { value: meant[side], line: range.line };
  // `Bind 192.168.1.5,21`, `Bind ,2121`, `Bind 21`
  const bind = (first('bind')?.value ?? '').split(',');
  const tls = first('tls');
  return {
    program: 'pure-ftpd',
    file,
    controlPort: parsePort(bind.at(-1) ?? '') ?? 21,
    listenAddress: bind.length > 1 && bind[0] !== '' ? bind[0] : undefined,
    isPassive: !['yes', 'on', '1', ''].includes(first('natmode')?.value.toLowerCase() ?? 'no'),
    passiveFrom: end('first'),
    passiveTo: end('last'),
    address: first('forcepassiveip'),
    unreadable,
    isCommandLine,
    activePort: undefined,
    unprivileged: undefined,
    tls: tls && /^[123]$/.test(tls.value) ? { value: `TLS ${tls.value}`, line: tls.line } : undefined,
  };
}

/** Whether these are words of a command line. */
function isOptions(words: readonly string[]): boolean {
  return words.some((word) => /^-{1,2}[a-z]/i.test(word));
}

/** `-p 30000:50000`, `-AEp30000:50000`, `--passiveportrange=30000:50000`, `-N` */
function optionsOf(words: readonly string[]): [string, string[]][] {
  return words.flatMap((word, index) =>
    (word.startsWith('--') ? [longOption(word)] : shortOptions(word)).flatMap(([given, attached]) => {
      const name = options.get(given);
      if (name === undefined) return [];
      if (name === 'natmode') return [[name, ['yes']] satisfies [string, string[]]];
      const value = attached === '' ? (words[index + 1] ?? '') : attached;
      return [[name, [value]] satisfies [string, string[]]];
    }),
  );
}

function longOption(word: string): [name: string, attached: string] {
  const [name = '', attached = ''] = word.split('=');
  return [name, attached];
}

/** `-AEp30000:50000` is `-A`, `-E` and `-p` with its range. */
function shortOptions(word: string): [name: string, attached: string][] {
  if (!/^-[a-z0-9]/i.test(word)) return [];
  const letters = Array.from(word.slice(1));
  const at = letters.findIndex((letter) => lettersWithValue.includes(letter));
  const all = at === -1 ? letters : letters.slice(0, at + 1);
  return all.map((letter, index) => [`-${letter}`, index === at ? letters.slice(at + 1).join('') : '']);
}

/** A range is `30000 50000` in a file, and `30000:50000` on a command line: with anything else it does not start. */
function judge(line: string, words: readonly string[]): Omit<Unreadable, 'file' | 'line'> | undefined {
  const [name = '', ...rest] = words;
  if (isOptions(words)) {
    const [, [value = ''] = []] = optionsOf(words).find(([option]) => option === 'passiveportrange') ?? [];
    if (value === '' || /^\d+:\d+$/.test(value)) return undefined;
    return { id: 'range-unreadable', name: '-p', value, meant: meantOption(value) };
  }
  const value = rest.join(' ');
  if (name.toLowerCase() === 'passiveportrange')
    return /^\d+[\s,]+\d+(?:\s+#.*)?$/.test(value)
      ? undefined
      : { id: 'range-unreadable', name, value, meant: rangeMeant(value) };
  const meant = nearSetting(name);
  return meant === undefined || line.includes('=')
    ? undefined
    : { id: 'setting-misspelt', name, value, meant: `${meant} ${value}` };
}

function meantOption(value: string): string | undefined {
  const range = rangeMeant(value);
  return range && `-p ${range.first}:${range.last}`;
}

const settings = ['PassivePortRange', 'ForcePassiveIP'];

function nearSetting(name: string): string | undefined {
  const distances = settings.map((known) => distance(name.toLowerCase(), known.toLowerCase()));
  return settings.find((_, index) => (distances[index] ?? 0) > 0 && (distances[index] ?? 9) <= 2);
}
