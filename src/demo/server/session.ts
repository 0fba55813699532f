import type { Socket } from 'node:net';
import type { Address } from '../../net/address.ts';
import { resolvePath, type FileTree } from '../file-tree.ts';
import type { DataPort } from './data-port.ts';
import type { OpenHandles } from './open-handles.ts';

/** Milliseconds. */
export const limits = {
  /** From a transfer command until its data connection stands: 425. */
  dataConnection: 30_000,
  /** Without a byte on an open data connection: 426. */
  dataIdle: 300_000,
  /** Without a byte on the control connection while nothing is being transferred: 421. */
  idle: 300_000,
};

/** A reply; one of several lines has the first, those between, and the last. */
export type Reply = readonly [code: number, ...texts: readonly string[]];

/** What STAT reports about a transfer, and how ABOR ends it. */
export class Transfer {
  readonly verb: string;
  bytes = 0;
  /** Its preliminary reply was sent, so that other replies can be distinguished from its own. */
  begun = false;
  isAborted = false;
  /** Ends its data connection, or the wait for it. */
  cut: () => void;

  constructor(verb: string, cut: () => void) {
    this.verb = verb;
    this.cut = cut;
  }

  /** Cuts it, which is answered with 426; also before its data connection stands. */
  abort(): void {
    this.isAborted = true;
    this.cut();
  }
}

/** What the commands of a client have set; REIN brings back how it was at the greeting. */
class State {
  user: string | undefined;
  loggedIn = false;
  cwd = '/';
  type: 'A' | 'I' = 'A';
  restartAt = 0;
  renameFrom: string | undefined;
  extendedOnly = false;
}

/** One control connection. What the commands do with it stands in their own files. */
export class Session {
  readonly control: Socket;
  readonly tree: FileTree;
  readonly handles: OpenHandles;
  /** The client's address and our own. */
  readonly peer: Address;
  readonly local: Address;
  state: State = new State();
  transfer: Transfer | undefined;
  /** Called when a transfer begins, for the commands that came before it did. */
  onTransfer: () => void = () => undefined;
  #dataPort: DataPort | undefined;

  /** @param ends the addresses of the control connection, the client's and our own */
  constructor(
    control: Socket,
    [peer, local]: readonly [Address, Address],
    tree: FileTree,
    handles: OpenHandles,
  ) {
    this.control = control;
    this.peer = peer;
    this.local = local;
    this.tree = tree;
    this.handles = handles;
  }

  /** REIN: everything as after the greeting. */
  reset(): void {
    this.state = new State();
    this.setDataPort(undefined);
  }

  /** The absolute path of what a command names. */
  resolve(path: string): string {
    return resolvePath(this.state.cwd, path);
  }

  /** Takes the place of the data port before it, which is closed with what had connected to it. */
  setDataPort(port: DataPort | undefined): void {
    this.#dataPort?.close();
    this.#dataPort = port;
  }

  /** Hands the data port to its one user. */
  takeDataPort(): DataPort | undefined {
    const port = this.#dataPort;
    this.#dataPort = undefined;
    return port;
  }

  /**
   * Writes a reply (RFC 959, section 4.2: `211-first`, the lines between, `211 last`; none of them may begin with three
   * digits), each in one write, as some clients take one segment for one reply. FF is doubled for Telnet.
   */
  reply([code, ...texts]: Reply): void {
    const last = `${code} ${texts.pop() ?? ''}\r\n`;
    if (texts.length > 0) texts[0] = `${code}-${texts[0] ?? ''}`;
    const text = [...texts, last].join('\r\n').replaceAll('\xff', '\xff\xff');
    if (this.control.writable) this.control.write(text, 'latin1');
  }
}
