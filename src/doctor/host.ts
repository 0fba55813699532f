import { distinct, type Finding, type Level } from './finding.ts';
import type { HostSources } from './host-sources.ts';
import { checkAnswers } from './host/check-answers.ts';
import { checkFirewall } from './host/check-firewall.ts';
import { checkForwarding } from './host/check-forwarding.ts';
import { checkHelper } from './host/check-helper.ts';
import { checkIpv6 } from './host/check-ipv6.ts';
import { checkListening } from './host/check-listening.ts';
import { checkModulesLines } from './host/check-modules-lines.ts';
import { checkRules } from './host/check-rules.ts';
import { checkSettings } from './host/check-settings.ts';
import { checkTls } from './host/check-tls.ts';
import { forwardingOf, readFacts, type Facts } from './host/facts.ts';
import { atOrigin } from './host/origin.ts';
import { pinholeRefusal } from './host/pinhole-settings.ts';
import { hasRange, type FtpService } from './host/ftp-service.ts';
import { fault, unseen } from './host/say.ts';
import type { MessageId } from './messages/message.ts';

const checks: readonly ((facts: Facts) => Finding[])[] = [
  checkSettings,
  checkModulesLines,
  checkRules,
  checkFirewall,
  checkIpv6,
  checkAnswers,
  checkForwarding,
  checkHelper,
  checkListening,
  checkTls,
];

/** Findings that a fault already covers. */
const toldBy: Readonly<Partial<Record<MessageId, MessageId>>> = {
  'helper-unused': 'related-without-helper',
  'passive-range-open': 'established-dropped',
  'only-control-port-forwarded': 'helper-behind-translation',
  'helper-blind-to-tls': 'helper-sees-no-tls',
};

const order: readonly Level[] = ['fault', 'unseen', 'note', 'fine'];

/** Examines the sources of a host and returns the findings in order of importance. Pure. */
export function examineHost(sources: HostSources): Finding[] {
  const findings = distinct(
    readFacts(sources).flatMap((facts) => [
      ...checkSubject(facts),
      ...checks.flatMap((check) => check(facts)),
    ]),
  );
  const faults = new Set(findings.filter(({ level }) => level === 'fault').map(({ id }) => id));
  const told = findings.filter(({ id }) => {
    const by = toldBy[id];
    return by === undefined || !faults.has(by);
  });
  return byImportance(told.map((finding) => atOrigin(finding, sources.proftpd)));
}

/** Faults first; what is well comes last. */
export function byImportance(findings: readonly Finding[]): Finding[] {
  return order.flatMap((level) => findings.filter((finding) => finding.level === level));
}

/** Whether all was there to read that decides about FTP. */
function checkSubject(facts: Facts): Finding[] {
  const { servers, pinhole, firewalls } = facts;
  // A gateway has none of its own.
  const isGateway = forwardingOf(facts, 21) !== undefined;
  const hasSubject = servers.length > 0 || pinhole !== undefined || isGateway;
  return [
    ...checkPinholeSeen(facts),
    ...(hasSubject ? [] : [unseen('no-server-found')]),
    ...(firewalls.some(({ family }) => family === 4) ? [] : [unseen('firewall-not-seen')]),
    ...(pinhole ? [] : servers.filter(isIncomplete)).map(({ program, file }) =>
      unseen('settings-incomplete', { values: { program }, file }),
    ),
  ];
}

/** Other files may have what decides. */
function isIncomplete(server: FtpService): boolean {
  return server.isPartial === true && (!hasRange(server) || server.address === undefined);
}

function checkPinholeSeen({ pinhole, sources }: Facts): Finding[] {
  if (pinhole?.seen) {
    const { sign } = pinhole.seen;
    return [unseen('pinhole-without-config', { values: { sign } })];
  }
  if (pinhole && pinhole.config === undefined) {
    const { file = '', text = '' } = sources.pinhole ?? {};
    return [fault('pinhole-config-refused', { values: { reason: pinholeRefusal(file, text) }, file })];
  }
  return [];
}
