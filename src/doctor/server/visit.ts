import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import type { Address } from '../../net/address.ts';
import type { Finding } from '../finding.ts';
import type { Pinhole } from './pinhole.ts';
import { type ControlConnection, ControlHandshakeError, LostError } from './control-connection.ts';

/** What the subjects of one examination share. */
export interface Visit {
  /** The address that was connected to. */
  readonly reached: Address;
  readonly port: number;
  readonly pinhole: Pinhole;
  readonly user: string;
  /** Milliseconds for one answer or one connection. */
  readonly timeout: number;
  readonly say: (finding: Finding) => void;
  /** A new connection that has read the greeting. @throws LostError, RefusedError */
  greeted(): Promise<ControlConnection>;
  /** Logs in on a connection. @throws LostError, RefusedError */
  login(control: ControlConnection): Promise<void>;
}

/** The server answered, and the answer was no. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(textOf(reply));
    this.reply = reply;
  }
}

/** A new connection, logged in. @throws LostError, RefusedError */
export async function openSession(visit: Visit): Promise<ControlConnection> {
  const control = await visit.greeted();
  try {
    await visit.login(control);
    return control;
  } catch (error) {
    control.close();
    throw error;
  }
}

/** The finding for a command without a reply. Rethrows every other error. */
export function lostFinding(error: unknown, timeout: number): Finding {
  if (error instanceof RefusedError) {
    return { id: 'session-refused', level: 'note', values: { reply: textOf(error.reply) }, remedies: [] };
  }
  if (error instanceof ControlHandshakeError) {
    return { id: 'tls-handshake-failed', level: 'fault', values: { code: error.message }, remedies: [] };
  }
  if (!(error instanceof LostError)) throw error;
  // Before the greeting no command has been sent.
  const command = error.command === '' ? '220' : nameOf(error.command);
  return error.silence === 'silent'
    ? {
        id: 'command-unanswered',
        level: 'fault',
        values: { command, seconds: seconds(timeout) },
        remedies: [],
      }
    : { id: 'control-lost', level: 'fault', values: { command }, remedies: [] };
}

/** The verb alone: an argument may be a password. */
function nameOf(command: string): string {
  return command.split(' ')[0] ?? '';
}

/** Milliseconds in seconds, with one decimal if that matters. */
export function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
