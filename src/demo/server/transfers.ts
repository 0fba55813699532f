import type { Socket } from 'node:net';
import { resolvePath, splitPath, type TreeNode, type UploadMode } from '../file-tree.ts';
import { AsciiDecoder, asciiLength, asciiSlices, skip, slices } from './ascii.ts';
import { factLine, longLine, sortedEntries } from './listing.ts';
import type { Session, Transfer } from './session.ts';
import { wasReset } from '../../net/socket.ts';

type FinalReply = [code: number, text: string];
const complete: FinalReply = [226, 'Transfer complete'];
const broken: FinalReply = [426, 'Data connection broken, transfer aborted'];
const cannotOpen: FinalReply = [425, 'Cannot open the data connection'];

/** RETR, from the byte that REST named. */
export async function retrieve(session: Session, argument: string): Promise<void> {
  const node = session.settings.tree.find(resolvePath(session.cwd, argument));
  const offset = session.restartAt;
  if (node?.kind !== 'file') {
    refuse(session, 550, node === undefined ? 'No such file' : 'Not a plain file');
    return;
  }
  const { content } = node;
  const length = session.type === 'A' ? asciiLength(content) : content.length;
  if (offset > length) {
    // RFC 3659, section 5.4, has 554 for a marker that does not fit the file.
    refuse(session, 554, `Cannot restart at ${offset}, the file has ${length} bytes`);
    return;
  }
  const chunks = session.type === 'A' ? skip(asciiSlices(content), offset) : slices(content.subarray(offset));
  const opening = `${modeName(session)} data connection for ${argument} (${length - offset} bytes)`;
  await transfer(session, 'RETR', opening, (socket, current) => download(socket, chunks, current));
}

/** STOR, to the byte that REST named and on; what the file had behind it is replaced. */
export async function store(session: Session, argument: string): Promise<void> {
  const path = resolvePath(session.cwd, argument);
  const keep = session.restartAt;
  const node = session.settings.tree.find(path);
  const length = node?.kind === 'file' ? node.content.length : 0;
  if (keep > length) refuse(session, 554, `Cannot restart at ${keep}, the file has ${length} bytes`);
  else if (keep > 0 && session.type === 'A') refuse(session, 554, 'Cannot restart an upload in TYPE A');
  else await receive(session, 'STOR', path, `for ${argument}`, { kind: 'replace', keep });
}

/** APPE: the file is made when there is none. */
export async function append(session: Session, argument: string): Promise<void> {
  const path = resolvePath(session.cwd, argument);
  await receive(session, 'APPE', path, `for ${argument}`, { kind: 'append' });
}

/** STOU: RFC 1123, section 4.1.2.9, gives the preliminary reply's text: `150 FILE: pppp`. */
export async function storeUnique(session: Session, argument: string): Promise<void> {
  const wanted = resolvePath(session.cwd, argument === '' ? 'upload' : argument);
  let path = wanted;
  for (let number = 1; session.settings.tree.find(path) !== undefined; number++) path = `${wanted}.${number}`;
  const name = splitPath(path)[1];
  await receive(session, 'STOU', path, `FILE: ${name}`, { kind: 'replace', keep: 0 });
}

/** LIST: lines as of `ls -l`. */
export async function list(session: Session, argument: string): Promise<void> {
  const path = withoutFlags(argument);
  const lines = listingLines(session, path);
  if (lines === undefined) refuse(session, 450, 'No such file or directory');
  else await sendLines(session, 'LIST', lines);
}

/** NLST: RFC 1123, section 4.1.2.7, wants names that RETR takes as they are, so `NLST d` has `d/name`. */
export async function nameList(session: Session, argument: string): Promise<void> {
  const path = withoutFlags(argument);
  const node = session.settings.tree.find(resolvePath(session.cwd, path));
  const prefix = path === '' || path === '.' ? '' : path.endsWith('/') ? path : `${path}/`;
  if (node === undefined) refuse(session, 450, 'No such file or directory');
  else if (node.kind === 'file') await sendLines(session, 'NLST', [path]);
  else
    await sendLines(
      session,
      'NLST',
      sortedEntries(node).map(([name]) => prefix + name),
    );
}

/** MLSD: only of a directory (RFC 3659, section 7.2.1: 501 otherwise). */
export async function machineList(session: Session, argument: string): Promise<void> {
  const node = session.settings.tree.find(resolvePath(session.cwd, argument));
  if (node === undefined) refuse(session, 550, 'No such directory');
  else if (node.kind === 'file') refuse(session, 501, 'Not a directory');
  else {
    const lines = sortedEntries(node).map(([name, entry]) => factLine(name, entry, session.facts));
    await sendLines(session, 'MLSD', lines);
  }
}

/** STAT: of the session, or of a path what LIST would send. Also answered while a transfer runs. */
export function status(session: Session, argument: string): void {
  if (argument === '') {
    session.replyLines(211, 'Status of the server:', statusLines(session), 'End of status');
    return;
  }
  const path = withoutFlags(argument);
  const lines = listingLines(session, path);
  if (lines === undefined) session.reply(450, 'No such file or directory');
  else {
    const isFile = session.settings.tree.find(resolvePath(session.cwd, path))?.kind === 'file';
    session.replyLines(isFile ? 213 : 212, `Status of ${path}:`, lines, 'End of status');
  }
}

