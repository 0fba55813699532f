import { parseAddress } from '../../net/address.ts';
import { formatPortRange } from '../../net/port-range.ts';
import { isPrivate, isUnroutable } from '../addresses.ts';
import { fine, type Finding } from '../finding.ts';
import type { SourceText } from '../host-sources.ts';
import type { MessageId } from '../messages/message.ts';
import type { Facts } from './facts.ts';
import { hasRange, isInverted, passiveRange, type FtpService } from './ftp-service.ts';
import type { Listener } from './listening.ts';
import { addressRemedy, rangeRemedy, remedy } from './remedies.ts';
import { fault, note } from './say.ts';
import { addressSettings, isVsftpdSetting, numbers, switches, vsftpdSettingMeant } from './vsftpd-names.ts';
import { blankFaults, readVsftpd, switchMeant, vsftpdLines, withoutQuotes } from './vsftpd-settings.ts';

/** What is wrong in a server's own settings, whatever stands around it. */
export function checkSettings(facts: Facts): Finding[] {
  const { servers, sources, listeners = [], pinhole } = facts;
  const { vsftpd } = sources;
  return [
    ...(vsftpd === undefined ? [] : checkVsftpdLines(vsftpd.file, vsftpd.text)),
    ...servers.flatMap((server) => [
      ...checkServer(server, listeners),
      ...checkMarks(server, sources[sourceOf[server.program]]),
      ...checkUnreadable(server),
      // Pinhole rewrites the address, whatever it is.
      ...(pinhole ? [] : checkLoopback(facts, server)),
    ]),
  ];
}

const sourceOf = {
  vsftpd: 'vsftpd',
  proftpd: 'proftpd',
  'pure-ftpd': 'pureFtpd',
  pinhole: 'pinhole',
} as const;

/** A byte order mark, as some editors of Windows write it. */
function checkMarks({ program }: FtpService, source: SourceText | undefined): Finding[] {
  if (source?.text.startsWith('\ufeff') !== true) return [];
  const { file } = source;
  const remedies = [remedy('shell', `sed -i '1s/^\\xEF\\xBB\\xBF//' ${file}`)];
  return [fault('settings-bom', { values: { program }, file, line: 1, remedies })];
}

/** What ProFTPD and Pure-FTPd do not start with, or read otherwise than it is meant. */
function checkUnreadable(server: FtpService): Finding[] {
  const { program, unreadable = [] } = server;
  return unreadable.map(({ id, name, value, meant, file, line }) => {
    const remedies =
      meant === undefined
        ? []
        : typeof meant === 'string'
          ? [remedy(program === 'proftpd' ? 'proftpd.conf' : 'pure-ftpd', meant)]
          : [rangeRemedy(server, meant)];
    const values = {
      program,
      name,
      value,
      meant: typeof meant === 'string' ? (meant.split(' ')[0] ?? '') : '',
    };
    return fault(id, { values, file, line, remedies });
  });
}

function checkLoopback({ addresses }: Facts, server: FtpService): Finding[] {
  const { program, file, address } = server;
  if (address === undefined) return [];
  const told = parseAddress(address.value);
  const isOwn = /^(?:localhost(?:\.localdomain)?\.?|0+(?:\.0+){0,3}|127(?:\.\d+){1,3})$/i.test(address.value);
  if (!isOwn && (told === undefined || !isUnroutable(told))) return [];
  const reached = addresses.find((one) => !isPrivate(one)) ?? 'PUBLIC-ADDRESS';
  const remedies = [addressRemedy(server, reached)];
  return [
    fault('address-loopback', {
      values: { program, address: address.value },
      file,
      line: address.line,
      remedies,
    }),
  ];
}

function checkServer(server: FtpService, listeners: readonly Listener[]): Finding[] {
  const { program, file, isPassive, passiveFrom, passiveTo } = server;
  const findings: Finding[] = [];
  if (isInverted(server) && passiveFrom && passiveTo) {
    findings.push(
      fault('passive-range-inverted', {
        values: { program, from: passiveFrom.value, to: passiveTo.value },
        file,
        line: passiveFrom.line,
        remedies: [rangeRemedy(server, passiveRange(server))],
      }),
    );
  } else if (hasRange(server)) {
    findings.push(fine('passive-range-set', { program, range: formatPortRange(passiveRange(server)) }));
  }
  if (!isPassive) {
    const turnedOn =
      program === 'vsftpd' ? remedy('vsftpd.conf', 'pasv_enable=YES') : remedy('pure-ftpd', 'NATmode no');
    // No option of a command line undoes -N.
    const remedies = server.isCommandLine === true ? [] : [turnedOn];
    findings.push(note('passive-disabled', { values: { program }, file, remedies }));
  }
  return [...findings, ...checkActivePort(server, listeners)];
}

/** The ports below 1024 are root's, and a server without root's rights fails at every active transfer. */
function checkActivePort(
  { program, file, activePort: port, unprivileged }: FtpService,
  listeners: readonly Listener[],
): Finding[] {
  if (port === undefined || port === 0 || port >= 1024) return [];
  if (unprivileged) {
    const remedies =
      program === 'proftpd'
        ? [remedy('proftpd.conf', 'RootRevoke UseNonCompliantActiveTransfer')]
        : [remedy('vsftpd.conf', 'connect_from_port_20=NO')];
    const values = { program, port, setting: unprivileged.value };
    return [fault('port-20-unprivileged', { values, file, line: unprivileged.line, remedies })];
  }
  const user = listeners.find((listener) => listener.program === program)?.user;
  if (user === undefined || program !== 'vsftpd') return [];
  const remedies = [remedy('vsftpd.conf', 'connect_from_port_20=NO')];
  return [fault('port-20-not-root', { values: { program, port, user }, file, remedies })];
}

