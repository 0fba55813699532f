import { announcedAddress } from '../../helper/policy.ts';
import { familyOf, type Address } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';
import { anyPort } from '../../net/port-range.ts';
import type { PinholeRequest } from '../../plane/plane.ts';
import { isIntercepted, type SessionEndpoints } from './endpoints.ts';
import type { SessionSettings } from './settings.ts';

/** Where a pinhole is, who may come to it, and where it leads. */
export type PinholePlace = Pick<
  PinholeRequest,
  'peer' | 'alsoFrom' | 'address' | 'own' | 'ports' | 'to' | 'from'
>;

/** For passive mode: the client connects to the address that it knows. `port` is the port that the server announced. */
export function placeForClient(
  endpoints: SessionEndpoints,
  { passivePorts, policy }: SessionSettings,
  port: number,
): PinholePlace {
  const { client, reached, server, inside, own } = endpoints;
  return {
    peer: client.address,
    alsoFrom: policy.fxpPeers,
    address: reached.address,
    own: { near: own.client, far: own.server },
    ports: isIntercepted(endpoints) ? anyPort : passivePorts,
    // The address that a reply names is never dialled: only the server that the relay knows is.
    to: { address: server.address, port },
    // A server may check that a data connection comes from where its control connection does.
    from: { address: inside.address, port: 0 },
  };
}

/** Of active mode: the server comes to where it sees the session come from. `to` is where the client listens. */
export function placeForServer(
  endpoints: SessionEndpoints,
  { activePorts, dataSourcePort }: SessionSettings,
  to: Endpoint,
): PinholePlace {
  const { reached, server, inside, own } = endpoints;
  return {
    peer: server.address,
    alsoFrom: [],
    address: inside.address,
    own: { near: own.server, far: own.client },
    ports: inside.address === own.server ? activePorts : anyPort,
    to,
    // A server that the client knows by its own address is seen to connect from its own port.
    from: { address: reached.address, port: isIntercepted(endpoints) ? 0 : dataSourcePort },
  };
}

/** What a reply to PASV announces to the client. */
export function addressForClient(endpoints: SessionEndpoints, { policy }: SessionSettings): Address {
  const { client, reached } = endpoints;
  // The public address stands for this host, not for a server elsewhere.
  return isIntercepted(endpoints)
    ? reached.address
    : announcedAddress(client.address, reached.address, policy);
}

/** What PORT and EPRT announce to the server. */
export function addressForServer({ inside }: SessionEndpoints, { insideAddress }: SessionSettings): Address {
  return insideAddress(familyOf(inside.address)) ?? inside.address;
}
