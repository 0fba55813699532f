import { getSystemErrorName } from 'node:util';
import { addressOfBytes } from '../../net/address.ts';
import { messageOf } from '../../net/error.ts';
import { onlyMarked } from './filter.ts';
import type { Flow } from './flow.ts';
import { allEvents, askForMarked, askForOne, forgetOne, readMessages } from './messages.ts';
import { openNetlink, type Netlink } from '../netlink/socket.ts';
import { readSysctl } from '../sysctl.ts';

/** Tells what becomes of the connections that bear a mark. */
export interface Conntrack {
  /** Tells of all that has happened since the last time. Returns whether that was anything. */
  poll(): boolean;
  /** A connection as it is now, with what it has carried; undefined where it is gone. */
  look(flow: Pick<Flow, 'id' | 'from' | 'at'>): Flow | undefined;
  /** The connection that has these two ends now, or had until a moment ago, whosesoever it is. */
  find(ends: Pick<Flow, 'from' | 'at'>): Flow | undefined;
  /** Makes the kernel forget a connection: later packets of it belong to no known connection. */
  forget(flow: Pick<Flow, 'id' | 'from' | 'at'>): void;
  /** All current ones; undefined if the kernel does not report them. */
  list(): Flow[] | undefined;
  stop(): void;
}

interface ConntrackListener {
  event(flow: Flow): void;
  /** Events have been missed: `list` returns the current state. */
  missed(): void;
}

/** Begins to follow; `poll` reports everything that happens afterwards. */
export type FollowConntrack = (mark: number, listener: ConntrackListener) => Promise<Conntrack>;

const eventBuffer = 8 * 1024 * 1024;
const eventsSetting = 'net.netfilter.nf_conntrack_events';
/** A permanently broken socket reports that each time. */
const mostFailures = 100;
/** Nothing connects from here to here. */
const nobody = { address: addressOfBytes(Uint8Array.of(0, 0, 0, 0)), port: 0 };

/**
 * The kernel's connection tracking over netlink, in this process. The kernel keeps its events until they are asked
 * for: what is asked at once costs one look, and what has happened before something is decided can be known.
 *
 * @throws where this kernel has no such thing or it is not allowed
 */
export const followConntrack: FollowConntrack = async (mark, listener) => {
  const events = await open({ groups: allEvents, bufferSize: eventBuffer, filter: onlyMarked(mark) });
  const questions = await openQuestions().catch((error: unknown) => {
    events.close();
    throw error;
  });
  const answers = new Answers(questions);
  const heard = new Events(events, listener);
  return {
    poll: () => heard.poll(),
    look: ({ id, from, at }) => answers.to(askForOne({ from, at }), false)?.find((flow) => flow.id === id),
    find: (ends) => answers.to(askForOne(ends), false)?.[0],
    forget: (flow) => {
      answers.to(forgetOne(flow), false);
    },
    list: () => answers.to(askForMarked(mark), true),
    stop: () => {
      heard.stop();
      answers.stop();
    },
  };
};

/** What the kernel tells of its own accord. */
class Events {
  readonly #socket: Netlink;
  readonly #listener: ConntrackListener;
  #polling = false;
  #missed = false;
  #stopped = false;

  constructor(socket: Netlink, listener: ConntrackListener) {
    this.#socket = socket;
    this.#listener = listener;
  }

  poll(): boolean {
    // A listener may act on an event, and so call this again.
    if (this.#polling || this.#stopped) return false;
    this.#polling = true;
    let heard = false;
    try {
      for (let datagram = this.#receive(); datagram; datagram = this.#receive()) {
        heard = true;
        for (const message of readMessages(datagram, false)) {
          if (message.kind === 'flow') this.#listener.event(message.flow);
        }
      }
    } finally {
      this.#polling = false;
    }
    return heard;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#socket.close();
  }

  #receive(): Uint8Array | undefined {
    for (let failures = 0; !this.#stopped && failures < mostFailures;) {
      try {
        const datagram = this.#socket.receive();
        if (datagram) return datagram;
        break;
      } catch {
        // ENOBUFS: there was more than the buffer holds. Until that is empty the kernel drops all that comes.
        this.#missed = true;
        failures++;
      }
    }
    if (this.#missed && !this.#stopped) {
      this.#missed = false;
      this.#listener.missed();
    }
    return undefined;
  }
}

/** What the kernel tells when it is asked; nothing where it does not answer. */
class Answers {
  readonly #socket: Netlink;
  #stopped = false;

  constructor(socket: Netlink) {
    this.#socket = socket;
  }

  /** @param many whether the answer may be several messages */
  to(question: Uint8Array, many: boolean): Flow[] | undefined {
    if (this.#stopped) return undefined;
    try {
      return ask(this.#socket, question, many);
    } catch {
      drain(this.#socket);
      return undefined;
    }
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#socket.close();
  }
}

/** Whether the kernel answers. @throws where it does not */
export async function requireConntrack(): Promise<void> {
  if (readSysctl(eventsSetting) === '0') {
    throw new Error(
      `the kernel plane cannot follow connections while ${eventsSetting} is 0: sysctl -w ${eventsSetting}=1`,
    );
  }
  (await openQuestions()).close();
}

async function openQuestions(): Promise<Netlink> {
  const netlink = await open({ groups: 0 });
  try {
    ask(netlink, askForOne({ from: nobody, at: nobody }), false);
    return netlink;
  } catch (error) {
    netlink.close();
    throw explain(error);
  }
}

async function open(options: Parameters<typeof openNetlink>[0]): Promise<Netlink> {
  return openNetlink(options).catch((error: unknown) => {
    throw explain(error);
  });
}

/** What is left of an answer would be taken for the next one. */
function drain(netlink: Netlink): void {
  for (let failures = 0; failures < mostFailures;) {
    try {
      if (!netlink.receive()) return;
    } catch {
      failures++;
    }
  }
}

/** A netlink request is carried out while it is sent, so that the answer is there when that returns. */
function ask(netlink: Netlink, question: Uint8Array, many: boolean): Flow[] {
  const flows: Flow[] = [];
  // What an answer that failed has left would be taken for this one.
  while (netlink.receive());
  netlink.send(question);
  for (;;) {
    const datagram = netlink.receive();
    if (!datagram) throw new Error('no answer');
    for (const message of readMessages(datagram, true)) {
      if (message.kind === 'flow') flows.push(message.flow);
      else if (message.kind === 'done') return flows;
      else if (message.errno !== 0) {
        const code = getSystemErrorName(-message.errno);
        if (code === 'ENOENT') return flows;
        throw new Error(code);
      }
    }
    if (!many) return flows;
  }
}

function explain(error: unknown): Error {
  return new Error(`the kernel plane cannot follow connections: ${messageOf(error)}`, { cause: error });
}
