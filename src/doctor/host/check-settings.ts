import { parseAddress } from '../../net/address.ts';
import { formatPortRange } from '../../net/port-range.ts';
import { fine, type Finding } from '../finding.ts';
import type { Facts } from './facts.ts';
import { hasRange, isInverted, passiveRange, type FtpService } from './ftp-service.ts';
import type { Listener } from './listening.ts';
import { rangeRemedy, remedy } from './remedies.ts';
import { fault, note } from './say.ts';
import { blankFaults, vsftpdLines } from './vsftpd-settings.ts';

/** What is wrong in a server's own settings, whatever stands around it. */
export function checkSettings({ servers, sources: { vsftpd }, listeners = [] }: Facts): Finding[] {
  const ofVsftpd = vsftpd === undefined ? [] : checkVsftpdLines(vsftpd.file, vsftpd.text);
  return [...ofVsftpd, ...servers.flatMap((server) => checkServer(server, listeners))];
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
        remedies: [rangeRemedy(program, passiveRange(server))],
      }),
    );
  } else if (hasRange(server)) {
    findings.push(fine('passive-range-set', { program, range: formatPortRange(passiveRange(server)) }));
  }
  if (!isPassive) {
    const remedies = [
      program === 'vsftpd' ? remedy('vsftpd.conf', 'pasv_enable=YES') : remedy('pure-ftpd', 'NATmode no'),
    ];
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
  const lines = vsftpdLines(text);
  const address = lines.get('pasv_address');
  const isResolved = ['YES', 'TRUE', '1'].includes(lines.get('pasv_addr_resolve')?.value.toUpperCase() ?? '');
  if (address === undefined || isResolved || parseAddress(address.value) !== undefined) return blanks;
  const remedies = [remedy('vsftpd.conf', 'pasv_addr_resolve=YES')];
  const values = { name: address.value };
  return [...blanks, fault('address-not-resolved', { values, file, line: address.line, remedies })];
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
