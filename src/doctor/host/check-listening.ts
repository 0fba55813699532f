import { formatPortRange, portIn } from '../../net/port-range.ts';
import { fine, type Finding } from '../finding.ts';
import { forwardingOf, isRouted, type Facts } from './facts.ts';
import { hasRange, passiveRange } from './ftp-service.ts';
import { isOfNode } from './pinhole-signs.ts';
import { fault, note } from './say.ts';

/** Whether somebody listens where clients connect, and nobody where data connections will. */
export function checkListening(facts: Facts): Finding[] {
  const {
    listeners,
    sources: { listening },
  } = facts;
  // What is led on is served elsewhere.
  const front = facts.front.filter(
    ({ controlPort: port }) => !forwardingOf(facts, port) && !isRouted(facts, port),
  );
  if (listeners === undefined || front.length === 0) return [];
  const file = listening?.file ?? '';
  return front.flatMap((service) => {
    const { program, controlPort: port, listenAddress } = service;
    const there = listeners.filter((listener) => listener.port === port);
    const [first] = there;
    const findings: Finding[] = [];
    if (first === undefined) {
      findings.push(fault('nobody-listens', { values: { program, port }, file }));
    } else if (program === 'pinhole' && first.program !== undefined && !isOfNode(first)) {
      findings.push(
        fault('pinhole-port-taken', { values: { port, program: first.program }, file, line: first.line }),
      );
    } else if (there.every(({ isLoopback }) => isLoopback) && listenAddress?.startsWith('127.') !== true) {
      findings.push(fault('listens-on-loopback', { values: { program, port }, file, line: first.line }));
    } else {
      findings.push(fine('somebody-listens', { port, program: first.program ?? program }));
    }
    const range = passiveRange(service);
    const taken = listeners.find(
      (listener) => hasRange(service) && portIn([range], listener.port) && listener.program !== undefined,
    );
    const isOwn =
      taken?.program === program || (program === 'pinhole' && taken !== undefined && isOfNode(taken));
    if (taken && !isOwn) {
      const values = { port: taken.port, program: taken.program ?? '', range: formatPortRange(range) };
      findings.push(note('passive-port-taken', { values, file, line: taken.line }));
    }
    return findings;
  });
}
