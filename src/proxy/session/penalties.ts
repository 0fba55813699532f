import { replies } from '../../helper/replies.ts';
import type { ControlChannel } from './control-channel.ts';
import type { ControlChannels } from './control-channels.ts';
import type { Lifetime } from './lifetime.ts';
import { Refusals } from './refusals.ts';

/** A client that earns nothing but refusals is read more and more slowly, and disconnected in the end. */
export class Penalties {
  readonly #refusals: Refusals;
  readonly #channels: ControlChannels;
  readonly #lifetime: Lifetime;
  #timer: NodeJS.Timeout | undefined;

  constructor(maxRefusals: number, channels: ControlChannels, lifetime: Lifetime) {
    this.#refusals = new Refusals(maxRefusals);
    this.#channels = channels;
    this.#lifetime = lifetime;
  }

  /**
   * The client has got a refusal.
   *
   * @param from whose refusal it was: no other comes before its time
   */
  add(from: ControlChannel): void {
    const { client } = this.#channels;
    const delay = this.#refusals.add();
    if (delay === undefined) {
      const error = `${this.#refusals.count} refusals in a row`;
      this.#lifetime.finish('too-many-refusals', replies.tooManyRefusals, error);
    } else if (delay > 0 && !client.hasEnded) {
      client.hold('penalty');
      from.hold('penalty');
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.end();
      }, delay).unref();
    }
  }

  /** The client has had an answer that is no refusal. */
  clear(): void {
    this.#refusals.clear();
  }

  /** Lets both sides be read again. */
  end(): void {
    this.#channels.client.release('penalty');
    this.#channels.server.release('penalty');
  }
}
