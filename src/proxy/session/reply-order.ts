import { well, type DataOutcome } from '../../plane/plane.ts';
import type { ControlChannels } from './control-channels.ts';
import type { Lifetime } from './lifetime.ts';

/** Holds a reply of the server's that speaks of a data connection, until what it says is so for the client as well. */
export class ReplyOrder {
  readonly #channels: ControlChannels;
  readonly #lifetime: Lifetime;
  /** Lets the reply go on that is held, whatever it waits for. */
  #end: () => void = () => undefined;

  constructor(channels: ControlChannels, lifetime: Lifetime) {
    this.#channels = channels;
    this.#lifetime = lifetime;
  }

  /**
   * Nothing more of the server's goes on before that is known, or `end` is called.
   *
   * @param pass lets the reply go on
   */
  hold(outcome: Promise<DataOutcome>, pass: (outcome: DataOutcome) => void): void {
    let isOver = false;
    const end = (known: DataOutcome): void => {
      if (isOver) return;
      isOver = true;
      this.#end = () => undefined;
      if (!this.#lifetime.isOver) pass(known);
      this.#channels.server.release('order');
      this.#channels.flush();
    };
    this.#channels.server.hold('order');
    this.#end = () => {
      end(well);
    };
    void outcome.then(end);
  }

  /** The reply that is held goes on: the client wants no more of what it waits for, or will not see it. */
  end(): void {
    this.#end();
  }
}
