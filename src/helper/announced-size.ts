import { isTransfer } from '../ftp/transfer.ts';

/** What is known of a file from the answer to SIZE (RFC 3659 section 4), or of an upload from ALLO. */
export interface FileSize {
  /** The argument of the command, bytes as characters; undefined for ALLO, which names no file. */
  readonly path: string | undefined;
  /** Bytes. */
  readonly size: number;
}

/** A command that went to the server. */
interface Sent {
  readonly verb: string;
  readonly argument: string;
}

/** The size that this exchange has told, with the first line of its reply; undefined: none. */
export function sizeIn({ verb, argument }: Sent, code: number, text: string): FileSize | undefined {
  if (verb === 'SIZE' && code === 213) return sized(argument, /^213 (\d{1,15})\s*$/.exec(text)?.[1]);
  if (verb === 'ALLO' && code >= 200 && code < 300)
    return sized(undefined, /^\s*(\d{1,15})\b/.exec(argument)?.[1]);
  return undefined;
}

/** Where the next transfer begins in its file after a reply, in bytes: REST says it for the transfer behind it alone. */
export function restartAfter(restartAt: number, { verb, argument }: Sent, code: number): number {
  if (verb === 'REST')
    return code === 350 ? Number(/^\s*(\d{1,15})\s*$/.exec(argument)?.[1] ?? 0) : restartAt;
  return isTransfer({ verb }) && code >= 200 ? 0 : restartAt;
}

/**
 * How many bytes a transfer will have, by the reply that lets it begin (`150 Opening BINARY mode data connection for a
 * (1234 bytes).`), or else by what was asked before; undefined: nobody has said.
 *
 * @param restartAt where it begins in its file. With it, servers announce the whole file (vsftpd), or the rest (ProFTPD).
 */
export function expectedSize(
  { verb, argument }: Sent,
  text: string,
  asked: FileSize | undefined,
  restartAt = 0,
): number | undefined {
  if (restartAt > 0)
    return verb === 'RETR' && asked?.path === argument ? Math.max(0, asked.size - restartAt) : undefined;
  if (verb === 'RETR') {
    // The last: the name of the file stands before it.
    const [, announced] = /^.*\((\d{1,15}) bytes\)/is.exec(text) ?? [];
    if (announced !== undefined) return Number(announced);
    return asked?.path === argument ? asked.size : undefined;
  }
  const isUpload = verb === 'STOR' || verb === 'STOU' || verb === 'APPE';
  return isUpload && asked?.path === undefined ? asked?.size : undefined;
}

function sized(path: string | undefined, digits: string | undefined): FileSize | undefined {
  return digits === undefined ? undefined : { path, size: Number(digits) };
}
