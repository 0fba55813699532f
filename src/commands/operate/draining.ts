import type { StatusAnswer } from '../../admin/status-answer.ts';
import { retiredBeside } from '../../admin/socket.ts';
import { retiredPath } from '../../config/admin.ts';
import { clientAt, findRelay, pathsToTry, type AdminClient } from './admin-client.ts';

/** What belongs to a process that drains has its process id; undefined: to the one that serves. */
export interface OfProcess {
  readonly process?: number | undefined;
}

/** A process that goes on with its sessions while its successor serves (`drain-timeout`). */
interface Draining {
  readonly pid: number;
  readonly relay: AdminClient;
  readonly status: StatusAnswer;
}

/** The process at the socket, and those that drain beside it. */
export interface Relays {
  /** undefined: only those that drain are left. */
  readonly serving: AdminClient | undefined;
  readonly draining: readonly Draining[];
}

/** As `findRelay`, with those that drain. @throws where none answers */
export async function findRelays(given: string | undefined): Promise<Relays> {
  try {
    const serving = await findRelay(given);
    return { serving, draining: await drainingBeside(serving.path) };
  } catch (error) {
    for (const path of pathsToTry(given)) {
      const draining = await drainingBeside(path);
      if (draining.length > 0) return { serving: undefined, draining };
    }
    throw error;
  }
}

/** What all of them have of a kind, with whose it is. Who drains may end meanwhile, and has nothing then. */
export async function entriesOf<T>(
  { serving, draining }: Relays,
  key: 'sessions' | 'expectations' | 'data',
): Promise<(T & OfProcess)[]> {
  const ask = async (relay: AdminClient, process: number | undefined): Promise<(T & OfProcess)[]> => {
    const answer = await relay.get<Readonly<Partial<Record<string, readonly T[]>>>>(`/v1/${key}`);
    return (answer[key] ?? []).map((entry) => ({ ...entry, process }));
  };
  const asked = [
    ...(serving ? [ask(serving, undefined)] : []),
    ...draining.map(({ relay, pid }) => ask(relay, pid).catch(() => [])),
  ];
  return (await Promise.all(asked)).flat();
}

/** The number of a session as it is shown and typed: `7`, or `4711:7` for that of a process that drains. */
export function sessionText(id: number, { process }: OfProcess): string {
  return process === undefined ? String(id) : `${process}:${id}`;
}

/** Those whose sockets are beside this one. A socket that a dead process has left is none. */
export async function drainingBeside(path: string): Promise<Draining[]> {
  const found = await Promise.all(
    retiredBeside(path).map(async (pid) => {
      const relay = clientAt(retiredPath(path, pid));
      try {
        return [{ pid, relay, status: await relay.get<StatusAnswer>('/v1/status') }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}
