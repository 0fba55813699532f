import type { ControlChannel } from './control-channel.ts';

/** The two control channels of a session. */
export class ControlChannels {
  readonly client: ControlChannel;
  readonly server: ControlChannel;

  constructor(client: ControlChannel, server: ControlChannel) {
    this.client = client;
    this.server = server;
  }

  /** A peer that does not read what is written for it holds back whoever causes it to be written. */
  flush(): void {
    if (!this.server.flush()) this.client.hold('server-drain');
    if (!this.client.flush()) {
      this.server.hold('client-drain');
      this.client.hold('client-drain');
    }
  }

  clientDrained(): void {
    this.client.release('client-drain');
    this.server.release('client-drain');
  }

  serverDrained(): void {
    this.client.release('server-drain');
  }

  /** The plane takes a moment: `held` delivers no line until then. */
  async whileHeld(held: ControlChannel, work: () => Promise<void>): Promise<void> {
    held.hold('pinhole');
    try {
      await work();
    } finally {
      held.release('pinhole');
      this.flush();
    }
  }
}
