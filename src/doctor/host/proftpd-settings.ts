import { parsePort } from '../../net/endpoint.ts';
import type { FtpService } from './ftp-service.ts';
import { meaningfulLines, wordsOf, type Placed } from './lines.ts';

/** Reads the main server of proftpd.conf, including `<Global>`; directive names are case-insensitive. */
export function readProftpd(file: string, text: string): FtpService {
  const lines = new Map<string, Placed<string[]>>();
  const contexts: string[] = [];
  let isPartial = false;
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
    const [name = '', ...words] = wordsOf(value);
    lines.set(name.toLowerCase(), { value: words, line });
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
  const end = (index: number): Placed<number> | undefined => {
    const port = parsePort(range?.value[index] ?? '');
    return range && port !== undefined ? { value: port, line: range.line } : undefined;
  };
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
    passiveFrom: end(0),
    passiveTo: end(1),
    address: first('masqueradeaddress'),
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
