import { isFault, type Finding } from '../finding.ts';
import { isByKernelPlane, notKnown } from './check-firewall.ts';
import { controlPorts, forwardingOf, hasHelper, wayTo, type Facts } from './facts.ts';
import type { Firewall, Packet } from './firewall.ts';
import { hasRange, passiveRange } from './ftp-service.ts';
import { letsAllIn, verdictFor } from './openness.ts';
import { establishedRemedy } from './remedies.ts';
import { fault } from './say.ts';

/** Whether what comes after the first packet of a connection passes too, in both directions. */
export function checkAnswers(facts: Facts): Finding[] {
  if (facts.pinhole && facts.front.length === 0) return [];
  return facts.firewalls
    .filter(({ family }) => family === 4)
    .flatMap((firewall) => {
      const isSubject = facts.front.length > 0 || !letsAllIn(firewall);
      const ports = isSubject ? controlPorts(facts) : [];
      for (const port of ports) {
        const found = checkConnection(facts, firewall, port);
        if (found.length > 0) return found;
      }
      return [];
    });
}

function checkConnection(facts: Facts, firewall: Firewall, controlPort: number): Finding[] {
  const way = wayTo(facts, firewall, controlPort);
  const service = facts.front.find((each) => each.controlPort === controlPort);
  const port = forwardingOf(facts, controlPort)?.inside ?? controlPort;
  const hasData = service !== undefined && hasRange(service) && service.isPassive && !isByKernelPlane(facts);
  const data = service && hasRange(service) ? passiveRange(service).first : 65535;
  const packets: Packet[] = [
    { ...way, port },
    ...(hasData ? [{ ...way, port: data }] : []),
    ...(hasHelper(facts, controlPort) ? [{ ...way, port: data, state: 'related' } as const] : []),
  ];
  // Rules alone may be of a host that serves no FTP.
  const isMeant = service !== undefined || way.isForwarded === true;
  const findings = packets.flatMap((packet) => checkDirections(firewall, packet, isMeant));
  // One remedy lets through what belongs to any connection.
  return [...findings.filter(isFault), ...findings].slice(0, 1);
}

/**
 * `iptables -A INPUT -m state --state NEW -p tcp --dport 21 -j ACCEPT`, and nothing for the packets after it
 *
 * @param isMeant whether the connection is wanted where its first packet is blocked: that is named elsewhere, and its
 *   remedy does not let through the answers
 */
function checkDirections(firewall: Firewall, first: Packet, isMeant: boolean): Finding[] {
  const isOpen = verdictFor(firewall, first).kind === 'open';
  if (!isOpen && !isMeant) return [];
  const later: Packet = { ...first, state: 'established' };
  const hook = first.hook === 'input' ? 'output' : 'forward';
  const answer = { ...later, hook, isReply: true } as const;
  const doubts: Finding[] = [];
  for (const packet of isOpen ? [later, answer] : [answer]) {
    const verdict = verdictFor(firewall, packet);
    if (verdict.kind === 'closed') {
      const { chain } = verdict;
      const values = { port: packet.port, chain: chain.name };
      const remedies = [establishedRemedy(firewall, verdict)];
      return [fault('established-dropped', { values, file: firewall.file, line: chain.line, remedies })];
    }
    const range = { first: packet.port, last: packet.port };
    doubts.push(...notKnown(firewall, [{ range, answer: verdict }]));
  }
  return isOpen ? doubts : [];
}
