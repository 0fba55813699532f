import type { ExchangeQueue } from '../../helper/exchange-queue.ts';
import type { ControlChannels } from './control-channels.ts';
import type { Lifetime } from './lifetime.ts';

/** How long a server may take to reply to an empty line that other commands wait for, in milliseconds. */
const patience = 1000;

/** Some servers (vsftpd, ProFTPD) do not reply to an empty line: commands after it must not wait for long. */
export class EmptyLines {
  readonly #exchanges: ExchangeQueue;
  readonly #channels: ControlChannels;
  readonly #lifetime: Lifetime;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchanges: ExchangeQueue, channels: ControlChannels, lifetime: Lifetime) {
    this.#exchanges = exchanges;
    this.#channels = channels;
    this.#lifetime = lifetime;
  }

  /** Something waits: if that is for the answer to an empty line, it waits no longer than a moment. */
  limit(): void {
    if (this.#timer || !this.#exchanges.waitsForEmptyLine) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#lifetime.isOver) return;
      this.#channels.client.send(this.#exchanges.forgetEmptyLines());
      this.#channels.client.release('reply');
      this.#channels.flush();
    }, patience).unref();
  }
}
