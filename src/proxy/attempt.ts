import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { tcpChannel, type Channel } from '../net/channel.ts';
import type { Dialling } from '../net/dial.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import { NoSession, refusalOf } from './establish.ts';
import type { GreetingPlace } from './greeting-queue.ts';
import type { SessionRate } from './session-rate.ts';

const noGreeting = 'the server has not yet greeted earlier sessions of this client';

/** A session being established: an admitted client whose server has not replied yet. What it waits for can be aborted. */
export class Attempt {
  /** TCP, or TLS over it as soon as that is there. */
  client: Channel;
  #stopWaiting: () => void;
  #leaveQueue: () => void = () => undefined;
  #isAborted = false;

  constructor(socket: Socket) {
    this.client = tcpChannel(socket);
    this.#stopWaiting = () => void socket.destroy();
  }

  /** Gives up, as no session is begun any more. */
  abort(): void {
    this.#isAborted = true;
    this.#stopWaiting();
  }

  /** The server has greeted it, or will not: others may go to that. */
  greeted(): void {
    this.#leaveQueue();
  }

  /**
   * Sessions that do not log in begin slowly. Returns whether it has waited.
   *
   * @param longest milliseconds
   * @throws {NoSession}
   */
  async keepRate(rate: SessionRate, longest: number): Promise<boolean> {
    const wait = rate.begin(longest);
    if (wait === undefined) {
      const reason = 'too-many-new-sessions';
      throw new NoSession(reason, refusalOf(reason));
    }
    if (wait === 0) return false;
    const before = this.#stopWaiting;
    const aborted = new AbortController();
    this.#stopWaiting = () => {
      aborted.abort();
    };
    await delay(wait, undefined, aborted).catch(ignoreError);
    this.#throwIfAborted();
    this.#stopWaiting = before;
    return true;
  }

  /**
   * Few of one client's wait for the server's greeting at once. Returns whether it has waited.
   *
   * @param reason why there is no session where its turn does not come in time
   * @throws {NoSession}
   */
  async waitForTurn(
    { turn, waits, leave }: GreetingPlace,
    reason: 'loop' | 'server-unreachable',
  ): Promise<boolean> {
    this.#leaveQueue = leave;
    this.#stopWaiting = leave;
    const isInTime = await turn;
    this.#throwIfAborted();
    if (!isInTime) throw new NoSession(reason, refusalOf(reason), noGreeting);
    return waits;
  }

  /** @throws {NoSession} where the server cannot be reached */
  async connect(dialling: Dialling): Promise<Socket> {
    this.#stopWaiting = () => {
      dialling.abort();
    };
    try {
      const connected = await dialling.connected;
      this.#stopWaiting = () => {
        connected.destroy();
      };
      return connected;
    } catch (error) {
      throw new NoSession('server-unreachable', refusalOf('server-unreachable'), messageOf(error));
    }
  }

  #throwIfAborted(): void {
    if (this.#isAborted) throw new NoSession('shutdown', refusalOf('shutdown'));
  }
}
