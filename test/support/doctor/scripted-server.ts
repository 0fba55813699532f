import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { parseExtendedHostPort } from '../../../src/ftp/extended-host-port.ts';
import { formatHostPort, parseHostPort } from '../../../src/ftp/host-port.ts';
import { replies } from '../../../src/helper/replies.ts';
import { parseAddress } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { ignoreError } from '../../../src/net/socket.ts';
import { selfSigned } from '../certificates.ts';

/** What the answers of one session need. */
export interface Session {
  /** TLS after `speakTls`. */
  socket: Socket;
  isSecured: boolean;
  /** How many sessions were before it. */
  readonly number: number;
  /** How many listings over TLS it was asked for, where a script counts them. */
  listings: number;
  /** Answers what comes from the socket. */
  hear: () => void;
  /** Begins to listen for a data connection, and returns the port. */
  listen(): Promise<number>;
  /** The listener or the client's announcement that NLST is to use. */
  data: { readonly taken: Promise<Socket> } | { readonly to: Endpoint } | undefined;
}

/** Lines without their CRLF; undefined: no answer. */
type Answer = string | undefined;
export type Script = Readonly<
  Record<string, Answer | ((argument: string, session: Session) => Answer | Promise<Answer>)>
>;

const loopback = '127.0.0.1';

/** A healthy server, but for what the script says of a command; `''` is the greeting. */
export async function startScriptedServer(
  t: TestContext,
  script: Script = {},
  host: string = loopback,
): Promise<number> {
  const answers: Script = { ...healthy, ...script };
  const open = new Set<Socket | Server>();
  const keep = <T extends Socket | Server>(each: T): T => {
    open.add(each);
    each.on('error', ignoreError);
    return each;
  };
  let sessions = 0;
  const server = keep(createServer());
  server.on('connection', (socket) => {
    keep(socket);
    const session: Session = {
      socket,
      isSecured: false,
      hear: ignoreError,
      number: sessions++,
      listings: 0,
      data: undefined,
      listen: async () => {
        const passive = keep(createServer());
        passive.listen(0, host);
        await once(passive, 'listening');
        const taken = new Promise<Socket>((resolve) => passive.once('connection', resolve));
        passive.on('connection', keep);
        session.data = { taken };
        return (passive.address() as AddressInfo).port;
      },
    };
    void converse(session, answers);
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    for (const each of open) {
      if ('destroy' in each) each.destroy();
      else each.close();
    }
  });
  return (server.address() as AddressInfo).port;
}

async function converse(session: Session, answers: Script): Promise<void> {
  const answer = async (verb: string, argument: string): Promise<void> => {
    const how = verb in answers ? answers[verb] : '500 Unknown command.';
    const reply = typeof how === 'function' ? await how(argument, session) : how;
    const { socket } = session;
    if (reply !== undefined && !socket.destroyed) socket.write(`${reply.replaceAll('\n', '\r\n')}\r\n`);
  };
  await answer('', '');
  session.hear = () => {
    let text = '';
    let turn = Promise.resolve();
    session.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const lines = text.split('\r\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const [verb = '', ...rest] = line.split(' ');
        turn = turn.then(() => answer(verb, rest.join(' ')));
      }
    });
  };
  session.hear();
}

let pair: ReturnType<typeof selfSigned> | undefined;

function identity(): ReturnType<typeof selfSigned> {
  pair ??= selfSigned();
  return pair;
}

/** An answer to AUTH: as `speakTls`, with a certificate that has expired. */
export function speakTlsExpired(_: string, session: Session): undefined {
  speakTls(_, session, selfSigned({ validTo: '200201000000Z' }));
}

/** An answer to AUTH: goes on over TLS. */
export function speakTls(
  _: string,
  session: Session,
  as: ReturnType<typeof selfSigned> = identity(),
): undefined {
  const { socket } = session;
  socket.removeAllListeners('data');
  socket.write('234 Go on.\r\n');
  session.socket = new TLSSocket(socket, { isServer: true, ...as });
  session.socket.on('error', ignoreError);
  session.isSecured = true;
  session.hear();
}

const healthy: Script = {
  '': '220 Ready.',
  USER: '331 Password?',
  PASS: '230 Welcome.',
  TYPE: '200 Fine.',
  PASV: async (_, session) => announce227(loopback, await session.listen()),
  EPSV: async (_, session) => `229 Extended passive mode (|||${await session.listen()}|)`,
  PORT: (argument, session) => {
    const to = parseHostPort(argument);
    session.data = to && { to };
    return to ? '200 Fine.' : '501 What?';
  },
  EPRT: (argument, session) => {
    const to = parseExtendedHostPort(argument)?.endpoint;
    session.data = to && { to };
    return to ? '200 Fine.' : '501 What?';
  },
  NLST: (_, session) => listing(session),
  LIST: (_, session) => listing(session),
  STAT: '211-Status\n     Connected to 127.0.0.1\n211 End.',
  SIZE: '550 No such file.',
  MDTM: '550 No such file.',
  REST: '350 Restarting.',
  ABOR: '226 Nothing to abort.',
  AUTH: '502 No TLS.',
  PBSZ: '200 Fine.',
  PROT: '200 Fine.',
  NOOP: '200 Fine.',
};

