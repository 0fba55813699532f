import type { SessionState } from '../../helper/session-state.ts';
import type { SessionClock } from './clock.ts';
import type { ControlChannels } from './control-channels.ts';
import type { SessionEndpoints } from './endpoints.ts';
import type { SessionEvents } from './events.ts';
import type { SessionPinholes } from './pinholes.ts';
import type { SessionSettings } from './settings.ts';

/** What a session consists of, whatever is being done with it. */
export interface SessionParts {
  readonly endpoints: SessionEndpoints;
  readonly settings: SessionSettings;
  readonly state: SessionState;
  readonly events: SessionEvents;
  readonly channels: ControlChannels;
  readonly pinholes: SessionPinholes;
  readonly clock: SessionClock;
}
