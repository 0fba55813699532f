/** Faults that are put between the relay and the model on purpose: each check has to be able to fail. */
import type { Event } from '../../src/events.ts';
import { hosts } from '../support/relay/hosts.ts';
import type { FuzzedRelay } from './relay.ts';
import { listenAt, Notes, type Listening } from './stage.ts';
import type { Entry, Side } from './transcript.ts';

/** What is seen instead of what happened. */
export type Distort = (entries: readonly Entry[]) => readonly Entry[];

export interface Plant {
  /** Which property it is against. */
  readonly property: 1 | 2 | 3 | 4 | 5;
  /** In how many dialogues at most it has to be seen, where none shows it alone. */
  readonly dialogues?: number;
  /** What happens to the relay; returns what takes that back. */
  readonly relay?: (relay: FuzzedRelay) => Promise<() => void>;
  readonly distort?: Distort;
}

/** The first entry that is like this is replaced. */
function replaceFirst(
  isLike: (entry: Entry) => boolean,
  replace: (entry: Entry) => readonly Entry[],
): Distort {
  return (entries) => {
    const at = entries.findIndex(isLike);
    const found = entries[at];
    return found ? [...entries.slice(0, at), ...replace(found), ...entries.slice(at + 1)] : entries;
  };
}

const isText =
  (side: Side, pattern: RegExp) =>
  (entry: Entry): boolean =>
    entry.what === 'got' && entry.side === side && pattern.test(entry.text);

function observing(observer: (event: Event) => void): (relay: FuzzedRelay) => Promise<() => void> {
  return (relay) => {
    const stop = relay.observe(observer);
    return Promise.resolve(() => {
      stop();
    });
  };
}

const place = (address: string, port: number): { readonly address: string; readonly port: number } => ({
  address,
  port,
});

export const plants: Readonly<Record<string, Plant>> = {
  /** A listener of events throws, in the middle of whatever the relay is doing. */
  exception: {
    property: 1,
    relay: observing((event) => {
      if (event.type === 'command' && event.received.startsWith('PASV')) throw new Error('planted');
    }),
  },
  /** The session's end is never told. */
  'endless-session': {
    property: 1,
    distort: (entries) => entries.filter(({ what }) => what !== 'session-closed'),
  },
  /** Something is kept of each session. */
  leak: {
    property: 2,
    dialogues: 60,
    relay: () => {
      const kept: Buffer[] = [];
      const timer = setInterval(() => kept.push(Buffer.alloc(1024 * 1024, 1)), 10);
      return Promise.resolve(() => {
        clearInterval(timer);
      });
    },
  },
  /** One byte to the server is another. */
  'byte-to-server': {
    property: 3,
    distort: replaceFirst(isText('server', /^USER anne/), (entry) => [
      { ...entry, text: 'USER Anne\r\n' } as Entry,
    ]),
  },
  /** One byte to the client is another. */
  'byte-to-client': {
    property: 3,
    distort: replaceFirst(isText('client', /Yes\. ~/), (entry) =>
      entry.what === 'got' ? [{ ...entry, text: entry.text.replace('Yes.', 'yes.') }] : [entry],
    ),
  },
  /** A command comes twice. */
  'twice-to-server': {
    property: 3,
    distort: replaceFirst(isText('server', /^PASS [^\n]*\n$/), (entry) => [entry, entry]),
  },
  /** A reply is lost. */
  'reply-lost': { property: 3, distort: replaceFirst(isText('client', /^331 [^\n]*\n$/), () => []) },
  /** An announcement goes on as the server made it. */
  unread: {
    property: 3,
    distort: (entries) => {
      const announced = entries.find(
        (entry) => entry.what === 'sent' && /^227 Entering Passive Mode \(127[^\n]*\r\n$/.test(entry.text),
      );
      if (announced?.what !== 'sent') return entries;
      const mark = /~[a-z]+~/.exec(announced.text)?.[0] ?? '\0';
      return replaceFirst(
        (entry) =>
          entry.what === 'got' &&
          entry.side === 'client' &&
          entry.text.startsWith('227') &&
          entry.text.includes(mark),
        (entry) => [{ ...entry, text: announced.text } as Entry],
      )(entries);
    },
  },
  /** A pinhole that nobody asked for. */
  'pinhole-too-many': {
    property: 4,
    distort: (entries) => {
      const at = entries.findIndex((entry) => entry.what === 'got' && entry.side === 'server');
      const facts = {
        id: 1_000_000,
        mode: 'passive',
        peer: hosts.client,
        at: place(hosts.relay, 1),
        to: place(hosts.server, 4000),
      } as const;
      return [
        ...entries.slice(0, at),
        { what: 'opened', ...facts },
        { what: 'closed', ...facts },
        ...entries.slice(at),
      ];
    },
  },
  /** A pinhole for somebody else than the one who asked. */
  'pinhole-for-a-stranger': {
    property: 4,
    distort: replaceFirst(
      ({ what }) => what === 'opened',
      (entry) => [{ ...entry, peer: hosts.stranger } as Entry],
    ),
  },
  /** A pinhole stays. */
  'pinhole-left': {
    property: 5,
    distort: (entries) => entries.filter((entry) => entry.what !== 'closed' && entry.what !== 'taken'),
  },
  /** A listener stays. */
  'listener-left': {
    property: 5,
    relay: async (relay) => {
      const left: Listening = await listenAt(hosts.relay, new Notes(), undefined, relay.passivePorts[1]);
      return () => {
        left.close();
      };
    },
  },
};
