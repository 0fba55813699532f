import type { Socket } from 'node:net';
import { isPreliminary } from '../../ftp/reply.ts';
import type { Reply } from '../../ftp/whole-replies.ts';
import { LostError, isDone, type ControlConnection } from './control-connection.ts';

/** `unfinished`: it began and did not end in time. */
export type Listing = 'done' | 'unfinished' | Reply;

/** Asks for the names in the user's folder and reads them from a data connection that is there already. */
export async function list(control: ControlConnection, data: Socket): Promise<Listing> {
  // ProFTPD sends 226 only after this side has ended too.
  data.once('end', () => data.end());
  data.resume();
  try {
    return await finish(control, await control.ask('NLST'));
  } catch (error) {
    if (error instanceof LostError && error.silence === 'silent') return 'unfinished';
    throw error;
  } finally {
    data.destroy();
  }
}

/** From the first reply to an NLST on. @throws LostError where the control connection ends */
export async function finish(control: ControlConnection, first: Reply): Promise<Listing> {
  if (!isPreliminary(first.code)) return isEmptyFolder(first) ? 'done' : first;
  const last = await control.next();
  if (last === 'silent') {
    // What comes late would be taken for the next command's reply.
    control.close();
    return 'unfinished';
  }
  if (typeof last === 'string') throw new LostError('NLST', last);
  return isDone(last) || isEmptyFolder(last) ? 'done' : last;
}

/** Some servers report an empty list as an error: 450 and 550 of RFC 959 section 4.2.2. */
function isEmptyFolder({ code }: Reply): boolean {
  return code === 450 || code === 550 || isDone({ code, lines: [] });
}

/** RFC 2228: 521 data connection cannot be opened with this PROT setting; 522 in vsftpd and others. */
export function needsTls(reply: Reply): boolean {
  return reply.code === 521 || reply.code === 522;
}
