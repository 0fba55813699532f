import type { Server, Socket } from 'node:net';
import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { listenAt } from '../net/listen.ts';

/** The listener of one endpoint, there as long as somebody is expected. */
export class SharedListener {
  readonly #server: Server;
  readonly #listening: Promise<boolean>;
  #users = 0;
  readonly #gone: (listener: SharedListener) => void;
  readonly #address: Address;

  /** Where it listens, once it does. */
  get endpoint(): Endpoint {
    const bound = this.#server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    return { address: this.#address, port };
  }

  /** To be asked while it is there. */
  get closed(): Promise<void> {
    return new Promise((resolve) => this.#server.once('close', resolve));
  }

  constructor(
    endpoint: Endpoint,
    accept: (socket: Socket) => void,
    gone: (listener: SharedListener) => void,
  ) {
    this.#gone = gone;
    this.#address = endpoint.address;
    this.#server = listenAt(endpoint, accept);
    this.#listening = new Promise((resolve, reject) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
        else reject(error);
      });
      this.#server.once('listening', () => {
        resolve(true);
      });
    });
  }

  async acquire(): Promise<boolean> {
    this.#users++;
    try {
      if (await this.#listening) return true;
    } catch (error) {
      this.release();
      throw error;
    }
    this.release();
    return false;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#gone(this);
    this.#server.close();
  }
}
