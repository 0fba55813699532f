import type { PortRange } from '../net/port-range.ts';

/** The FTP servers whose settings are known here. */
export type FtpServerProgram = 'vsftpd' | 'proftpd' | 'pure-ftpd';

/** One setting of an FTP server, in the server's own words. */
export interface ServerSetting {
  readonly name: string;
  readonly value: string;
  /** The same on its command line, where that is how it is set. */
  readonly flag?: string;
}

/** The settings that give a server this range of passive ports. */
export function passiveRangeSettings(
  program: FtpServerProgram,
  { first, last }: PortRange,
): readonly ServerSetting[] {
  switch (program) {
    case 'vsftpd':
      return [
        { name: 'pasv_min_port', value: String(first) },
        { name: 'pasv_max_port', value: String(last) },
      ];
    case 'proftpd':
      return [{ name: 'PassivePorts', value: `${first} ${last}` }];
    case 'pure-ftpd':
      return [{ name: 'PassivePortRange', value: `${first} ${last}`, flag: `-p ${first}:${last}` }];
  }
}

/** The setting that makes a server announce this address in passive mode. */
export function announcedAddressSetting(program: FtpServerProgram, address: string): ServerSetting {
  switch (program) {
    case 'vsftpd':
      return { name: 'pasv_address', value: address };
    case 'proftpd':
      return { name: 'MasqueradeAddress', value: address };
    case 'pure-ftpd':
      return { name: 'ForcePassiveIP', value: address, flag: `-P ${address}` };
  }
}

/** The line of the server's file; vsftpd takes no blank around the `=`. Pure-FTPd has one file a setting in Debian. */
export function settingLine(program: FtpServerProgram, { name, value }: ServerSetting): string {
  return program === 'vsftpd' ? `${name}=${value}` : `${name} ${value}`;
}
