import { textOf } from '../../ftp/whole-replies.ts';
import { replies } from '../../helper/replies.ts';
import { EndedError, LostError, type ControlConnection } from './control-connection.ts';

/** Whether Pinhole reads this dialogue. `unknown`: it may be one that passes TLS on unread. */
export type Pinhole = 'here' | 'absent' | 'unknown';

/**
 * RFC 1639's LPRT without an argument does nothing at any server, and Pinhole refuses it in words that no server has.
 * A PORT would not do: the kernel's helper drops one that it cannot read.
 */
export async function findPinhole(control: ControlConnection): Promise<Pinhole> {
  try {
    const reply = await control.ask('LPRT');
    if (textOf(reply) === replies.setUpNotServed('LPRT')) return 'here';
    return control.isSecured ? 'unknown' : 'absent';
  } catch (error) {
    if (!(error instanceof LostError || error instanceof EndedError)) throw error;
    // What comes late would be taken for the answer to another command.
    control.close();
    return 'unknown';
  }
}

/** Pinhole's own greetings: without a session with the server it has no other. */
const refusals: ReadonlySet<string> = new Set([
  replies.tooManySessions,
  replies.tooManySessionsOfClient,
  replies.tooManyNewSessions,
  replies.tooManyDescriptors,
  replies.loop,
  replies.destinationNotAllowed,
  replies.serverUnreachable,
  replies.serverClosed,
  replies.serverTlsFailed,
  replies.shutdownForNew,
]);

/** @param reply as text */
export function isGreetingOfPinhole(reply: string): boolean {
  return refusals.has(reply);
}
