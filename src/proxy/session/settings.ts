import type { Policy } from '../../helper/policy.ts';
import type { Address, Family } from '../../net/address.ts';
import type { PortRange } from '../../net/port-range.ts';

/** What all sessions of a listener have in common. Durations are in milliseconds. */
export interface SessionSettings {
  readonly policy: Policy;
  readonly passivePorts: PortRange;
  readonly activePorts: PortRange;
  /** The port that active mode dials from; 0 for any. */
  readonly dataSourcePort: number;
  /** The address announced to the server in PORT and EPRT, if it is not the relay's own source address. */
  readonly insideAddress: (family: Family) => Address | undefined;
  readonly expectTimeout: number;
  readonly loginTimeout: number;
  readonly idleTimeout: number;
  /** Consecutive refusals that end a session (`Penalties`); 0 for any number. */
  readonly maxRefusals: number;
  /** For the peer to end TLS after CCC. */
  readonly tlsTimeout: number;
}
