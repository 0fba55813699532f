import { familyOf, isLoopback, type Family } from '../net/address.ts';
import { contains, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import {
  addressesOf,
  familyOfListener,
  isServerHere,
  isWildcard,
  networkOf,
  openingsOf,
  reachable,
  wholeFamily,
} from './listeners.ts';
import {
  anywhere,
  familyOfCidr,
  isWholeFamily,
  RulesetError,
  type Listener,
  type Plan,
  type Rule,
  type RulesetOptions,
  type Served,
} from './plan.ts';

const ftp = 21;

/** @throws {RulesetError} */
export function planWithPinhole(options: RulesetOptions): Served {
  const { deployment, server, clientNetworks } = options;
  const intercepts = deployment === 'gateway-intercept';
  if (!intercepts && !server) {
    throw new RulesetError(
      'server is not named, and the rules are for what it opens: --server ADDRESS[:PORT]',
    );
  }
  if (intercepts && clientNetworks.length === 0) {
    throw new RulesetError(
      'client-networks are not named, and the rules redirect their sessions: --client-networks 10.77.0.0/24',
    );
  }
  const caught = intercepts ? interceptions(options) : [];
  return {
    input: [
      ...(server ? serving(options, server) : []),
      ...(intercepts ? intercepting(options, caught) : []),
      ...marked(options),
    ],
    forward: forwardOf(options),
    forwards: options.plane === 'kernel' ? familiesOf(options, caught) : [],
    watch: [],
    lead: caught.flatMap(leading),
    redirect: caught.flatMap(redirecting),
  };
}

/** To a server inside, by the relay's own ports. */
function serving(options: RulesetOptions, server: Endpoint): Rule[] {
  const { passivePorts, plane } = options;
  const listen = reachable(options.listen);
  const control = openingsOf(listen).map((opening): Rule => ({
    comment: `control channel of both modes: client, any port above 1023 -> port ${opening.ports[0].first}`,
    ...opening,
    limited: true,
  }));
  if (plane === 'kernel') return control;
  const passive: Rule = {
    comment:
      'passive mode, data: client, any port above 1023 -> passive-ports; Pinhole goes on to the server',
    to: addressesOf(listen),
    ports: [passivePorts],
  };
  return [...control, ...(listen.length > 0 ? [passive] : []), ...activeOf(options, server)];
}

/** What the server sends to the client's own address has the mark, and what comes from this host comes by lo. */
function activeOf(options: RulesetOptions, server: Endpoint): Rule[] {
  if (options.keepClientAddress || isServerHere(options)) return [];
  return [
    {
      comment:
        'active mode, data: server, port 20 -> active-ports; Pinhole goes on to the client from port 20',
      from: [networkOf(server.address, 'server')],
      ports: [options.activePorts],
    },
  ];
}

/** Sessions of clients inside, of one family, and the listener that they are led to. */
interface Interception {
  readonly family: Family;
  readonly from: readonly Cidr[];
  readonly to: readonly Cidr[];
  readonly listener: Listener;
}

function interceptions({ clientNetworks, interceptNetworks, listen }: RulesetOptions): Interception[] {
  const families = [...new Set(clientNetworks.map(familyOfCidr))];
  return families.map((family) => {
    const from = clientNetworks.filter((network) => familyOfCidr(network) === family);
    const to = interceptNetworks.filter((network) => familyOfCidr(network) === family);
    const named = from.map(({ text }) => text).join(', ');
    if (to.length === 0 && interceptNetworks.length > 0) {
      throw new RulesetError(
        `client-networks: ${named}, and intercept-networks name nothing of IPv${family} that they may reach; allowed: client-networks of the same family`,
      );
    }
    const listener = listenerFor(from, family, reachable(listen));
    if (!listener) {
      throw new RulesetError(
        `client-networks: ${named}, and nothing listens for IPv${family} where other hosts reach it; allowed: client-networks of the family of --listen, or an IPv${family} address there too`,
      );
    }
    return { family, from, to: to.some(isWholeFamily) ? anywhere : to, listener };
  });
}

/** Rather one on the side of the clients, where several are of the family. */
function listenerFor(
  clients: readonly Cidr[],
  family: Family,
  listen: readonly Listener[],
): Listener | undefined {
  const possible = listen.filter((each) => (familyOfListener(each) ?? family) === family);
  const near = possible.find(
    ({ address }) => address && clients.some((network) => contains(network, address)),
  );
  return near ?? possible[0];
}

/** What is sent to the servers outside, on its way in. */
function caughtBy({ from, to }: Interception): Rule {
  return {
    comment: 'control channel: what clients inside send to port 21 of any server',
    from,
    to,
    ports: [{ first: ftp, last: ftp }],
  };
}

function leading(caught: Interception): Plan['lead'] {
  const { address, port } = caught.listener;
  if (address === undefined || isWildcard(address)) return [];
  return [{ ...caughtBy(caught), target: { address, port } }];
}

function redirecting(caught: Interception): Plan['redirect'] {
  const { address, port } = caught.listener;
  return isWildcard(address) ? [{ ...caughtBy(caught), port }] : [];
}

/** From clients inside to servers outside. */
function intercepting(options: RulesetOptions, caught: readonly Interception[]): Rule[] {
  const { activePorts, plane, keepClientAddress } = options;
  const control = caught.map(({ from, listener: { address, port } }): Rule => ({
    comment: 'control channel of both modes: client inside -> any server, led to this host',
    from,
    to: address === undefined || isWildcard(address) ? anywhere : [networkOf(address, 'listen')],
    ports: [{ first: port, last: port }],
    limited: true,
  }));
  if (plane === 'kernel' || keepClientAddress) return control;
  return [
    ...control,
    {
      comment: 'active mode, data: server outside, port 20 -> active-ports; Pinhole goes on to the client',
      from: caught.flatMap(({ family, to }) => (to.length > 0 ? to : [wholeFamily(family)])),
      ports: [activePorts],
    },
  ];
}

/** Data connections under borrowed addresses reach the relay plane by its mark. */
function marked({ plane, keepClientAddress, deployment, kernelMark }: RulesetOptions): Rule[] {
  if (plane === 'kernel' || !(keepClientAddress || deployment === 'gateway-intercept')) return [];
  return [
    { comment: "data of both modes that a pinhole lets in to another host's address", mark: kernelMark },
  ];
}

function forwardOf({ deployment, plane, kernelMark }: RulesetOptions): readonly Rule[] | undefined {
  if (deployment === 'in-front' && plane === 'relay') return undefined;
  if (plane === 'relay') return [];
  return [
    {
      comment: 'data of both modes that a pinhole lets in: passive client -> server, active server -> client',
      mark: kernelMark,
    },
  ];
}

/** What the kernel forwards has one family on both sides: the server's. */
function familiesOf({ server }: RulesetOptions, caught: readonly Interception[]): Family[] {
  const families = caught.map(({ family }) => family);
  if (server && !isLoopback(server.address)) families.push(familyOf(server.address));
  return [...new Set(families)].sort();
}
