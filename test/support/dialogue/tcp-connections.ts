/**
 * Puts TCP segments together to connections: who opened, what each side sent in order, how each side ended. Pure.
 * A connection whose SYN is not in the capture is passed over.
 */
import type { Endpoint, Segment } from './pcap.ts';

export type Party = 'opener' | 'acceptor';

interface Chunk {
  by: Party;
  /** The packet that completed the stream up to and with these bytes. */
  at: number;
  bytes: Buffer;
}

interface End {
  by: Party;
  kind: 'FIN' | 'RST';
  at: number;
}

export interface Connection {
  opener: Endpoint;
  acceptor: Endpoint;
  /** The packet that was its first SYN. */
  opened: number;
  /** Whether the acceptor answered with a SYN of its own. */
  established: boolean;
  /** Both directions, in the order of the capture, without what was sent twice. */
  chunks: Chunk[];
  /** The first FIN and the first RST of each side, in order. */
  ends: End[];
  /** Payload bytes that came behind a gap which never closed; 0 in a capture that lost nothing. */
  beyondGap: number;
}

interface Direction {
  /** Sequence number of the stream's first byte. */
  start: number | undefined;
  /** Bytes delivered so far. */
  next: number;
  waiting: { offset: number; bytes: Buffer }[];
}

interface Open {
  connection: Connection;
  directions: Record<Party, Direction>;
}

/** The connections in the order of their SYNs. */
export function assemble(segments: readonly Segment[]): Connection[] {
  const all: Open[] = [];
  const live = new Map<string, Open>();

  for (const segment of segments) {
    const [source, target] = [text(segment.from), text(segment.to)];
    if (segment.syn && !segment.ack) {
      const known = live.get(`${source} ${target}`);
      const repeated = known?.directions.opener.start === successor(segment.sequence);
      if (!repeated) {
        const opened = open(segment);
        all.push(opened);
        live.set(`${source} ${target}`, opened);
      }
      continue;
    }
    const byOpener = live.get(`${source} ${target}`);
    const found = byOpener ?? live.get(`${target} ${source}`);
    if (found !== undefined) accept(found, byOpener === undefined ? 'acceptor' : 'opener', segment);
  }

  return all.map(({ connection, directions }) => {
    const waiting = [...directions.opener.waiting, ...directions.acceptor.waiting];
    return { ...connection, beyondGap: waiting.reduce((sum, { bytes }) => sum + bytes.length, 0) };
  });
}

/** Whether nothing more can come: a reset, a refusal, or a FIN of each side. */
export function isOver({ ends }: Connection): boolean {
  return ends.some(({ kind }) => kind === 'RST') || ends.filter(({ kind }) => kind === 'FIN').length === 2;
}

function open(syn: Segment): Open {
  const direction = (start?: number): Direction => ({ start, next: 0, waiting: [] });
  return {
    connection: {
      opener: syn.from,
      acceptor: syn.to,
      opened: syn.at,
      established: false,
      chunks: [],
      ends: [],
      beyondGap: 0,
    },
    directions: { opener: direction(successor(syn.sequence)), acceptor: direction() },
  };
}

function accept({ connection, directions }: Open, by: Party, segment: Segment): void {
  const direction = directions[by];
  if (segment.syn) {
    // A SYN takes one number (RFC 9293, section 3.4), so the stream begins behind it.
    direction.start ??= successor(segment.sequence);
    connection.established = true;
    return;
  }
  if (direction.start !== undefined && segment.payload.length > 0) {
    // The signed difference to what is expected next keeps counting across the wrap at 2^32.
    const offset = direction.next + ((segment.sequence - direction.start - direction.next) | 0);
    direction.waiting.push({ offset, bytes: segment.payload });
    deliver(connection, by, direction, segment.at);
  }
  for (const kind of ['FIN', 'RST'] as const) {
    const sent = kind === 'FIN' ? segment.fin : segment.rst;
    if (sent && !connection.ends.some((end) => end.by === by && end.kind === kind)) {
      connection.ends.push({ by, kind, at: segment.at });
    }
  }
}

/** Moves what has become contiguous from `waiting` to the connection, dropping bytes that were sent before. */
function deliver(connection: Connection, by: Party, direction: Direction, at: number): void {
  direction.waiting.sort((a, b) => a.offset - b.offset);
  for (;;) {
    const first = direction.waiting[0];
    if (first === undefined || first.offset > direction.next) return;
    direction.waiting.shift();
    const fresh = first.bytes.subarray(direction.next - first.offset);
    if (fresh.length === 0) continue;
    connection.chunks.push({ by, at, bytes: fresh });
    direction.next += fresh.length;
  }
}

function successor(sequence: number): number {
  return (sequence + 1) >>> 0;
}

function text({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
