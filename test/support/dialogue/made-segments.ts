/** Segments for tests of what reads them, written as a conversation. */
import type { Endpoint, Segment } from './pcap.ts';

type Flag = 'syn' | 'ack' | 'fin' | 'rst';

/** Numbers the segments in the order given. */
export function capture(...segments: readonly Omit<Segment, 'at'>[]): Segment[] {
  return segments.map((segment, at) => ({ ...segment, at }));
}

export function segment(
  from: Endpoint,
  to: Endpoint,
  sequence: number,
  flags: readonly Flag[],
  payload = '',
): Omit<Segment, 'at'> {
  const has = (flag: Flag): boolean => flags.includes(flag);
  return {
    from,
    to,
    sequence: sequence >>> 0,
    syn: has('syn'),
    ack: has('ack'),
    fin: has('fin'),
    rst: has('rst'),
    payload: Buffer.from(payload, 'latin1'),
  };
}

/** One TCP connection that keeps count of its sequence numbers. */
export interface Wire {
  open(): Omit<Segment, 'at'>[];
  opener(text: string, ...flags: Flag[]): Omit<Segment, 'at'>;
  acceptor(text: string, ...flags: Flag[]): Omit<Segment, 'at'>;
}

export function wire(opener: Endpoint, acceptor: Endpoint): Wire {
  const next = { opener: 1_000, acceptor: 2_000 };
  const send = (by: 'opener' | 'acceptor', text: string, flags: readonly Flag[]): Omit<Segment, 'at'> => {
    const [from, to] = by === 'opener' ? [opener, acceptor] : [acceptor, opener];
    const sent = segment(from, to, next[by], flags, text);
    next[by] += text.length + (sent.syn ? 1 : 0) + (sent.fin ? 1 : 0);
    return sent;
  };
  return {
    open: () => [
      send('opener', '', ['syn']),
      send('acceptor', '', ['syn', 'ack']),
      send('opener', '', ['ack']),
    ],
    opener: (text, ...flags) => send('opener', text, ['ack', ...flags]),
    acceptor: (text, ...flags) => send('acceptor', text, ['ack', ...flags]),
  };
}
