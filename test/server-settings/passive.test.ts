import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  announcedAddressSetting,
  passiveRangeSettings,
  settingLine,
  type FtpServerProgram,
} from '../../src/server-settings/passive.ts';

const range = { first: 50_000, last: 50_099 };
const expected: Readonly<Record<FtpServerProgram, readonly string[]>> = {
  vsftpd: ['pasv_min_port=50000', 'pasv_max_port=50099', 'pasv_address=203.0.113.1'],
  proftpd: ['PassivePorts 50000 50099', 'MasqueradeAddress 203.0.113.1'],
  'pure-ftpd': ['PassivePortRange 50000 50099', 'ForcePassiveIP 203.0.113.1'],
};

for (const [name, lines] of Object.entries(expected)) {
  const program = name as FtpServerProgram;
  test(`says the passive range and the announced address in the words of ${program}`, () => {
    const settings = [
      ...passiveRangeSettings(program, range),
      announcedAddressSetting(program, '203.0.113.1'),
    ];
    assert.deepEqual(
      settings.map((setting) => settingLine(program, setting)),
      lines,
    );
  });
}

test("gives Pure-FTPd's flags, whose range has a colon", () => {
  const flags = [
    ...passiveRangeSettings('pure-ftpd', range),
    announcedAddressSetting('pure-ftpd', '::1'),
  ].map(({ flag }) => flag);
  assert.deepEqual(flags, ['-p 50000:50099', '-P ::1']);
});
