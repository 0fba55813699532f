import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { handleOf } from './handle.ts';
import { isUsable, type Part } from './part.ts';
import { onTls } from './trial.ts';

/** TLS 1.2 sessions by their id, in hexadecimal. */
export interface SessionStore {
  keep(id: string, session: Buffer): void;
  find(id: string): Buffer | undefined;
}

/**
 * What TLS sockets are to name as their server so that Node asks this store: it asks any object that has these events.
 * Undefined where this Node does not: then no session is resumed by its id.
 */
export function serverOf(store: SessionStore): Server | undefined {
  if (!isUsable(sessionIds)) return undefined;
  const asked = new EventEmitter();
  asked.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    store.keep(id.toString('hex'), session);
    done();
  });
  asked.on('resumeSession', (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
    done(null, store.find(id.toString('hex')) ?? null);
  });
  return asServer(asked);
}

function asServer(asked: EventEmitter): Server {
  return asked as unknown as Server;
}

/** It keeps what it was asked for. */
class Asked extends EventEmitter {
  readonly names = new Set<unknown>();

  override listenerCount(name: string | symbol): number {
    this.names.add(name);
    return super.listenerCount(name);
  }
}

export const sessionIds: Part = {
  name: 'new tls.TLSSocket({ server }) with the events newSession and resumeSession',
  use: 'tls-clients',
  without: 'a client that takes no tickets (curl) resumes no TLS session',
  isNeeded: false,
  isThere: () => {
    const asked = new Asked();
    const hasListener = (tls: object): boolean =>
      typeof handleOf<{ onnewsession: unknown }>(tls)?.onnewsession === 'function';
    return onTls(hasListener, { server: asServer(asked) }) && asked.names.has('resumeSession');
  },
};
