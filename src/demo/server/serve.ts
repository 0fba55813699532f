import { parseCommand, type Command } from '../../ftp/command.ts';
import { LineReader, type Line } from '../../ftp/lines.ts';
import { execute } from './commands.ts';
import { limits, type Session } from './session.ts';
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
  session.reply([220, 'In-memory FTP server ready']);
  for await (const command of commandsOf(session)) {
    const reply = typeof command === 'string' ? ([500, command] as const) : await execute(session, command);
    session.reply(reply);
    if (reply[0] === 221) break;
  }
  session.setDataPort(undefined);
  // FIN, and reading on until the client's: closing over unread bytes would take the last reply away.
  control.resume();
  control.end();
  control.setTimeout(limits.dataConnection, () => control.destroy());
}

/** The commands that come, or what is wrong with a line, each when it is asked for and the client reads its replies. */
async function* commandsOf(session: Session): AsyncGenerator<Command | string> {
  const { control } = session;
  const reader = new LineReader();
  const queue: (Command | string)[] = [];
  let isEnded = false;
  let wake = (): void => undefined;
  const has = (verb: string): boolean => queue.some((each) => typeof each !== 'string' && each.verb === verb);
  const waits = (): boolean => (queue.length === 0 ? !isEnded : control.writableLength > maxUnreadReplies);

  const overtake = (): void => {
    if (session.transfer?.begun === true) answerStatus(session, queue);
    // RFC 959, section 4.1.1: a connection that ends without QUIT has the effect of ABOR.
    if (has('ABOR') || (isEnded && !has('QUIT'))) session.transfer?.abort();
    wake();
  };
  session.onTransfer = overtake;
  control.setTimeout(limits.idle, () => {
    if (session.transfer !== undefined || control.writableEnded) return;
    session.reply([421, 'Idle for too long, closing']);
    control.destroySoon();
  });
  control.on('data', (bytes) => {
    reader.push(bytes);
    for (let line = reader.next(); line; line = reader.next()) {
      if (line.piece !== 'more') queue.push(read(line));
    }
    if (queue.length > maxQueued) control.pause();
    overtake();
  });
  control.on('end', () => {
    isEnded = true;
    overtake();
  });
  control.on('close', () => {
    isEnded = true;
    queue.length = 0;
    overtake();
  });
  control.on('drain', () => {
    wake();
  });

  for (;;) {
    while (waits()) await new Promise<void>((resolve) => (wake = resolve));
    const command = queue.shift();
    if (queue.length <= maxQueued / 2) control.resume();
    if (command === undefined) return;
    yield command;
  }
}

function read({ text, piece }: Line): Command | string {
  if (piece) return 'Line too long';
  const command = parseCommand(text.replace(/\r+$/, ''));
  return /[\0\r]/.test(command.plain) ? 'A command cannot contain NUL or CR' : command;
}

/** Answers the STAT commands that stand first in the queue. */
function answerStatus(session: Session, queue: (Command | string)[]): void {
  for (let next = queue[0]; typeof next === 'object' && next.verb === 'STAT'; next = queue[0]) {
    queue.shift();
    session.reply(status(session, next.argument));
  }
}
