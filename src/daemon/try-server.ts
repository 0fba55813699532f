import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { ServerAddress } from '../config/kinds.ts';
import { textOf, WholeReplies, type Reply } from '../ftp/whole-replies.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import { dial, NoAnswerError } from '../net/dial.ts';
import { codeOrMessageOf, messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import type { TlsForServer } from '../tls/for-server.ts';

/** What is tried, and how. */
interface Trial {
  readonly server: ServerAddress;
  /** The server in words. */
  readonly at: string;
  readonly serverTls: Config['serverTls'];
  readonly forServer: TlsForServer | undefined;
  /** Milliseconds for the connection, and for each reply. */
  readonly timeout: number;
}

/**
 * Connects to the server as a session does, and reads its greeting; TLS as `server-tls` has it.
 *
 * @returns what was seen, one line
 * @throws {Error} one line: what failed, and what to do
 */
export async function tryServer(config: Config, forServer: TlsForServer | undefined): Promise<string> {
  const { server, intercept, serverTls, connectTimeout: timeout } = config;
  if (!server) {
    return intercept
      ? 'No server is named, and none was tried: intercept leads each client to the server that it addresses.'
      : 'No server is named, and none was tried: Pinhole starts its own in memory.';
  }
  const trial = { server, at: `${server.host} port ${server.port}`, serverTls, forServer, timeout };
  await lookUp(trial);
  const socket = await connected(trial);
  try {
    return await converse(socket, trial);
  } catch (error) {
    socket.destroy();
    throw new Error(`server: ${messageOf(error)}`, { cause: error });
  }
}

async function lookUp({ server: { host }, timeout }: Trial): Promise<void> {
  if (isIP(host) !== 0) return;
  const done = new AbortController();
  const limit = delay(timeout, 'no answer', { signal: done.signal });
  const code = await Promise.race([lookup(host).then(() => undefined, codeOrMessageOf), limit]);
  done.abort();
  limit.catch(ignoreError);
  if (code === undefined) return;
  throw new Error(
    `server: the name ${host} has no address (${code}): correct server, or add the name to the DNS or /etc/hosts`,
  );
}

async function connected({ server, at, timeout }: Trial): Promise<Socket> {
  try {
    const socket = await dial(server, timeout).connected;
    socket.on('error', ignoreError);
    return socket;
  } catch (error) {
    throw new Error(`server: ${whyNoConnection(error, at, timeout)}`, { cause: error });
  }
}

function whyNoConnection(error: unknown, at: string, timeout: number): string {
  const code = codeOrMessageOf(error);
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') {
    return `${at} refuses the connection (${code}): start the FTP server there, or correct server`;
  }
  if (error instanceof NoAnswerError || code === 'ETIMEDOUT') {
    return `${at} did not answer within ${timeout / 1000} s: open the port for this host in the server's firewall, or correct server`;
  }
  return `${at} cannot be reached (${code}): check the route to it (ip route get), and the firewalls on the path`;
}

async function converse(socket: Socket, trial: Trial): Promise<string> {
  const { server, at, serverTls } = trial;
  const { remoteAddress = 'unknown' } = socket;
  const address = remoteAddress === server.host ? '' : ` (${remoteAddress})`;
  let channel: Channel = serverTls === 'implicit' ? await secured(socket, trial) : tcpChannel(socket);
  const greeting = await greetingOf(channel, trial);
  if (serverTls === 'explicit') channel = await securedByAuth(channel, socket, trial);
  // What is still to be sent keeps nobody waiting.
  socket.unref();
  channel.stream.end('QUIT\r\n', () => {
    socket.destroySoon();
  });
  const how = channel.kind === 'tcp' ? '' : ', and TLS with it works';
  return `The server ${at}${address} answers ${textOf(greeting)}${how}`;
}

async function secured(socket: Socket, { server, at, forServer }: Trial): Promise<Channel> {
  try {
    if (!forServer) throw new Error('it is not set up');
    const channel = await forServer.newSession(server.host).control(socket);
    channel.stream.on('error', ignoreError);
    return channel;
  } catch (error) {
    throw new Error(
      `TLS with ${at} failed: ${messageOf(error)}; check server-tls and the settings beside it`,
      {
        cause: error,
      },
    );
  }
}

async function securedByAuth(channel: Channel, socket: Socket, trial: Trial): Promise<Channel> {
  const { at, timeout } = trial;
  channel.stream.write('AUTH TLS\r\n');
  const reply = await nextReply(channel, timeout, () => true);
  if (typeof reply === 'string')
    throw new Error(`${at} did not answer AUTH TLS (${reply}); read the server's log`);
  if (reply.code !== 234) {
    throw new Error(
      `${at} refuses AUTH TLS: ${textOf(reply)}; turn on TLS at the server, or set server-tls to off or implicit`,
    );
  }
  return secured(socket, trial);
}

/** RFC 959 section 5.4: a 120 comes before the 220 of a server that is not ready yet; some send a 230 before it. */
async function greetingOf(channel: Channel, { at, timeout, serverTls }: Trial): Promise<Reply> {
  const hint = serverTls === 'implicit' ? '' : ', or expects TLS from the first byte (server-tls implicit)';
  const greeting = await nextReply(channel, timeout, ({ code }) => code !== 120 && code !== 230);
  if (greeting === 'silent') {
    throw new Error(
      `${at} sent no greeting within ${timeout / 1000} s: it hangs or looks up names${hint}; read its log`,
    );
  }
  if (greeting === 'closed') {
    throw new Error(
      `${at} closed the connection before a greeting: it does not admit this host${hint}; read its log`,
    );
  }
  if (greeting.code === 220) return greeting;
  const text = textOf(greeting);
  throw new Error(
    greeting.code < 400
      ? `${at} is not an FTP server: ${text}; correct the port in server`
      : `${at} refuses the session: ${text}; read its log`,
  );
}

/** More than any server sends in one reply. */
const mostLines = 1000;

/** The next reply that is the one looked for. The channel is paused before and after. */
function nextReply(
  channel: Channel,
  timeout: number,
  isIt: (reply: Reply) => boolean,
): Promise<Reply | 'silent' | 'closed'> {
  const { stream } = channel;
  const reader = new WholeReplies();
  return new Promise((resolve) => {
    const settle = (outcome: Reply | 'silent' | 'closed'): void => {
      clearTimeout(timer);
      channel.pause();
      stream.off('data', read).off('end', ended).off('close', ended);
      resolve(outcome);
    };
    const read = (chunk: Buffer): void => {
      const reply = reader.push(chunk).find(isIt);
      if (reply) settle(reply);
      else if (reader.openLines > mostLines) settle('silent');
    };
    const ended = (): void => {
      settle('closed');
    };
    const timer = setTimeout(settle, timeout, 'silent');
    stream.on('data', read).on('end', ended).on('close', ended);
    channel.resume();
  });
}