function statusLines({ peer, user, loggedIn, type, transfer: current }: Session): string[] {
  const line =
    current === undefined
      ? ' No transfer in progress'
      : ` ${current.verb} in progress: ${current.bytes} bytes`;
  return [
    ` Connected from ${peer}`,
    loggedIn ? ` Logged in as ${user ?? ''}` : ' Not logged in',
    ` TYPE: ${type === 'A' ? 'ASCII Non-print' : 'Image'}; STRUcture: File; MODE: Stream`,
    line,
  ];
}

function listingLines(session: Session, path: string): string[] | undefined {
  const node = session.settings.tree.find(resolvePath(session.cwd, path));
  if (node === undefined) return undefined;
  const entries: [string, TreeNode][] = node.kind === 'directory' ? sortedEntries(node) : [[path, node]];
  return entries.map(([name, entry]) => longLine(name, entry));
}

/** `-la dir` -> `dir`: clients give `ls` flags, which RFC 959 does not know. */
function withoutFlags(argument: string): string {
  return argument.replace(/^(-\S*(\s+|$))+/, '');
}

function modeName(session: Session): string {
  return session.type === 'A' ? 'ASCII mode' : 'BINARY mode';
}

/** A transfer that is refused gives up the data connection that was arranged for it. */
function refuse(session: Session, code: number, text: string): void {
  session.setDataPort(undefined);
  session.reply(code, text);
}

async function sendLines(session: Session, verb: string, lines: readonly string[]): Promise<void> {
  const content = Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  await transfer(session, verb, 'Here comes the listing', (socket, current) =>
    download(socket, slices(content), current),
  );
}

async function receive(
  session: Session,
  verb: string,
  path: string,
  what: string,
  mode: UploadMode,
): Promise<void> {
  const { tree } = session.settings;
  const refusal = tree.refuseFile(path);
  if (refusal !== undefined) {
    refuse(session, 553, refusal);
    return;
  }
  if (tree.freeBytes <= 0) {
    refuse(session, 452, 'No space left');
    return;
  }
  const upload = tree.beginUpload(path, mode);
  const ascii = session.type === 'A' ? new AsciiDecoder() : undefined;
  const opening = verb === 'STOU' ? what : `${modeName(session)} data connection ${what}`;
  await transfer(session, verb, opening, async (socket, current) => {
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

/** Runs `body` over the data connection that PASV or PORT arranged, and sends the final reply it returns. */
async function transfer(
  session: Session,
  verb: string,
  opening: string,
  body: (socket: Socket, current: Transfer) => Promise<FinalReply>,
): Promise<void> {
  const port = session.takeDataPort();
  if (port === undefined) {
    session.reply(425, 'Use PASV, EPSV, PORT or EPRT first');
    return;
  }
  const { limits } = session.settings;
  const cancel = new AbortController();
  const current: Transfer = {
    verb,
    bytes: 0,
    begun: false,
    abort: () => {
      cancel.abort(broken);
    },
  };
  const timer = setTimeout(() => {
    cancel.abort();
  }, limits.dataConnection);
  session.transfer = current;
  session.onTransfer();
  try {
    const socket = await port.open(cancel.signal).finally(() => {
      clearTimeout(timer);
    });
    if (cancel.signal.aborted) socket.resetAndDestroy();
    cancel.signal.throwIfAborted();
    cancel.signal.addEventListener('abort', () => socket.resetAndDestroy());
    socket.setTimeout(limits.dataIdle, () => socket.resetAndDestroy());
    session.reply(150, opening);
    current.begun = true;
    session.onTransfer();
    session.reply(...(await body(socket, current)));
  } catch {
    port.close();
    session.reply(...(cancel.signal.reason === broken ? broken : cannotOpen));
  } finally {
    session.transfer = undefined;
  }
}

/**
 * Sends the chunks, no faster than the client takes them, and FIN. The client's own FIN may come at any time;
 * what it sends is read away, as closing over unread bytes would become a reset.
 */
async function download(socket: Socket, chunks: Iterable<Buffer>, current: Transfer): Promise<FinalReply> {
  const iterator = chunks[Symbol.iterator]();
  return new Promise((resolve) => {
    const pump = (): void => {
      for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
        current.bytes += next.value.length;
        if (!socket.write(next.value)) return;
      }
      socket.off('drain', pump);
      socket.end();
    };
    socket.once('finish', () => {
      resolve(complete);
    });
    socket.once('close', () => {
      resolve(broken);
    });
    socket.on('drain', pump);
    socket.resume();
    pump();
    if (socket.closed) resolve(broken);
  });
}

/** Reads until FIN (`ended`), until `add` has no room (`full`), or until the connection breaks. */
async function takeIn(
  socket: Socket,
  add: (chunk: Buffer) => boolean,
  current: Transfer,
): Promise<'ended' | 'full' | 'broken'> {
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      current.bytes += chunk.length;
      if (add(chunk)) return;
      resolve('full');
      socket.destroy();
    });
    socket.once('end', () => {
      resolve(wasReset(socket) ? 'broken' : 'ended');
      socket.end();
    });
    socket.once('close', () => {
      resolve('broken');
    });
    socket.resume();
    if (socket.closed) resolve('broken');
  });
}
