import { once } from 'node:events';
import { CommandLines, type CommandLine } from './command-lines.ts';
import { execute } from './commands.ts';
import type { Session } from './session.ts';
import { status } from './transfers.ts';

/** A client that sends more commands than these before it reads a reply is made to wait. */
const maxQueued = 256;
const maxUnreadReplies = 64 * 1024;

/**
 * Serves one control connection until it ends. Commands are run in the order in which they came, each after
 * the last reply of the one before it; only ABOR and STAT reach over a transfer that is under way (RFC 959,
 * section 4.1.3).
 */
export async function serve(session: Session): Promise<void> {
  const { control } = session;
  const queue = watch(session);
  session.reply(220, 'In-memory FTP server ready');
  for (let line = await queue.next(); line !== undefined; line = await queue.next()) {
    if (line.kind === 'bad') session.reply(500, line.problem);
    else await execute(session, line.verb, line.argument);
    if (control.writableEnded) break;
    if (control.writableLength > maxUnreadReplies) await drained(session);
  }
  session.setDataPort(undefined);
  finish(session);
}

/** Reads the control connection into a queue of commands. */
function watch(session: Session): { next(): Promise<CommandLine | undefined> } {
  const { control, settings } = session;
  const lines = new CommandLines();
  const queue: CommandLine[] = [];
  let ended = false;
  let wake = (): void => undefined;
  const has = (verb: string): boolean => queue.some((line) => line.kind === 'command' && line.verb === verb);

  const overtake = (): void => {
    if (session.transfer?.begun === true) answerStatus(session, queue);
    // RFC 959, section 4.1.1: a connection that ends without QUIT has the effect of ABOR.
    if (has('ABOR') || (ended && !has('QUIT'))) session.transfer?.abort();
  };
  session.onTransfer = overtake;

  control.setTimeout(settings.limits.idle, () => {
    if (session.transfer !== undefined || control.writableEnded) return;
    session.reply(421, 'Nothing came for too long, closing');
    control.destroySoon();
  });
  control.on('data', (bytes) => {
    queue.push(...lines.push(bytes));
    if (queue.length > maxQueued) control.pause();
    overtake();
    wake();
  });
  const end = (): void => {
    ended = true;
    overtake();
    wake();
  };
  control.on('end', end);
  control.on('close', () => {
    queue.length = 0;
    end();
  });

  return {
    async next() {
      while (queue.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      const line = queue.shift();
      if (queue.length <= maxQueued / 2) control.resume();
      return line;
    },
  };
}

/** Answers the STAT commands that stand first in the queue. */
function answerStatus(session: Session, queue: CommandLine[]): void {
  for (let line = queue[0]; line?.kind === 'command' && line.verb === 'STAT'; line = queue[0]) {
    queue.shift();
    status(session, line.argument);
  }
}

/** Waits until the client has read its replies; the idle limit ends a wait that is in vain. */
async function drained({ control }: Session): Promise<void> {
  const wait = new AbortController();
  control.once('close', () => {
    wait.abort();
  });
  await once(control, 'drain', { signal: wait.signal }).catch(() => undefined);
}

/** Sends FIN, and reads on until the client's: closing over unread bytes would take the last reply away. */
function finish({ control, settings }: Session): void {
  control.resume();
  control.end();
  control.setTimeout(settings.limits.dataConnection, () => control.destroy());
}
