import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import type { Finding } from '../finding.ts';
import { endpointIn } from './check-passive.ts';
import { EndedError, LostError, type ControlConnection } from './control-connection.ts';
import type { Pinhole } from './pinhole.ts';
import { openPassiveRange } from './remedies.ts';
import { openSession, RefusedError, type Visit } from './visit.ts';

/** Of a range of a hundred ports, fewer than five different ones in twelve choices come once in 10^9 times. */
const times = 12;
const fewest = 5;

/** Up to so many ports, sessions that hold one each show how many there are. */
const mostHeld = 8;
/** Of a range of twelve ports, no more than eight different ones in so many choices come once in 10^4 times. */
const timesToBeSure = 36;

/** What PASV after PASV gave in one session. */
interface Draws {
  readonly ports: readonly number[];
  /** The reply that named no port; '…' where the server ended the session instead. */
  readonly refusal?: string;
}

/**
 * How many passive ports there are, as far as it can be seen from outside.
 *
 * @param earlier ports that this session was given before
 */
export async function checkRange(
  visit: Visit,
  control: ControlConnection,
  earlier: readonly number[],
): Promise<void> {
  let draws = await draw(visit, control, times);
  let given = different([...earlier, ...draws.ports]);
  if (draws.refusal === undefined && given.length <= mostHeld) {
    const more = await draw(visit, control, timesToBeSure - times);
    draws = { ...more, ports: [...draws.ports, ...more.ports] };
    given = different([...earlier, ...draws.ports]);
  }
  if (draws.refusal !== undefined) {
    visit.say(refused(given, draws.refusal, visit.pinhole));
    // It gives its ports back.
    control.close();
    return;
  }
  if (given.length > mostHeld) return;
  const finding =
    (await withMoreSessions(visit, control, given.length)) ?? judgeRange(draws.ports, visit.pinhole);
  if (finding) visit.say(finding);
}

async function draw(visit: Visit, control: ControlConnection, count: number): Promise<Draws> {
  const ports: number[] = [];
  while (ports.length < count) {
    const reply = await announcement(control);
    if (reply === undefined) return { ports, refusal: '…' };
    const port = endpointIn('PASV', reply, visit.reached)?.port;
    if (port === undefined) return { ports, refusal: textOf(reply) };
    ports.push(port);
  }
  return { ports };
}

/** The reply to PASV; undefined where the server ended the session: vsftpd without a free port may do that. */
async function announcement(control: ControlConnection): Promise<Reply | undefined> {
  try {
    return await control.answer('PASV');
  } catch (error) {
    if (error instanceof LostError && error.silence !== 'silent') return undefined;
    throw error;
  }
}

function different(ports: readonly number[]): number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** @param ports one of each PASV */
export function judgeRange(ports: readonly number[], pinhole: Pinhole = 'absent'): Finding | undefined {
  const given = different(ports);
  if (ports.length < times || given.length >= fewest) return undefined;
  return {
    id: 'passive-range-small',
    level: 'note',
    values: { count: ports.length, ports: given.join(', ') },
    remedies: openPassiveRange(pinhole),
  };
}

/** While sessions wait for their data connections, another one asks for a port. */
async function withMoreSessions(
  visit: Visit,
  first: ControlConnection,
  most: number,
): Promise<Finding | undefined> {
  const others: ControlConnection[] = [];
  try {
    if (!endpointIn('PASV', await first.ask('PASV'), visit.reached)) return undefined;
    while (others.length < most) {
      const next = await openSession(visit);
      others.push(next);
      const reply = await announcement(next);
      if (reply?.code !== 227) return exhausted(others.length, reply ? textOf(reply) : '…', visit.pinhole);
    }
    return undefined;
  } catch (error) {
    // Of the first, the examination says itself what it lacks without it.
    if (others.length === 0) throw error;
    if (error instanceof LostError || error instanceof EndedError) return undefined;
    if (error instanceof RefusedError)
      return fewSessions(others.length + 1, most, textOf(error.reply), visit.pinhole);
    throw error;
  } finally {
    for (const other of others) other.close();
  }
}

/** @param waiting how many sessions hold a port each */
function exhausted(waiting: number, reply: string, pinhole: Pinhole): Finding {
  const remedies = openPassiveRange(pinhole);
  return waiting === 1
    ? { id: 'passive-range-exhausted', level: 'fault', values: { reply }, remedies }
    : { id: 'passive-range-few', level: 'note', values: { count: waiting, reply }, remedies };
}

/**
 * Pure-FTPd admits half as many clients as its range has ports.
 *
 * @param sessions how many there were
 */
function fewSessions(sessions: number, ports: number, reply: string, pinhole: Pinhole): Finding {
  return {
    id: 'passive-range-few-sessions',
    level: 'note',
    values: { count: sessions, ports, reply },
    remedies: openPassiveRange(pinhole),
  };
}

function refused(given: readonly number[], reply: string, pinhole: Pinhole): Finding {
  return {
    id: 'passive-range-refused',
    level: 'fault',
    values: { count: given.length, ports: given.join(', '), reply },
    remedies: openPassiveRange(pinhole),
  };
}
