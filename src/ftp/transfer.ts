/** The commands that a data connection carries, and which way its data goes (RFC 959 section 4.1.3, RFC 3659 section 7). */
const directions: ReadonlyMap<string, 'upload' | 'download'> = new Map([
  ['RETR', 'download'],
  ['STOR', 'upload'],
  ['STOU', 'upload'],
  ['APPE', 'upload'],
  ['LIST', 'download'],
  ['NLST', 'download'],
  ['MLSD', 'download'],
]);

/** A command, as far as these questions go. */
interface WithVerb {
  readonly verb: string;
}

export function isTransfer({ verb }: WithVerb): boolean {
  return directions.has(verb);
}

/** Which way a transfer goes: by its command, or where none is known by the bytes that it has moved. */
export function directionOf({
  command,
  uploaded,
  downloaded,
}: {
  readonly command?: WithVerb | undefined;
  readonly uploaded: number;
  readonly downloaded: number;
}): 'upload' | 'download' {
  return (command ? isUpload(command) : uploaded > downloaded) ? 'upload' : 'download';
}

/** Whether it is a directory that is listed. */
export function isListing({ verb }: WithVerb): boolean {
  return verb === 'LIST' || verb === 'NLST' || verb === 'MLSD';
}

/** Whether the client sends the data. */
export function isUpload({ verb }: WithVerb): boolean {
  return directions.get(verb) === 'upload';
}
