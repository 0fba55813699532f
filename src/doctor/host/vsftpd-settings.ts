import type { FtpService } from './ftp-service.ts';
import { meaningfulLines, type Placed } from './lines.ts';

/** Lines `key=value`; of a key that is listed twice the last one holds. */
export function vsftpdLines(text: string): Map<string, Placed<string>> {
  const lines = new Map<string, Placed<string>>();
  for (const { value: text_, line } of meaningfulLines(text)) {
    const at = text_.indexOf('=');
    if (at !== -1) lines.set(text_.slice(0, at).trimEnd(), { value: text_.slice(at + 1).trimStart(), line });
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
    const value = lines.get(key)?.value.toUpperCase();
    return value === undefined ? otherwise : ['YES', 'TRUE', '1'].includes(value);
  };
  const lineOf = (key: string): Placed<string> | undefined => {
    const found = lines.get(key);
    return found && isOn(key, false) ? { value: `${key}=${found.value}`, line: found.line } : undefined;
  };
  return {
    program: 'vsftpd',
    file,
    controlPort: numberOf(lines.get('listen_port'))?.value ?? 21,
    listenAddress: lines.get('listen_address')?.value,
    isPassive: isOn('pasv_enable', true),
    passiveFrom: numberOf(lines.get('pasv_min_port')),
    passiveTo: numberOf(lines.get('pasv_max_port')),
    address: lines.get('pasv_address'),
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

/** A port; 0 means none. vsftpd reads what begins with 0 as octal. */
function numberOf(placed: Placed<string> | undefined): Placed<number> | undefined {
  if (placed === undefined || !/^[0-9]{1,6}$/.test(placed.value)) return undefined;
  const value = parseInt(placed.value, placed.value.startsWith('0') ? 8 : 10);
  return value >= 1 && value <= 65535 ? { value, line: placed.line } : undefined;
}
