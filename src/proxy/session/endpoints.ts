import type { Address } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';

/** The endpoints of a session's two control connections, taken while they were connected. */
export interface SessionEndpoints {
  readonly client: Endpoint;
  /** Where the client connected to: the relay, or the server that it meant where the session is intercepted. */
  readonly reached: Endpoint;
  readonly server: Endpoint;
  /** Where the server sees the session come from: the relay, or the client where its address is kept. */
  readonly inside: Endpoint;
  /** This host's own addresses on the two connections. What differs from them above is borrowed. */
  readonly own: { readonly client: Address; readonly server: Address };
}

/** Whether the client was led here on its way to the server itself. */
export function isIntercepted({ reached, own }: SessionEndpoints): boolean {
  return reached.address !== own.client;
}
