import type { Finding, Level } from './finding.ts';
import type { HostSources } from './host-sources.ts';
import { checkFirewall } from './host/check-firewall.ts';
import { checkForwarding } from './host/check-forwarding.ts';
import { checkHelper } from './host/check-helper.ts';
import { checkListening } from './host/check-listening.ts';
import { checkModulesLines } from './host/check-modules-lines.ts';
import { checkRules } from './host/check-rules.ts';
import { checkSettings } from './host/check-settings.ts';
import { checkTls } from './host/check-tls.ts';
import { forwardingOf, readFacts, type Facts } from './host/facts.ts';
import { atOrigin } from './host/origin.ts';
import { remedy } from './host/remedies.ts';
import { fault, note } from './host/say.ts';
import type { MessageId } from './messages/message.ts';

const checks: readonly ((facts: Facts) => Finding[])[] = [
  checkSettings,
  checkModulesLines,
  checkRules,
  checkFirewall,
  checkForwarding,
  checkHelper,
  checkListening,
  checkTls,
];

/** Findings that a fault already covers. */
const toldBy: Readonly<Partial<Record<MessageId, MessageId>>> = {
  'helper-unused': 'related-without-helper',
  'helper-blind-to-tls': 'helper-sees-no-tls',
};

const order: readonly Level[] = ['fault', 'note', 'fine'];

/** Examines the sources of a host and returns the findings in order of importance. Pure. */
export function examineHost(sources: HostSources): Finding[] {
  const facts = readFacts(sources);
  const findings = [...checkSubject(facts), ...checks.flatMap((check) => check(facts))];
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

/** Whether there is anything about FTP to examine. */
function checkSubject(facts: Facts): Finding[] {
  const { servers, pinhole, sources } = facts;
  if (pinhole?.seen) {
    const { sign } = pinhole.seen;
    const remedies = [remedy('shell', 'npx pinhole doctor --host --pinhole-config FILE')];
    return [note('pinhole-without-config', { values: { sign }, remedies })];
  }
  if (pinhole && pinhole.config === undefined) {
    const file = sources.pinhole?.file ?? '';
    const remedies = [remedy('shell', `npx pinhole run --config ${file} --check`)];
    return [fault('pinhole-config-refused', { file, remedies })];
  }
  // A gateway has none of its own.
  const isGateway = forwardingOf(facts, 21) !== undefined;
  return servers.length > 0 || pinhole || isGateway ? [] : [note('no-server-found')];
}