/** `227 Entering Passive Mode (127,0,0,1,200,13).` */
export function announce227(address: string, port: number): string {
  const parsed = parseAddress(address);
  if (!parsed) throw new Error(`no address: ${address}`);
  return `227 Entering Passive Mode (${formatHostPort({ address: parsed, port })}).`;
}

/** More than fits one packet. */
const manyNames = Array.from({ length: 500 }, (_, index) => `file-${index}\r\n`).join('');

export interface ListingOptions {
  /** What is said of data over TLS, instead of sending any. */
  readonly refuses?: string;
  /** What comes through the data connection. */
  readonly names?: string;
  /** The address that active connections come from. */
  readonly from?: string;
  /** What is said at the end of an active one. */
  readonly activeEnd?: string;
}

/** Carries out an NLST or a LIST. */
export async function listing({ data, socket }: Session, options: ListingOptions = {}): Promise<string> {
  if (!data) return '425 Use PORT or PASV first.';
  const channel = 'taken' in data ? await data.taken : await connected(data.to, options.from);
  if (!channel) return '425 No connection.';
  socket.write('150 Here it comes.\r\n');
  // An active one is left to the client, which closes it.
  const isProtected = socket instanceof TLSSocket && 'taken' in data;
  const names = isProtected ? new TLSSocket(channel, { isServer: true, ...identity() }) : channel;
  names.on('error', ignoreError);
  if (names instanceof TLSSocket && options.refuses !== undefined) {
    await once(names, 'secure');
    names.destroy();
    return options.refuses;
  }
  names.end(options.names ?? manyNames);
  return ('to' in data ? options.activeEnd : undefined) ?? '226 Done.';
}

async function connected({ address, port }: Endpoint, from?: string): Promise<Socket | undefined> {
  const socket = connect({ host: address, port, ...(from !== undefined && { localAddress: from }) });
  socket.on('error', ignoreError);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return undefined;
  }
}

/** Ends the session without a word. */
export function hangUp(_: string, { socket }: Session): undefined {
  socket.destroy();
}

/** PASV that gives each session the same port again and again, but for what `instead` says. */
export function fewPorts(instead: (session: Session) => Answer): Script[string] {
  const ports = new Map<number, number>();
  return async (_, session) => {
    const other = instead(session);
    if (other !== undefined || session.socket.destroyed) return other;
    const port = ports.get(session.number) ?? (await session.listen());
    ports.set(session.number, port);
    return announce227(loopback, port);
  };
}

/**
 * PASV and EPSV with a range of so many ports, given in turn. A port that a session holds is not free for another.
 *
 * @param keeps whether a session holds all ports that it was given; otherwise the last one
 */
export function range(count: number, keeps = false): Script {
  const ports: number[] = [];
  const held = new Map<number, readonly number[]>();
  let last = -1;
  const give = async (session: Session): Promise<number | undefined> => {
    const { number, socket } = session;
    if (!held.has(number)) socket.once('close', () => held.delete(number));
    if (!keeps) held.delete(number);
    const taken = [...held.values()].flat();
    const inTurn = Array.from({ length: count }, (_unused, index) => (last + 1 + index) % count);
    const index = inTurn.find((each) => !taken.includes(each));
    if (index === undefined) return undefined;
    last = index;
    held.set(number, [...(held.get(number) ?? []), index]);
    ports[index] ??= await session.listen();
    return ports[index];
  };
  const none = '425 No free port.';
  return {
    PASV: async (_, session) => {
      const port = await give(session);
      return port === undefined ? none : announce227(loopback, port);
    },
    EPSV: async (_, session) => {
      const port = await give(session);
      return port === undefined ? none : `229 Extended passive mode (|||${port}|)`;
    },
  };
}

/** A healthy server behind Pinhole, but for what the script says. */
export function atPinhole(script: Script = {}): Script {
  return {
    ...script,
    // Over TLS that is passed on, Pinhole reads nothing.
    LPRT: (_, { isSecured }) =>
      isSecured && script['AUTH'] === passTls ? '500 Unknown command.' : replies.setUpNotServed('LPRT'),
  };
}

/** An answer to AUTH: goes on over TLS that Pinhole does not read. */
export function passTls(argument: string, session: Session): undefined {
  speakTls(argument, session);
}

/** NLST that has another answer, or none, where the data connection is an active one. */
export function unlessActive(answer?: string): Script[string] {
  return (_, session) => (session.data && 'taken' in session.data ? listing(session) : answer);
}

/** STAT of a server that sees the client under another address. */
export const seenElsewhere = '211-Status\n Connected from 203.0.113.9 (203.0.113.9)\n211 End.';
