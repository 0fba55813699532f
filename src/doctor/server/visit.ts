import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import type { Address } from '../../net/address.ts';
import type { Finding } from '../finding.ts';
import type { Pinhole } from './pinhole.ts';
import {
  type ControlConnection,
  ControlHandshakeError,
  EndedError,
  LostError,
  mostLines,
  mostReplies,
} from './control-connection.ts';

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
  /** Is told how many bytes the server sent without a pause: of one listing, or of one handshake. */
  readonly received: (bytes: number) => void;
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
    return { id: 'session-refused', level: 'unseen', values: { reply: textOf(error.reply) }, remedies: [] };
  }
  if (error instanceof EndedError) {
    const values = { command: verbOf(error.command), reply: textOf(error.reply) };
    return { id: 'session-ended', level: 'fault', values, remedies: [] };
  }
  if (error instanceof ControlHandshakeError) {
    return { id: 'tls-handshake-failed', level: 'fault', values: { code: error.message }, remedies: [] };
  }
  if (!(error instanceof LostError)) throw error;
  // Before the greeting no command has been sent.
  if (error.command === '') {
    return { id: 'session-missing', level: 'fault', values: { seconds: seconds(timeout) }, remedies: [] };
  }
  const command = verbOf(error.command);
  switch (error.silence) {
    case 'silent': {
      const values = { command, seconds: seconds(timeout) };
      return { id: 'command-unanswered', level: 'fault', values, remedies: [] };
    }
    case 'endless': {
      const values = { command, lines: mostLines, replies: mostReplies };
      return { id: 'reply-endless', level: 'fault', values, remedies: [] };
    }
    case 'closed':
    case 'reset':
      return { id: 'control-lost', level: 'fault', values: { command }, remedies: [] };
  }
}

/** The verb alone: an argument may be a password. */
function verbOf(command: string): string {
  return command.split(' ')[0] ?? '';
}

/** Milliseconds in seconds, with one decimal if that matters. */
export function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
