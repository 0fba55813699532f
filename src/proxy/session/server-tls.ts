import { LineReader } from '../../ftp/lines.ts';
import { isCompletion, isPreliminary, ReplyReader } from '../../ftp/reply.ts';
import type { Channel, TlsChannel } from '../../net/channel.ts';
import { messageOf } from '../../net/error.ts';
import type { ServerTlsSession } from '../../tls/for-server.ts';

/** How the control channel to the server becomes TLS. */
export interface ServerTlsPlan {
  readonly tls: ServerTlsSession;
  /** `implicit`: TLS from the first byte; `explicit`: by AUTH TLS. */
  readonly kind: 'explicit' | 'implicit';
  /** Whether the server's data channels use TLS, whatever the client requests. */
  readonly protectsData: boolean;
  /** Milliseconds for each reply. */
  readonly timeout: number;
}

/** TLS with the server could not be set up. */
export class ServerTlsError extends Error {
  override readonly name = 'ServerTlsError';
  /** The refusal that it sent instead of a greeting; the client gets it. */
  readonly greeting: string | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly greeting?: string } = {}) {
    super(message, options);
    this.greeting = options.greeting;
  }
}

/**
 * Makes a new control channel to the server TLS, before the client hears of the server.
 *
 * @param channel paused, as it was connected; it is closed where this fails
 * @returns with the greeting, where it has been read, for the client
 * @throws {ServerTlsError}
 */
export async function openWithTls(
  channel: Channel,
  plan: ServerTlsPlan,
): Promise<{ readonly channel: TlsChannel; readonly greeting: string | undefined }> {
  try {
    if (plan.kind === 'implicit') {
      const secured = await secure(channel, plan);
      const greeting = plan.protectsData ? await readGreeting(secured, plan) : undefined;
      await protectData(secured, plan);
      return { channel: secured, greeting };
    }
    const greeting = await readGreeting(channel, plan);
    const { code, text } = await ask(channel, 'AUTH TLS', plan.timeout);
    if (code !== 234) throw new ServerTlsError(`the server refused AUTH TLS: ${text.trim().slice(0, 500)}`);
    const secured = await secure(channel, plan);
    await protectData(secured, plan);
    return { channel: secured, greeting };
  } catch (error) {
    channel.stream.destroy();
    if (error instanceof ServerTlsError) throw error;
    throw new ServerTlsError(messageOf(error), { cause: error });
  }
}

/** The server has replied 234 to the client's own AUTH: makes its control channel TLS. */
export async function followWithTls(channel: Channel, plan: ServerTlsPlan): Promise<TlsChannel> {
  const secured = await secure(channel, plan);
  await protectData(secured, plan);
  return secured;
}

/** The client has asked for what PROT P asks for, by another word that the server did not hear or may not know. */
export async function followWithData(channel: Channel, plan: ServerTlsPlan): Promise<Channel> {
  await protectData(channel, { ...plan, protectsData: true });
  return channel;
}

async function secure(channel: Channel, { tls }: ServerTlsPlan): Promise<TlsChannel> {
  if (channel.kind === 'tls') throw new ServerTlsError('TLS in TLS');
  return tls.control(channel.stream);
}

async function readGreeting(channel: Channel, { timeout }: ServerTlsPlan): Promise<string> {
  const { code, text } = await ask(channel, undefined, timeout);
  // If the server refuses, the session ends: it never continues in clear.
  if (!isCompletion(code))
    throw new ServerTlsError("the server's greeting was a refusal", { greeting: text });
  return text;
}

/** RFC 4217 section 9: PBSZ has to come before PROT. */
async function protectData(channel: Channel, { protectsData, timeout }: ServerTlsPlan): Promise<void> {
  if (!protectsData) return;
  for (const command of ['PBSZ 0', 'PROT P']) {
    const { code, text } = await ask(channel, command, timeout);
    if (!isCompletion(code))
      throw new ServerTlsError(`the server refused ${command}: ${text.trim().slice(0, 500)}`);
  }
}

interface Reply {
  readonly code: number;
  /** All its lines with their ends. */
  readonly text: string;
}

/** Sends a command and reads its final reply; nothing may follow that. The channel is paused before and after. */
function ask(channel: Channel, command: string | undefined, timeout: number): Promise<Reply> {
  const { stream } = channel;
  const lines = new LineReader();
  const replies = new ReplyReader();
  const what = command === undefined ? 'greeting' : `reply to ${command}`;
  let text = '';
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined, code = 0): void => {
      clearTimeout(timer);
      channel.pause();
      stream.off('data', take).off('end', ended).off('error', failed).off('close', ended);
      if (error) reject(error);
      else resolve({ code, text });
    };
    const failed = (error: Error): void => {
      settle(error);
    };
    const ended = (): void => {
      settle(new ServerTlsError(`the server closed the connection without a ${what}`));
    };
    const timer = setTimeout(() => {
      settle(new ServerTlsError(`no ${what} within ${timeout / 1000} s`));
    }, timeout);
    const take = (chunk: Buffer): void => {
      lines.push(chunk);
      for (let line = lines.next(); line; line = lines.next()) {
        text += line.text + line.end;
        // The rest of an overlong line begins no reply.
        if (line.piece === 'more') continue;
        const part = replies.push(line.text);
        if ((part.kind !== 'single' && part.kind !== 'last') || isPreliminary(part.code)) continue;
        // Bytes from before the handshake must not count as part of it.
        if (lines.size > 0) settle(new ServerTlsError(`the server sent more after its ${what}`));
        else settle(undefined, part.code);
        return;
      }
      if (lines.size + text.length > mostText) settle(new ServerTlsError(`the ${what} is too long`));
    };
    stream.on('data', take).on('end', ended).on('error', failed).on('close', ended);
    if (command !== undefined) stream.write(`${command}\r\n`);
    channel.resume();
  });
}

/** The longest reply that is read, in bytes. */
const mostText = 65_536;
