import { parsePort } from '../../net/endpoint.ts';
import type { FtpService } from './ftp-service.ts';
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
  for (const { value, line } of meaningfulLines(text)) {
    const words = wordsOf(value);
    if (words.some((word) => /^-{1,2}[a-z]/i.test(word))) {
      for (const [name, setting] of optionsOf(words)) lines.set(name, { value: setting, line });
    } else {
      // Both `30000 50000` and `30000:50000` are known.
      const [name = '', ...rest] = words;
      lines.set(name.toLowerCase(), { value: rest.flatMap((word) => word.split(':')), line });
    }
  }
  const first = (name: string): Placed<string> | undefined => {
    const found = lines.get(name);
    const [word] = found?.value ?? [];
    return found && word !== undefined ? { value: word, line: found.line } : undefined;
  };
  const range = lines.get('passiveportrange');
  const end = (index: number): Placed<number> | undefined => {
    const port = parsePort(range?.value[index] ?? '');
    return range && port !== undefined ? { value: port, line: range.line } : undefined;
  };
  // `Bind 192.168.1.5,21`, `Bind ,2121`, `Bind 21`
  const bind = (first('bind')?.value ?? '').split(',');
  const tls = first('tls');
  return {
    program: 'pure-ftpd',
    file,
    controlPort: parsePort(bind.at(-1) ?? '') ?? 21,
    listenAddress: bind.length > 1 && bind[0] !== '' ? bind[0] : undefined,
    isPassive: !['yes', 'on', '1', ''].includes(first('natmode')?.value.toLowerCase() ?? 'no'),
    passiveFrom: end(0),
    passiveTo: end(1),
    address: first('forcepassiveip'),
    activePort: undefined,
    unprivileged: undefined,
    tls: tls && /^[123]$/.test(tls.value) ? { value: `TLS ${tls.value}`, line: tls.line } : undefined,
  };
}

/** `-p 30000:50000`, `-AEp30000:50000`, `--passiveportrange=30000:50000`, `-N` */
function optionsOf(words: readonly string[]): [string, string[]][] {
  return words.flatMap((word, index) =>
    (word.startsWith('--') ? [longOption(word)] : shortOptions(word)).flatMap(([given, attached]) => {
      const name = options.get(given);
      if (name === undefined) return [];
      if (name === 'natmode') return [[name, ['yes']] satisfies [string, string[]]];
      const value = attached === '' ? (words[index + 1] ?? '') : attached;
      return [[name, name === 'passiveportrange' ? value.split(':') : [value]] satisfies [string, string[]]];
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
