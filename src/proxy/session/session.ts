import type { Observer } from '../../events.ts';
import { newSessionState, type SessionState } from '../../helper/session-state.ts';
import type { Channel } from '../../net/channel.ts';
import type { RangePlane } from '../../plane/plane.ts';
import { SessionClock } from './clock.ts';
import { ControlChannel } from './control-channel.ts';
import { ControlChannels } from './control-channels.ts';
import type { DirectionParts } from './directions.ts';
import type { SessionEndpoints } from './endpoints.ts';
import { SessionEvents } from './events.ts';
import { FromClient } from './from-client.ts';
import { FromServer } from './from-server.ts';
import { Lifetime } from './lifetime.ts';
import type { SessionParts } from './parts.ts';
import { Penalties } from './penalties.ts';
import { SessionPinholes } from './pinholes.ts';
import { ReplyOrder } from './reply-order.ts';
import type { SessionSettings } from './settings.ts';
import type { TlsPlan } from './tls-plan.ts';
import { SessionTls } from './tls.ts';
import type { Share } from './turns.ts';

/** What one session is made of. */
interface SessionFacts {
  readonly id: number;
  readonly channels: SessionChannels;
  readonly endpoints: SessionEndpoints;
  readonly settings: SessionSettings;
  readonly tls: TlsPlan;
}

/** The two control connections of a session, established and paused. */
interface SessionChannels {
  readonly client: Channel;
  readonly server: Channel;
  /** What has been read of the server's already, one character a byte. */
  readonly greeting?: string | undefined;
}

/** What all sessions share. */
interface SessionHost {
  readonly plane: RangePlane;
  /** The client's part of the event loop's time. */
  readonly share: Share;
  readonly observe: Observer;
}

/** The reports about a session, each sent once at most. */
interface SessionEnds {
  /** The server has sent its greeting, whatever its content. */
  readonly greeted: () => void;
  /** The client has logged in. */
  readonly loggedIn: () => void;
  /** Both control connections are closed. */
  readonly over: () => void;
}

/**
 * One client's control connection and the connection to the server made for it: reads lines, has them
 * inspected, does what was decided. It owns both sockets and its pinholes, until both sockets are closed.
 */
export class Session {
  readonly #lifetime: Lifetime;

  constructor(facts: SessionFacts, host: SessionHost, { greeted, loggedIn, over }: SessionEnds) {
    const { id, channels, endpoints, settings, tls } = facts;
    const events = new SessionEvents(id, endpoints, host.observe, loggedIn);
    const client = new ControlChannel(channels.client, host.share);
    const server = new ControlChannel(channels.server, host.share, channels.greeting);
    const clock = new SessionClock(settings, {
      loginIsLate: () => {
        lifetime.loginIsLate();
      },
      wasSilent: () => lifetime.wasSilent(),
    });
    const pinholes = new SessionPinholes({ id, endpoints, settings, events }, host.plane, () => {
      clock.touch();
      lifetime.finishIfDrained();
    });
    const parts: SessionParts = {
      endpoints,
      settings,
      state: newState(facts),
      events,
      channels: new ControlChannels(client, server),
      pinholes,
      clock,
    };
    const lifetime = new Lifetime(parts, over);
    this.#lifetime = lifetime;
    const directions: DirectionParts = {
      ...parts,
      lifetime,
      tls: new SessionTls(tls, parts, lifetime),
      penalties: new Penalties(settings.maxRefusals, parts.channels, lifetime),
      order: new ReplyOrder(parts.channels, lifetime),
    };
    client.listen(new FromClient(directions));
    server.listen(new FromServer(directions, greeted));
    events.opened();
    if (channels.server.kind === 'tls') events.secured('server', channels.server);
    if (channels.client.kind === 'tls') events.secured('client', channels.client);
    server.start();
    client.start();
  }

  /** Ends the session as soon as no transfer is under way. */
  drain(): void {
    this.#lifetime.drain();
  }

  /**
   * Ends the session and its transfers at an administrator's request.
   *
   * @returns how many data connections live on, as the kernel carries them
   */
  closeByAdministrator(): number {
    return this.#lifetime.closeByAdministrator();
  }

  /** Ends the session, whose server is this relay. */
  endLoop(): void {
    this.#lifetime.endLoop();
  }

  /** Ends the session now. */
  shutDown(): void {
    this.#lifetime.shutDown();
  }
}

function newState({ channels, endpoints: { client, server, reached } }: SessionFacts): SessionState {
  return newSessionState(
    { client: client.address, server: server.address, reached: reached.address },
    { client: channels.client.kind === 'tls', server: channels.server.kind === 'tls' },
  );
}
