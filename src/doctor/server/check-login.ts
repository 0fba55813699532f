import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { fine, type Finding } from '../finding.ts';
import { isDone, type ControlConnection, type Secured } from './control-connection.ts';
import { RefusedError } from './visit.ts';

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** @throws LostError; RefusedError with the server's answer */
export async function login(control: ControlConnection, { user, password }: Credentials): Promise<void> {
  let reply = await control.answer(`USER ${inBytes(user)}`);
  if (reply.code === 331) reply = await control.answer(`PASS ${inBytes(password)}`);
  // RFC 959 section 5.4: 332 asks for an account, which hardly any server has.
  if (!isDone(reply)) throw new RefusedError(reply);
}

/** The server demands TLS and refuses to begin it. */
export class TlsRefusedError extends RefusedError {}

/**
 * TLS, then the login, then data channels over TLS as well.
 *
 * @param secured is told of the handshake
 * @throws LostError, TlsRefusedError, RefusedError, the handshake's error
 */
export async function loginOverTls(
  control: ControlConnection,
  credentials: Credentials,
  name: string | undefined,
  secured: (how: Secured) => void,
): Promise<void> {
  const reply = await control.answer('AUTH TLS');
  if (reply.code !== 234) throw new TlsRefusedError(reply);
  secured(await control.secure(name));
  await login(control, credentials);
  await control.ask('PBSZ 0');
  await control.ask('PROT P');
}

/** Whether a login was refused because it lacked TLS. The code is 530, 550, 421 or 522, with various texts. */
export function demandsTls(reply: Reply): boolean {
  return reply.code >= 400 && /\b(?:tls|ssl|encrypt\w*|secure|use auth)\b/i.test(reply.lines.join(' '));
}

export function judgeLogin(outcome: Reply | undefined, user: string): Finding {
  if (!outcome) return fine('login-fine', { user });
  const values = { user, reply: textOf(outcome) };
  // RFC 959 section 5.4: no matter of the user, but of all sessions.
  if (outcome.code === 421) {
    return { id: 'greeting-refused', level: 'fault', values: { reply: values.reply }, remedies: [] };
  }
  if (user === 'anonymous') return { id: 'anonymous-refused', level: 'unseen', values, remedies: [] };
  return { id: 'login-refused', level: 'fault', values, remedies: [] };
}

/** A command line has no place for a line's end; the rest goes as UTF-8. */
function inBytes(text: string): string {
  return Buffer.from(text.replace(/[\r\n]/g, ''), 'utf8').toString('latin1');
}
