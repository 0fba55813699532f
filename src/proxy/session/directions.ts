import type { Lifetime } from './lifetime.ts';
import type { SessionParts } from './parts.ts';
import type { Penalties } from './penalties.ts';
import type { ReplyOrder } from './reply-order.ts';
import type { SessionTls } from './tls.ts';

/** What the two directions of a session share. */
export interface DirectionParts extends SessionParts {
  readonly lifetime: Lifetime;
  readonly tls: SessionTls;
  readonly penalties: Penalties;
  readonly order: ReplyOrder;
}
