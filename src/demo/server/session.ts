import type { Socket } from 'node:net';
import type { FileTree } from '../file-tree.ts';
import { plainAddress } from './address.ts';
import type { DataPort, PortRange } from './data-port.ts';
import { knownFacts, type Fact } from './listing.ts';
import type { OpenHandles } from './open-handles.ts';

/** Milliseconds. */
export interface Limits {
  /** From a transfer command until its data connection stands: 425. */
  readonly dataConnection: number;
  /** Without a byte on an open data connection: 426. */
  readonly dataIdle: number;
  /** Without a byte on the control connection while nothing is being transferred: 421. */
  readonly idle: number;
}

/** What all sessions of one server share. */
export interface Settings {
  readonly tree: FileTree;
  /** Byte strings; `true` takes any password. */
  readonly users: ReadonlyMap<string, string | true>;
  readonly dataPorts: PortRange | undefined;
  readonly activePort: number | undefined;
  readonly limits: Limits;
  readonly handles: OpenHandles;
}

/** What STAT tells of a transfer, and how ABOR ends it. */
export interface Transfer {
  readonly verb: string;
  bytes: number;
  /** Its preliminary reply was sent, so that other replies can be told from its own. */
  begun: boolean;
  /** Cuts it, which is answered with 426; also before its data connection stands. */
  readonly abort: () => void;
}

/** The state of one control connection. What the commands do with it stands in their own files. */
export class Session {
  readonly control: Socket;
  readonly settings: Settings;
  /** The client's address and our own, as the control connection has them. */
  readonly peer: string;
  readonly local: string;
  /** Called when a transfer begins, for the commands that came before it did. */
  onTransfer: () => void = () => undefined;
  transfer: Transfer | undefined;

  user: string | undefined;
  loggedIn = false;
  cwd = '/';
  type: 'A' | 'I' = 'A';
  restartAt = 0;
  renameFrom: string | undefined;
  facts: ReadonlySet<Fact> = new Set(knownFacts);
  extendedOnly = false;
  #dataPort: DataPort | undefined;

  constructor(control: Socket, settings: Settings) {
    this.control = control;
    this.settings = settings;
    this.peer = plainAddress(control.remoteAddress ?? '');
    this.local = plainAddress(control.localAddress ?? '');
  }

  /** REIN: everything as after the greeting. */
  reset(): void {
    this.user = undefined;
    this.loggedIn = false;
    this.cwd = '/';
    this.type = 'A';
    this.restartAt = 0;
    this.renameFrom = undefined;
    this.facts = new Set(knownFacts);
    this.extendedOnly = false;
    this.setDataPort(undefined);
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

  reply(code: number, text: string): void {
    this.#write(`${code} ${text}\r\n`);
  }

  /** RFC 959, section 4.2: `211-first`, the lines, `211 last`. No line may begin with three digits. */
  replyLines(code: number, first: string, lines: readonly string[], last: string): void {
    this.#write([`${code}-${first}`, ...lines, `${code} ${last}`, ''].join('\r\n'));
  }

  /** One write a reply, as some clients take one segment for one reply; FF doubled for Telnet. */
  #write(text: string): void {
    if (this.control.writable) this.control.write(text.replaceAll('\xff', '\xff\xff'), 'latin1');
  }
}