function checkVsftpdLines(file: string, text: string): Finding[] {
  const blanks = checkBlanks(file, text);
  const told = new Set(blanks.map(({ where }) => where?.line));
  const lines = blanks.some(({ id }) => id === 'vsftpd-line-ends') ? text.replaceAll('\r\n', '\n') : text;
  const others = lines
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((line, index) =>
      told.has(index + 1) ? [] : checkVsftpdLine(line.trimStart(), { file, line: index + 1 }),
    );
  return [...blanks, ...others, ...checkResolved(file, text), ...checkListen(file, text)];
}

/** One line as vsftpd's parseconf.c reads it: up to the `=` the name, all the rest the value. */
function checkVsftpdLine(line: string, place: { readonly file: string; readonly line: number }): Finding[] {
  if (line.trim() === '' || line.startsWith('#')) return [];
  const at = line.indexOf('=');
  const name = at === -1 ? line.trim() : line.slice(0, at);
  const value = at === -1 ? '' : line.slice(at + 1).trim();
  const say = (id: MessageId, values: Finding['values'], ...mended: readonly string[]): Finding[] => [
    fault(id, {
      values: { program: 'vsftpd', name, ...values },
      ...place,
      remedies: mended.map((one) => remedy('vsftpd.conf', one)),
    }),
  ];
  const [, before = '', after = ''] = /^([a-z0-9_]+)[\s:]+([^=]+)$/i.exec(line) ?? [];
  if (at === -1 && isVsftpdSetting(before))
    return say('vsftpd-value-missing', { name: before }, `${before}=${after.trim()}`);
  if (!isVsftpdSetting(name)) {
    const meant = at === -1 ? undefined : vsftpdSettingMeant(name);
    if (meant === undefined) return say('setting-unknown', {}, `#${line.trimEnd()}`);
    return say('setting-misspelt', { meant }, `${meant}=${value}`);
  }
  if (value === '') {
    const isText = at !== -1 && !switches.has(name) && !numbers.has(name);
    return isText ? [] : say('vsftpd-value-missing', {}, `#${line.trimEnd()}`);
  }
  const plain = withoutQuotes(value);
  if (switches.has(name) && !/^(?:yes|no|true|false|1|0)$/i.test(value)) {
    const isOn = switchMeant(value);
    return say(
      'switch-unreadable',
      { value },
      ...(isOn === undefined ? [] : [`${name}=${isOn ? 'YES' : 'NO'}`]),
    );
  }
  const isPlain =
    plain === value ||
    !(numbers.has(name) || addressSettings.has(name) || /_(?:file|dir|root|username|name)$/.test(name));
  if (!isPlain) return say('vsftpd-value-quoted', {}, `${name}=${plain}`);
  return numbers.has(name) && !/^[0-9]/.test(value)
    ? say('vsftpd-number-unread', { value }, `#${line.trimEnd()}`)
    : [];
}

/** It listens for IPv4 or for both, and does not start where it is to do either. */
function checkListen(file: string, text: string): Finding[] {
  const lines = vsftpdLines(text);
  const [four, six] = ['listen', 'listen_ipv6'].map((name) => lines.get(name));
  if (four === undefined || six === undefined) return [];
  if (switchMeant(four.value) !== true || switchMeant(six.value) !== true) return [];
  return [
    fault('vsftpd-listens-twice', { file, line: four.line, remedies: [remedy('vsftpd.conf', 'listen=NO')] }),
  ];
}

/** A name that is announced is looked up only where that is turned on. */
function checkResolved(file: string, text: string): Finding[] {
  const lines = vsftpdLines(text);
  const { address } = readVsftpd(file, text);
  const isResolved = switchMeant(lines.get('pasv_addr_resolve')?.value ?? '') === true;
  if (address === undefined || isResolved || parseAddress(address.value) !== undefined) return [];
  // It is no address for others, whatever resolves it.
  if (/^localhost/i.test(address.value)) return [];
  const remedies = [remedy('vsftpd.conf', 'pasv_addr_resolve=YES')];
  return [
    fault('address-not-resolved', { values: { name: address.value }, file, line: address.line, remedies }),
  ];
}

function checkBlanks(file: string, text: string): Finding[] {
  const [ends, others] = [true, false].map((is) =>
    blankFaults(text).filter(({ isLineEnd }) => isLineEnd === is),
  );
  // They are the same in the whole file, and mended at once.
  const lineEnds = (ends ?? []).slice(0, 1).map(({ line }) => {
    const remedies = [remedy('shell', `sed -i 's/\\r$//' ${file}`)];
    return fault('vsftpd-line-ends', { file, line, remedies });
  });
  const spaced = (others ?? []).map(({ value, line }) =>
    fault('vsftpd-spaces', { file, line, remedies: [remedy('vsftpd.conf', value)] }),
  );
  return [...lineEnds, ...spaced];
}
