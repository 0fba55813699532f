import { formatPortRange, portIn } from '../../net/port-range.ts';
import { fine, type Finding } from '../finding.ts';
import { forwardingOf, isRouted, type Facts } from './facts.ts';
import { hasRange, passiveRange, portsOfService, type FtpService } from './ftp-service.ts';
import type { Listener } from './listening.ts';
import { isOfNode } from './pinhole-signs.ts';
import { fault, note, unseen } from './say.ts';

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
  return front.flatMap((service) => [
    ...portsOfService(service).map((port) => judgeControlPort(service, port, listeners, file)),
    ...checkRangeTaken(service, listeners, file),
  ]);
}

function judgeControlPort(
  { program, listenAddress }: FtpService,
  port: number,
  listeners: readonly Listener[],
  file: string,
): Finding {
  const there = listeners.filter((listener) => listener.port === port);
  const [first] = there;
  if (first === undefined) return fault('nobody-listens', { values: { program, port }, file });
  const place = { file, line: first.line };
  if (program === 'pinhole' && first.program !== undefined && !isOfNode(first)) {
    return fault('pinhole-port-taken', { values: { port, program: first.program }, ...place });
  }
  if (there.every(({ isLoopback }) => isLoopback) && listenAddress?.startsWith('127.') !== true) {
    return fault('listens-on-loopback', { values: { program, port }, ...place });
  }
  if (program !== 'pinhole' && first.program !== undefined && !isServer(first.program, program)) {
    return unseen('other-program-listens', {
      values: { port, program: first.program, expected: program },
      ...place,
    });
  }
  return fine('somebody-listens', { port, program: first.program ?? program });
}

/** Whether it is the server itself, or what starts it for each connection. */
function isServer(running: string, program: FtpService['program']): boolean {
  return running.startsWith(program) || /^(?:systemd|x?inetd|init|tcpserver|docker-proxy)/.test(running);
}

function checkRangeTaken(service: FtpService, listeners: readonly Listener[], file: string): Finding[] {
  const { program } = service;
  const range = passiveRange(service);
  const taken = listeners.find(
    (listener) => hasRange(service) && portIn([range], listener.port) && listener.program !== undefined,
  );
  const isOwn =
    taken?.program === program || (program === 'pinhole' && taken !== undefined && isOfNode(taken));
  if (taken === undefined || isOwn) return [];
  const values = { port: taken.port, program: taken.program ?? '', range: formatPortRange(range) };
  return [note('passive-port-taken', { values, file, line: taken.line })];
}
