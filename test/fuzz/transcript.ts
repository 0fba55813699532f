/**
 * What was seen of one dialogue from outside the relay, in the order in which it was seen. All in this file is types: the
 * model reads it, and must share nothing with the relay.
 */

export type Side = 'client' | 'server';

/** How a connection ends. */
export type EndKind = 'fin' | 'reset';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface PinholeFacts {
  readonly id: number;
  readonly mode: 'passive' | 'active';
  readonly peer: string;
  readonly at: Place;
  readonly to: Place;
}

/** What happened, text being binary, one character a byte. */
export type Entry =
  /** A peer has written this, or read it; behind TLS what TLS carries. */
  | { readonly what: 'sent' | 'got'; readonly side: Side; readonly text: string }
  /** A peer has ended its connection, or has seen the relay end it. */
  | { readonly what: 'ended' | 'saw'; readonly side: Side; readonly how: EndKind }
  /** The client has begun to speak TLS, or something in the place of it. */
  | { readonly what: 'hello' }
  /** What the relay says that it did. */
  | ({ readonly what: 'opened' } & PinholeFacts)
  | ({ readonly what: 'taken' | 'closed' } & PinholeFacts)
  /** The data channel of a pinhole is over. */
  | { readonly what: 'carried'; readonly id: number }
  | { readonly what: 'session-opened' }
  | { readonly what: 'session-closed'; readonly reason: string }
  /** AUTH was passed on: the relay sees nothing any more. */
  | { readonly what: 'opaque' }
  /** The client's data port was connected to. */
  | { readonly what: 'data-accepted'; readonly at: Place };

/** One end of a data connection. */
export interface DataEnd {
  readonly side: Side | 'stranger';
  /** All that it has written, which no other end's bytes begin as, and read. */
  readonly written: string;
  readonly read: string;
  /** How it ended its own direction, and how it saw the other one end. */
  readonly ended: EndKind | undefined;
  readonly saw: EndKind | undefined;
}

/** What is known of the two sides and of the relay's settings. */
export interface Facts {
  readonly client: string;
  /** The address that the client reached. */
  readonly relay: string;
  /** The address that the server sees the relay come from. */
  readonly inside: string;
  readonly server: string;
  readonly passivePorts: readonly [number, number];
  readonly activePorts: readonly [number, number];
  readonly denyPorts: readonly (readonly [number, number])[];
  readonly tls: 'refuse' | 'terminate' | 'pass';
  readonly plane: 'relay' | 'kernel';
}

export interface Transcript {
  readonly facts: Facts;
  readonly entries: readonly Entry[];
  readonly data: readonly DataEnd[];
}

/** What is against what was promised. */
export interface Complaint {
  /** 1 ends well, 2 bounded memory, 3 bytes as they came, 4 pinholes that were agreed on, 5 one pinhole, none left over. */
  readonly property: 1 | 2 | 3 | 4 | 5;
  readonly words: string;
}
