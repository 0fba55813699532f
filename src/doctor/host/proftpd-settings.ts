import { distance } from '../../config/spelling.ts';
import { parsePort } from '../../net/endpoint.ts';
import type { PortRange } from '../../net/port-range.ts';
import { rangeMeant, type FtpService, type Unreadable } from './ftp-service.ts';
import { meaningfulLines, wordsOf, type Placed } from './lines.ts';

/** Reads the main server of proftpd.conf, including `<Global>`; directive names are case-insensitive. */
export function readProftpd(file: string, text: string): FtpService {
  const lines = new Map<string, Placed<string[]>>();
  const contexts: string[] = [];
  let isPartial = false;
  const unreadable: Unreadable[] = [];
  for (const { value, line } of meaningfulLines(text)) {
    const [, slash, context] = /^<(\/?)([a-z]+)/i.exec(value) ?? [];
    if (context !== undefined) {
      if (slash === '/') contexts.pop();
      else contexts.push(context.toLowerCase());
      continue;
    }
    if (/^include\s/i.test(value)) isPartial = true;
    // What stands in <IfModule> and <Global> holds for the main server; a <VirtualHost> is another one.
    if (contexts.some((name) => !['ifmodule', 'ifdefine', 'global'].includes(name))) continue;
    const [name = '', ...all] = wordsOf(value);
    const comment = all.findIndex((word) => word.startsWith('#'));
    const words = comment === -1 ? all : all.slice(0, comment);
    const key = name.toLowerCase();
    // Of two ranges ProFTPD takes the first.
    if (key !== 'passiveports' || !lines.has(key)) lines.set(key, { value: words, line });
    const found = judge(name, words);
    if (found) unreadable.push({ ...found, file, line });
    // It is read as it is meant.
    if (found?.id === 'setting-misspelt')
      lines.set(found.meant.split(' ')[0]?.toLowerCase() ?? '', { value: words, line });
  }
  const first = (name: string): Placed<string> | undefined => {
    const found = lines.get(name);
    const [word] = found?.value ?? [];
    return found && word !== undefined ? { value: word, line: found.line } : undefined;
  };
  const lineOf = (
    name: string,
    as: string,
    isMeant: (word: string) => boolean,
  ): Placed<string> | undefined => {
    const found = first(name);
    return found && isMeant(found.value.toLowerCase())
      ? { value: `${as} ${found.value}`, line: found.line }
      : undefined;
  };
  const controlPort = parsePort(first('port')?.value ?? '') ?? 21;
  const range = lines.get('passiveports');
  const meant = rangeMeant(range?.value.join(' ') ?? '');
  const end = (side: keyof PortRange): Placed<number> | undefined =>
    range && meant && { value: meant[side], line: range.line };
  const tls = lineOf('tlsengine', 'TLSEngine', (word) => word === 'on' || word === 'true' || word === 'yes');
  const tlsOptions = lines.get('tlsoptions');
  const needsNoReuse = tlsOptions?.value.some((word) => word.toLowerCase() === 'nosessionreuserequired');
  return {
    program: 'proftpd',
    file,
    isPartial,
    controlPort,
    listenAddress: first('defaultaddress')?.value,
    isPassive: true,
    passiveFrom: end('first'),
    passiveTo: end('last'),
    address: unquoted(first('masqueradeaddress')),
    unreadable,
    // RFC 959, 3.2: the port below its own.
    activePort: controlPort - 1,
    unprivileged: lineOf(
      'rootrevoke',
      'RootRevoke',
      (word) => word === 'on' || word === 'true' || word === 'yes',
    ),
    tls,
    demandsReuse:
      tls && needsNoReuse !== true && !isPartial
        ? { value: 'no NoSessionReuseRequired', line: tlsOptions?.line ?? tls.line }
        : undefined,
  };
}

/** Directives by which FTP gets through firewalls: an unknown one that is near is one of these. */
const directives = [
  'PassivePorts',
  'MasqueradeAddress',
  'DefaultAddress',
  'TLSEngine',
  'TLSOptions',
  'RootRevoke',
];

const booleans: ReadonlySet<string> = new Set(
  'tlsengine usereversedns useipv6 requirevalidshell deferwelcome'.split(' '),
);

type Judged =
  | { readonly id: 'setting-misspelt'; readonly name: string; readonly value: string; readonly meant: string }
  | (Omit<Unreadable, 'file' | 'line' | 'id'> & {
      readonly id: 'range-unreadable' | 'switch-unreadable' | 'value-quoted';
    });

function judge(name: string, words: readonly string[]): Judged | undefined {
  const [first = ''] = words;
  const value = words.join(' ');
  const key = name.toLowerCase();
  if (key === 'passiveports' && (words.length !== 2 || words.some((word) => parsePort(word) === undefined)))
    return { id: 'range-unreadable', name, value, meant: rangeMeant(value) };
  if (key === 'masqueradeaddress' && /^'.*'$/.test(first))
    return { id: 'value-quoted', name, value, meant: `${name} ${first.slice(1, -1)}` };
  if (booleans.has(key) && !/^(?:on|off|yes|no|true|false|1|0)$/i.test(first)) {
    const isOn = /^(?:on|yes|true|1|enabled?)\b/i.test(first);
    const isOff = /^(?:off|no|false|0|disabled?)\b/i.test(first);
    return {
      id: 'switch-unreadable',
      name,
      value,
      meant: isOn ? `${name} on` : isOff ? `${name} off` : undefined,
    };
  }
  if (directives.some((known) => known.toLowerCase() === key) || name.length < 8) return undefined;
  const meant = nearDirective(name);
  return meant === undefined
    ? undefined
    : { id: 'setting-misspelt', name, value, meant: `${meant} ${value}` };
}

/** Other directives are like these too: two letters may be wrong. */
function nearDirective(name: string): string | undefined {
  return directives.find((known) => distance(name.toLowerCase(), known.toLowerCase()) <= 2);
}

function unquoted(placed: Placed<string> | undefined): Placed<string> | undefined {
  return placed && { value: placed.value.replace(/^'(.*)'$/, '$1'), line: placed.line };
}
