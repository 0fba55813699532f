import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isPreliminary } from '../../ftp/reply.ts';
import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { ignoreError } from '../../net/socket.ts';
import type { Finding } from '../finding.ts';
import { LostError, isDone, type ControlConnection } from './control-connection.ts';
import type { Visit } from './visit.ts';

/** `unfinished`: it began and did not end in time; `ignored`: it did not begin in time. */
export type Listing = 'done' | 'unfinished' | 'ignored' | Reply;

/**
 * Asks for the user's folder and reads it from a data connection that is there already, over TLS where the control
 * connection has TLS.
 *
 * @param resumes whether TLS resumes the session of the control connection
 */
export async function list(
  control: ControlConnection,
  data: Socket,
  { timeout, received }: Pick<Visit, 'timeout' | 'received'>,
  resumes = false,
): Promise<Listing> {
  let channel = data;
  try {
    const first = await askForListing(control);
    // Before its 150 pyftpdlib takes a handshake for data that it did not ask for.
    if (control.isSecured && isPreliminary(first.code)) channel = control.protect(data, resumes);
    channel.on('error', ignoreError);
    // ProFTPD sends 226 only after this side has ended too.
    channel.once('end', () => channel.end());
    let bytes = 0;
    channel.on('data', ({ length }: Buffer) => {
      bytes += length;
    });
    channel.resume();
    const listing = await finish(control, first, endOf(channel), timeout);
    received(bytes);
    return listing;
  } catch (error) {
    if (!(error instanceof LostError && error.silence === 'silent')) throw error;
    // What comes late would be taken for the next command's reply.
    control.close();
    return 'ignored';
  } finally {
    channel.destroy();
    data.destroy();
  }
}

/** When the other side has ended a connection, or it is broken. */
export function endOf(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, resolve);
  });
}

function isWithin(timeout: number, event: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(timeout, false, { signal: timer.signal }).catch(() => false);
  return Promise.race([event.then(() => true), late]).finally(() => {
    timer.abort();
  });
}

/**
 * The first reply to NLST, or to LIST where the server refuses NLST itself: some servers do not know it, and some
 * refuse it for an empty folder. @throws LostError
 */
export async function askForListing(control: ControlConnection): Promise<Reply> {
  const names = await control.ask('NLST');
  if (!isCommandRefusal(names)) return names;
  const list = await control.ask('LIST');
  // A server that does not know NLST has not touched the data connection; another may have given it up.
  return isUnknownCommand(names) || isPreliminary(list.code) || isDone(list) ? list : names;
}

/**
 * From the first reply to a listing on.
 *
 * @param ended resolves when the data connection is over
 * @param timeout milliseconds for that
 * @throws LostError where the control connection ends
 */
export async function finish(
  control: ControlConnection,
  first: Reply,
  ended: Promise<void>,
  timeout: number,
): Promise<Listing> {
  if (!isPreliminary(first.code)) return isDone(first) ? 'done' : first;
  const last = await control.next();
  if (typeof last === 'string' && last !== 'silent') throw new LostError('NLST', last);
  if (last !== 'silent' && !isDone(last)) return isEmptyFolder(last) ? 'done' : last;
  // Some servers send 226 while the data is still under way, and it may never arrive.
  if (last !== 'silent' && (await isWithin(timeout, ended))) return 'done';
  // What comes late would be taken for the next command's reply; or none comes, as vsftpd waits for the data to leave.
  control.close();
  return 'unfinished';
}

/** Some servers report an empty list as an error: 450 and 550 of RFC 959 section 4.2.2. */
function isEmptyFolder({ code }: Reply): boolean {
  return code === 450 || code === 550;
}

/** RFC 959 section 4.2.1: x2z is about the connections. Every other refusal is one of the command. */
export function isCommandRefusal({ code }: Reply): boolean {
  return code >= 400 && Math.floor(code / 10) % 10 !== 2;
}

function isUnknownCommand({ code }: Reply): boolean {
  return code === 500 || code === 502 || code === 504;
}

/** The server lists nothing for this user: nothing was tried of the data connection but to open it. */
export function notListed(command: string, reply: Reply): Finding {
  return { id: 'listing-refused', level: 'unseen', values: { command, reply: textOf(reply) }, remedies: [] };
}

/** RFC 2228: 521 data connection cannot be opened with this PROT setting; 522 in vsftpd and others. */
export function needsTls(reply: Reply): boolean {
  return reply.code === 521 || reply.code === 522;
}
