import type { FtpService } from './ftp-service.ts';
import { meaningfulLines, type Placed } from './lines.ts';
import { isVsftpdSetting, vsftpdSettingMeant } from './vsftpd-names.ts';

/** Lines `key=value`; of a key that is listed twice the last one holds. A misspelt key counts as the one that is meant. */
export function vsftpdLines(text: string): Map<string, Placed<string>> {
  const lines = new Map<string, Placed<string>>();
  const misspelt = new Map<string, Placed<string>>();
  for (const { value: text_, line } of meaningfulLines(text)) {
    const at = text_.includes('=') ? text_.indexOf('=') : text_.search(/[\s:]/);
    if (at === -1) continue;
    const key = text_.slice(0, at).trimEnd();
    const into = isVsftpdSetting(key) ? lines : misspelt;
    into.set(key, { value: text_.slice(at + 1).trimStart(), line });
  }
  for (const [key, placed] of misspelt) {
    const meant = vsftpdSettingMeant(key);
    if (meant !== undefined && !lines.has(meant)) lines.set(meant, placed);
  }
  return lines;
}

/**
 * Lines that vsftpd does not start with (500 OOPS), as they should be. As 3.0.3 does it: a blank belongs to the name, or
 * to YES and NO; numbers, addresses and texts may have some around them, and the CR of a line end is a blank like others.
 */
export function blankFaults(text: string): (Placed<string> & { readonly isLineEnd: boolean })[] {
  return text.split('\n').flatMap((written, index) => {
    const mended = withoutBlanks(written);
    if (mended === undefined || mended === written) return [];
    return [{ value: mended, line: index + 1, isLineEnd: `${mended}\r` === written.trimStart() }];
  });
}

/** Undefined for a line that may have blanks. */
function withoutBlanks(written: string): string | undefined {
  if (written.startsWith('#')) return undefined;
  const line = written.trimStart();
  // Behind a blank it is no comment.
  if (line.startsWith('#')) return line.trimEnd();
  const [, name = '', gap = '', given = ''] = /^([a-z0-9_]+)(\s*)=(.*)$/is.exec(line) ?? [];
  const value = given.trim();
  const isSwitch =
    /^(?:yes|no|true|false)$/i.test(value) || (name.endsWith('_enable') && /^[01]$/.test(value));
  if (gap !== '') return `${name}=${value}`;
  return isSwitch && value !== given ? `${name}=${value}` : undefined;
}

export function readVsftpd(file: string, text: string): FtpService {
  const lines = vsftpdLines(text);
  const isOn = (key: string, otherwise: boolean): boolean => {
    const value = lines.get(key)?.value;
    return value === undefined ? otherwise : (switchMeant(value) ?? otherwise);
  };
  const lineOf = (key: string): Placed<string> | undefined => {
    const found = lines.get(key);
    return found && isOn(key, false) ? { value: `${key}=${found.value}`, line: found.line } : undefined;
  };
  return {
    program: 'vsftpd',
    file,
    controlPort: numberOf(lines.get('listen_port'))?.value ?? 21,
    listenAddress: addressOf(lines.get('listen_address'))?.value,
    isPassive: isOn('pasv_enable', true),
    passiveFrom: numberOf(lines.get('pasv_min_port')),
    passiveTo: numberOf(lines.get('pasv_max_port')),
    address: addressOf(lines.get('pasv_address')),
    activePort:
      isOn('port_enable', true) && isOn('connect_from_port_20', false)
        ? (numberOf(lines.get('ftp_data_port'))?.value ?? 20)
        : undefined,
    unprivileged: lineOf('run_as_launching_user'),
    tls: lineOf('ssl_enable'),
    demandsReuse:
      isOn('ssl_enable', false) && isOn('require_ssl_reuse', true)
        ? {
            value: 'require_ssl_reuse=YES',
            line: (lines.get('require_ssl_reuse') ?? lines.get('ssl_enable'))?.line ?? 0,
          }
        : undefined,
  };
}

/** Whether a switch is on, also where vsftpd can't read it: `YES # passive mode`, `on`, `'YES'`. */
export function switchMeant(value: string): boolean | undefined {
  if (/^['"]?(?:yes|true|1|on|enabled?|y)\b/i.test(value)) return true;
  return /^['"]?(?:no|false|0|off|disabled?|n)\b/i.test(value) ? false : undefined;
}

/** vsftpd has no quotation marks; they are no part of what is meant. */
export function withoutQuotes(value: string): string {
  return /^(['"])(.*)\1$/.exec(value)?.[2] ?? value;
}

/** What follows a blank is no part of an address: inet_aton(3) leaves it unread. */
function addressOf(placed: Placed<string> | undefined): Placed<string> | undefined {
  const [address = ''] = withoutQuotes(placed?.value ?? '').split(/\s/, 1);
  return placed === undefined || address === '' ? undefined : { value: address, line: placed.line };
}

/** A port; 0 means none. vsftpd reads the digits that come first, those behind a 0 as octal. */
function numberOf(placed: Placed<string> | undefined): Placed<number> | undefined {
  const [digits] = /^[0-9]{1,6}(?![0-9])/.exec(withoutQuotes(placed?.value ?? '')) ?? [];
  if (placed === undefined || digits === undefined) return undefined;
  const value = parseInt(digits, digits.startsWith('0') ? 8 : 10);
  return value >= 1 && value <= 65535 ? { value, line: placed.line } : undefined;
}
