import type { Finding, RemedyTarget } from '../../../src/doctor/finding.ts';
import type { MessageId } from '../../../src/doctor/messages/message.ts';

const servers = ['vsftpd.conf', 'proftpd.conf', 'pure-ftpd'] as const;
const firewalls = ['nftables', 'iptables'] as const;
const ranges = [...servers, ...firewalls, 'pinhole'] as const;
const helped = [...firewalls, 'shell'] as const;

/** Each finding of the examination from outside that has lines to write, and for which programs it has them. */
export const outsideRemedies: Readonly<Partial<Record<MessageId, readonly RemedyTarget[]>>> = {
  'greeting-slow': servers,
  'greeting-missing': servers,
  'greeting-refused-by-pinhole': ['shell'],
  'control-refused': [...servers, ...helped],
  'control-silent': firewalls,
  'control-unreachable': firewalls,
  'passive-refused': ['vsftpd.conf', 'pure-ftpd'],
  'announced-private': [...servers, 'pinhole'],
  'announced-unroutable': [...servers, 'pinhole'],
  'announced-other': [...servers, 'pinhole'],
  'announced-other-works': [...servers, 'pinhole'],
  'pinhole-announces-other': ['pinhole'],
  'data-port-closed': ranges,
  'data-port-filtered': [...ranges, 'shell'],
  'data-port-rejected': [...ranges, 'shell'],
  'data-refused': ['vsftpd.conf'],
  'data-ignored': ['pure-ftpd'],
  'data-unfinished': firewalls,
  'helper-knows-only-pasv': ranges,
  'helper-knows-only-epsv': ranges,
  'passive-range-small': ranges,
  'passive-range-exhausted': ranges,
  'passive-range-few': ranges,
  'passive-range-few-sessions': ranges,
  'passive-range-refused': ranges,
  'active-refused': ['vsftpd.conf'],
  'active-not-rewritten': helped,
  'active-sees-other': helped,
  'active-blocked': [...helped, 'vsftpd.conf', 'proftpd.conf'],
  'active-silent': [...helped, 'vsftpd.conf', 'proftpd.conf'],
  'active-source-port': ['vsftpd.conf', 'proftpd.conf', 'pinhole'],
  'pinhole-passive-closed': helped,
  'pinhole-active-failed': ['shell'],
  'pinhole-refuses-tls': ['pinhole'],
  'tls-none-at-pinhole': ['pinhole'],
  'tls-passes-pinhole': ['pinhole'],
  'tls-blinds-address': [...servers, 'pinhole'],
  'tls-blinds-port': ranges,
  'tls-reuse-demanded': ['vsftpd.conf', 'proftpd.conf'],
  'idle-timeout': servers,
  'idle-silent': ['shell', 'proftpd.conf'],
  'idle-closed': ['shell', 'proftpd.conf'],
};

/** `finding target` for each remedy that no list above has. */
export function unlisted(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ id, remedies }) =>
    remedies.flatMap(({ target }) =>
      outsideRemedies[id]?.includes(target) === true ? [] : [`${id} ${target}`],
    ),
  );
}
