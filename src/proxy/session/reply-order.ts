import { well, type DataOutcome } from '../../plane/plane.ts';
import type { ControlChannels } from './control-channels.ts';
import type { Lifetime } from './lifetime.ts';

/** Holds a reply of the server about a data connection until it is true for the client as well. */
export class ReplyOrder {
  readonly #channels: ControlChannels;
  readonly #lifetime: Lifetime;
  /** Releases the held reply, whatever it waits for. */
  #end: () => void = () => undefined;

  constructor(channels: ControlChannels, lifetime: Lifetime) {
    this.#channels = channels;
    this.#lifetime = lifetime;
  }

  /**
   * No further reply of the server is sent on before that is known, or `end` is called.
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

  /** The held reply is sent on: the client no longer needs what it waits for, or will not see it. */
  end(): void {
    this.#end();
  }
}
