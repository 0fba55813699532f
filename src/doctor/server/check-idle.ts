import { setTimeout as delay } from 'node:timers/promises';
import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { fine, type Finding } from '../finding.ts';
import { LostError, type ControlConnection, type Silence } from './control-connection.ts';
import { idleFor, keepAlive } from './remedies.ts';
import { openSession, seconds, type Visit } from './visit.ts';

/**
 * Whether a control connection survives a silence. Returns the finding for later, because this test runs in parallel
 * with all others.
 */
export async function checkIdle(visit: Visit, idle: number): Promise<Finding> {
  const control = await openSession(visit);
  try {
    const begin = performance.now();
    const timer = new AbortController();
    await Promise.race([control.ended, delay(idle, undefined, { signal: timer.signal })]);
    timer.abort();
    const silent = performance.now() - begin;
    return judgeIdle(await afterwards(control), silent, idle);
  } finally {
    control.close();
  }
}

/** What the server sends by itself, or as the reply to a NOOP. */
async function afterwards(control: ControlConnection): Promise<Reply | Silence> {
  const said = await control.next(0);
  if (said !== 'silent') return said;
  try {
    return await control.answer('NOOP');
  } catch (error) {
    if (error instanceof LostError) return error.silence;
    throw error;
  }
}

/**
 * @param silent how long it was idle, in milliseconds
 * @param wanted how long it should be able to be
 */
function judgeIdle(answer: Reply | Silence, silent: number, wanted: number): Finding {
  const values = { seconds: seconds(silent) };
  if (answer === 'silent') return { id: 'idle-silent', level: 'fault', values, remedies: keepAlive };
  if (typeof answer === 'string') return { id: 'idle-closed', level: 'fault', values, remedies: keepAlive };
  if (answer.code === 421) {
    const limit = Math.ceil(wanted / 1000) + 60;
    return {
      id: 'idle-timeout',
      level: 'fault',
      values: { ...values, reply: textOf(answer) },
      remedies: idleFor(limit),
    };
  }
  return fine('idle-fine', values);
}
