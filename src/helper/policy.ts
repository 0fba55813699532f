import type { CommandReason } from '../events.ts';
import { familyOf, withoutZone, type Address, type Family } from '../net/address.ts';
import { contains, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { portIn, type PortRange } from '../net/port-range.ts';
import type { TlsPolicy } from './tls-policy.ts';

/** The settings that decisions depend on, as they were configured. */
export interface DecisionSettings {
  /** Networks that a data connection may come from and go to besides the control channel's own peer. */
  readonly fxpPeers: readonly Cidr[];
  /** Ports of a client, and of the server, that nobody is led to. */
  readonly denyPorts: readonly PortRange[];
  /** Where the server listens in passive mode; empty: anywhere that is not denied. */
  readonly serverPassivePorts: readonly PortRange[];
  /** Clients in these networks are told the address that they connected to. */
  readonly localNetworks: readonly Cidr[];
}

/** All that decisions depend on, and no session changes. */
export interface Policy extends DecisionSettings {
  /** All other clients are told this address, if there is one for their family. */
  readonly publicAddress: (family: Family) => Address | undefined;
  readonly tls: TlsPolicy;
}

/** Why the relay must not dial what a client announced; `undefined` where it may. */
export function whyNotDial(endpoint: Endpoint, client: Address, policy: Policy): CommandReason | undefined {
  const isPeer = endpoint.address === withoutZone(client) || inAny(policy.fxpPeers, endpoint.address);
  if (!isPeer) return 'not-the-peer';
  if (endpoint.port < 1024) return 'port-below-1024';
  if (portIn(policy.denyPorts, endpoint.port)) return 'denied-port';
  return undefined;
}

/**
 * Why a client must not be led to the port that the server announced: an answer that somebody else has written, or made
 * the server write, would let the client speak to other services there. Undefined where it may.
 */
export function whyNotLead(
  port: number,
  { serverPassivePorts, denyPorts }: Pick<Policy, 'serverPassivePorts' | 'denyPorts'>,
): CommandReason | undefined {
  if (serverPassivePorts.length > 0) return portIn(serverPassivePorts, port) ? undefined : 'denied-port';
  if (port < 1024) return 'port-below-1024';
  return portIn(denyPorts, port) ? 'denied-port' : undefined;
}

/** The address to announce to a client that connected to `reached`. */
export function announcedAddress(client: Address, reached: Address, policy: Policy): Address {
  if (inAny(policy.localNetworks, client)) return reached;
  return policy.publicAddress(familyOf(reached)) ?? reached;
}

function inAny(networks: readonly Cidr[], address: Address): boolean {
  return networks.some((network) => contains(network, address));
}
