import type { Finding } from '../finding.ts';
import { endpointIn } from './check-passive.ts';
import { LostError, textOf, type ControlConnection } from './control-connection.ts';
import { openRange, passiveRange } from './remedies.ts';
import { openSession, type Visit } from './visit.ts';

/** Of a range of a hundred ports, fewer than five different ones in twelve choices come once in 10^9 times. */
const times = 12;
const fewest = 5;

/** How many passive ports there are, as far as it can be seen from outside. */
export async function checkRange(visit: Visit, control: ControlConnection): Promise<void> {
  const ports: number[] = [];
  for (let count = 0; count < times; count++) {
    const port = endpointIn('PASV', await control.ask('PASV'), visit.reached)?.port;
    if (port === undefined) break;
    ports.push(port);
  }
  const small = judgeRange(ports);
  if (!small) return;
  const exhausted = await withSecondSession(visit, control);
  visit.say(exhausted ?? small);
}

/** @param ports one of each PASV */
export function judgeRange(ports: readonly number[]): Finding | undefined {
  const different = [...new Set(ports)].sort((a, b) => a - b);
  if (ports.length < times || different.length >= fewest) return undefined;
  return {
    id: 'passive-range-small',
    level: 'note',
    values: { count: ports.length, ports: different.join(', ') },
    remedies: [...passiveRange, ...openRange],
  };
}

/** While the first session waits for its data connection, a second one asks for a port. */
async function withSecondSession(visit: Visit, first: ControlConnection): Promise<Finding | undefined> {
  const second = await openSession(visit);
  try {
    const held = endpointIn('PASV', await first.ask('PASV'), visit.reached);
    const reply = await second.ask('PASV');
    if (!held || reply.code === 227) return undefined;
    return exhausted(textOf(reply));
  } catch (error) {
    // vsftpd replies "500 OOPS: vsf_sysutil_bind" or ends the session.
    if (error instanceof LostError && error.command === 'PASV') return exhausted('…');
    throw error;
  } finally {
    second.close();
  }
}

function exhausted(reply: string): Finding {
  return {
    id: 'passive-range-exhausted',
    level: 'fault',
    values: { reply },
    remedies: [...passiveRange, ...openRange],
  };
}
