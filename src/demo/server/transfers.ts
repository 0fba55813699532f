import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { wasReset } from '../../net/socket.ts';
import type { TreeNode, UploadMode } from '../file-tree.ts';
import { AsciiDecoder, onWire, wireLength } from './ascii.ts';
import { factLine, longLine, sortedEntries } from './listing.ts';
import { limits, Transfer, type Reply, type Session } from './session.ts';

const complete: Reply = [226, 'Transfer complete'];
const broken: Reply = [426, 'Data connection broken, transfer aborted'];
const cannotOpen: Reply = [425, 'Cannot open the data connection'];

/** RETR, from the byte that REST named. */
export async function retrieve(session: Session, argument: string): Promise<Reply> {
  const { type, restartAt } = session.state;
  const node = session.tree.find(session.resolve(argument));
  if (node?.kind !== 'file') return [550, node === undefined ? 'No such file' : 'Not a plain file'];
  const { content } = node;
  const length = wireLength(content, type);
  if (restartAt > length) return beyond(restartAt, length);
  const opening = `${openingOf(session, argument)} (${length - restartAt} bytes)`;
  return transfer(session, 'RETR', opening, (socket, current) =>
    download(socket, onWire(content, type, restartAt), current),
  );
}

/** STOR from the byte that REST named on; the rest of the file is replaced. */
export async function store(session: Session, argument: string): Promise<Reply> {
  const { type, restartAt: keep } = session.state;
  const node = session.tree.find(session.resolve(argument));
  const length = node?.kind === 'file' ? node.content.length : 0;
  if (keep > length) return beyond(keep, length);
  if (keep > 0 && type === 'A') return [554, 'Cannot restart an upload in TYPE A'];
  return receive(session, 'STOR', argument, { kind: 'replace', keep });
}

/** APPE: the file is made when there is none. */
export async function append(session: Session, argument: string): Promise<Reply> {
  return receive(session, 'APPE', argument, { kind: 'append' });
}

/** LIST: lines as of `ls -l`. */
export async function list(session: Session, argument: string): Promise<Reply> {
  const lines = listingLines(session, withoutFlags(argument));
  return lines === undefined ? [450, 'No such file or directory'] : sendLines(session, 'LIST', lines);
}

/** NLST: RFC 1123, section 4.1.2.7, wants names that RETR takes as they are, so `NLST d` has `d/name`. */
export async function nameList(session: Session, argument: string): Promise<Reply> {
  const path = withoutFlags(argument);
  const node = session.tree.find(session.resolve(path));
  const prefix = path === '' || path === '.' ? '' : path.endsWith('/') ? path : `${path}/`;
  if (node === undefined) return [450, 'No such file or directory'];
  const names = node.kind === 'file' ? [path] : sortedEntries(node).map(([name]) => prefix + name);
  return sendLines(session, 'NLST', names);
}

/** MLSD: only of a directory (RFC 3659, section 7.2.1: 501 otherwise). */
export async function machineList(session: Session, argument: string): Promise<Reply> {
  const node = session.tree.find(session.resolve(argument));
  if (node === undefined) return [550, 'No such directory'];
  if (node.kind === 'file') return [501, 'Not a directory'];
  const lines = sortedEntries(node).map(([name, entry]) => factLine(name, entry));
  return sendLines(session, 'MLSD', lines);
}

/** STAT: of the session, or of a path what LIST would send. Also answered while a transfer runs. */
export function status(session: Session, argument: string): Reply {
  if (argument === '') return [211, 'Status of the server:', ...statusLines(session), 'End of status'];
  const path = withoutFlags(argument);
  const lines = listingLines(session, path);
  if (lines === undefined) return [450, 'No such file or directory'];
  const isFile = session.tree.find(session.resolve(path))?.kind === 'file';
  return [isFile ? 213 : 212, `Status of ${path}:`, ...lines, 'End of status'];
}

function statusLines({ peer, state: { user, loggedIn, type }, transfer: current }: Session): string[] {
  return [
    ` Connected from ${peer}`,
    loggedIn ? ` Logged in as ${user ?? ''}` : ' Not logged in',
    ` TYPE: ${type === 'A' ? 'ASCII Non-print' : 'Image'}; STRUcture: File; MODE: Stream`,
    current ? ` ${current.verb} in progress: ${current.bytes} bytes` : ' No transfer in progress',
  ];
}

