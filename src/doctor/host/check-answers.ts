import { formatPortRange, type PortRange } from '../../net/port-range.ts';
import type { Finding } from '../finding.ts';
import { isByKernelPlane, notKnown, someOf, suggested } from './check-firewall.ts';
import { controlPorts, forwardingOf, hasHelper, wayTo, type Facts } from './facts.ts';
import type { Chain, Firewall, Passage, Table } from './firewall.ts';
import { hasRange, passiveRange } from './ftp-service.ts';
import { letsAllIn, verdictsFor, type Part, type Verdict } from './openness.ts';
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
  const hasData =
    service?.isPassive === true &&
    (hasRange(service) || service.isPartial !== true) &&
    !isByKernelPlane(facts);
  const data = service && hasRange(service) ? passiveRange(service) : suggested;
  const connections: Connections[] = [
    { way, range: { first: port, last: port } },
    ...(hasData ? [{ way, range: data }] : []),
    ...(hasHelper(facts, controlPort) ? [{ way: { ...way, state: 'related' } as const, range: data }] : []),
  ];
  // Rules alone may be of a host that serves no FTP.
  const isMeant = service !== undefined || way.isForwarded === true;
  const parts = connections.flatMap((each) => laterParts(firewall, each, isMeant));
  const faults = closedChains(firewall, parts);
  return faults.length > 0 ? faults : notKnown(firewall, parts).slice(0, 1);
}

/** Those to a range of ports, by their first packets. */
interface Connections {
  readonly way: Passage;
  readonly range: PortRange;
}

/**
 * What becomes of the packets after the first one, in both directions.
 *
 * @param isMeant whether connections are wanted where their first packet is blocked: that is named elsewhere, and its
 *   remedy does not let through the answers
 */
function laterParts(firewall: Firewall, { way, range }: Connections, isMeant: boolean): Part<Verdict>[] {
  const later: Passage = { ...way, state: 'established' };
  const answer: Passage = { ...later, hook: way.hook === 'input' ? 'output' : 'forward', isReply: true };
  return verdictsFor(firewall, range, way).flatMap((part) => {
    if (part.answer.kind === 'open')
      return [later, answer].flatMap((each) => verdictsFor(firewall, part.range, each));
    return isMeant
      ? verdictsFor(firewall, part.range, answer).filter(({ answer: { kind } }) => kind === 'closed')
      : [];
  });
}

/** `iptables -A INPUT -m state --state NEW -p tcp --dport 21 -j ACCEPT`, and nothing for the packets after it */
function closedChains(firewall: Firewall, parts: readonly Part<Verdict>[]): Finding[] {
  const closed = new Map<Chain, { readonly table: Table; readonly ports: Set<string> }>();
  for (const { range, answer } of parts) {
    if (answer.kind !== 'closed') continue;
    const { table, ports } = closed.get(answer.chain) ?? { table: answer.table, ports: new Set() };
    closed.set(answer.chain, { table, ports: ports.add(formatPortRange(range)) });
  }
  return [...closed].map(([chain, { table, ports }]) => {
    const values = { ports: someOf([...ports]), chain: chain.name };
    const remedies = [establishedRemedy(firewall, { table, chain })];
    return fault('established-dropped', { values, file: firewall.file, line: chain.line, remedies });
  });
}
