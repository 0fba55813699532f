import type { TLSSocket } from 'node:tls';

/**
 * Tells of each piece that TLS has read, and by null of its end, before who reads: no event comes then. That Node has TLS
 * push what it has read by the method of the socket shows only once something has come: tests see that, and no check at
 * start does.
 */
export function beforePush(tls: TLSSocket, tell: (chunk: Buffer | null) => void): void {
  const push = tls.push.bind(tls);
  tls.push = (chunk: unknown, encoding?: BufferEncoding) => {
    tell(chunk as Buffer | null);
    return push(chunk, encoding);
  };
}