function listingLines(session: Session, path: string): string[] | undefined {
  const node = session.tree.find(session.resolve(path));
  if (node === undefined) return undefined;
  const entries: [string, TreeNode][] = node.kind === 'directory' ? sortedEntries(node) : [[path, node]];
  return entries.map(([name, entry]) => longLine(name, entry));
}

/** `-la dir` -> `dir`: clients give `ls` flags, which RFC 959 does not know. */
function withoutFlags(argument: string): string {
  return argument.replace(/^(-\S*(\s+|$))+/, '');
}

function openingOf({ state: { type } }: Session, argument: string): string {
  return `${type === 'A' ? 'ASCII' : 'BINARY'} mode data connection for ${argument}`;
}

/** RFC 3659, section 5.4, has 554 for a marker that does not fit the file. */
function beyond(offset: number, length: number): Reply {
  return [554, `Cannot restart at ${offset}, the file has ${length} bytes`];
}

async function sendLines(session: Session, verb: string, lines: readonly string[]): Promise<Reply> {
  const content = Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  return transfer(session, verb, 'Here comes the listing', (socket, current) =>
    download(socket, onWire(content, 'I'), current),
  );
}

async function receive(session: Session, verb: string, argument: string, mode: UploadMode): Promise<Reply> {
  const { tree } = session;
  const path = session.resolve(argument);
  const refusal = tree.refuseFile(path);
  if (refusal !== undefined) return [553, refusal];
  if (tree.freeBytes <= 0) return [452, 'No space left'];
  const ascii = session.state.type === 'A' ? new AsciiDecoder() : undefined;
  return transfer(session, verb, openingOf(session, argument), async (socket, current) => {
    const upload = tree.beginUpload(path, mode);
    const add = (chunk: Buffer): boolean => upload.add(ascii?.push(chunk) ?? chunk);
    const end = await takeIn(socket, add, current);
    if (end === 'ended' && upload.add(ascii?.end() ?? Buffer.alloc(0))) {
      const failure = upload.commit();
      return failure === undefined ? complete : [550, failure];
    }
    upload.discard();
    return end === 'broken' ? broken : [552, 'Exceeded storage allocation'];
  });
}

/** Runs `body` over the data connection that PASV or PORT arranged; returns the final reply. */
async function transfer(
  session: Session,
  verb: string,
  opening: string,
  body: (socket: Socket, current: Transfer) => Promise<Reply>,
): Promise<Reply> {
  const port = session.takeDataPort();
  if (port === undefined) return [425, 'Use PASV, EPSV, PORT or EPRT first'];
  const current = new Transfer(verb, () => {
    port.close();
  });
  session.transfer = current;
  const timer = setTimeout(current.cut, limits.dataConnection);
  try {
    const connecting = port.connect().finally(() => {
      clearTimeout(timer);
    });
    session.onTransfer();
    const socket = await connecting;
    current.cut = () => socket.resetAndDestroy();
    socket.setTimeout(limits.dataIdle, current.cut);
    if (current.isAborted) current.abort();
    else session.reply([150, opening]);
    current.begun = true;
    session.onTransfer();
    return await body(socket, current);
  } catch {
    return current.isAborted || current.begun ? broken : cannotOpen;
  } finally {
    session.transfer = undefined;
  }
}

/**
 * Sends the chunks, no faster than the client takes them, and FIN. The client's own FIN may come at any time;
 * what it sends is read away, as closing over unread bytes would become a reset.
 */
async function download(socket: Socket, chunks: Iterable<Buffer>, current: Transfer): Promise<Reply> {
  socket.resume();
  await pipeline(function* () {
    for (const chunk of chunks) {
      current.bytes += chunk.length;
      yield chunk;
    }
  }, socket);
  return complete;
}

/** Reads until FIN (`ended`), until `add` has no room (`full`), or until the connection breaks. */
async function takeIn(
  socket: Socket,
  add: (chunk: Buffer) => boolean,
  current: Transfer,
): Promise<'ended' | 'full' | 'broken'> {
  let isReset = false as boolean;
  socket.once('end', () => (isReset = wasReset(socket)));
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      current.bytes += chunk.length;
      if (!add(chunk)) return 'full';
    }
    return isReset ? 'broken' : 'ended';
  } catch {
    return 'broken';
  }
}
