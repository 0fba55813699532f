import { familyOfListener, isReachable, isWildcard, type ListenAddress } from '../config/listening.ts';
import { relaysActive, relaysPassive } from '../helper/carrying.ts';
import { familyOf, isLoopback, type Family } from '../net/address.ts';
import { contains, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { addressesOf, isServerHere, networkOf, openingsOf, wholeFamily } from './listeners.ts';
import {
  anywhere,
  familyOfCidr,
  isWholeFamily,
  RulesetError,
  type Plan,
  type Rule,
  type RulesetOptions,
  type Served,
} from './plan.ts';
import { whyRelayed } from './tls.ts';

const ftp = 21;
/** TLS from the first byte. */
const ftps = 990;

/** @throws {RulesetError} */
export function planWithPinhole(options: RulesetOptions): Served {
  const { deployment, server, clientNetworks } = options;
  const intercepts = deployment === 'gateway-intercept';
  if (!intercepts && !server) {
    throw new RulesetError(
      'server is not named, and the rules depend on it; allowed: --server ADDRESS[:PORT]',
    );
  }
  if (intercepts && clientNetworks.length === 0) {
    throw new RulesetError(
      'client-networks are not named, and the rules redirect their sessions; allowed: --client-networks 10.77.0.0/24',
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
  const { passivePorts, tls } = options;
  const listen = options.listen.filter(isReachable);
  const listenTls = tls.listen.filter(isReachable);
  const opened = (listeners: readonly ListenAddress[], kind: string): Rule[] =>
    openingsOf(listeners).map((opening) => ({
      comment: `control channel of both modes${kind}: client, any port above 1023 -> port ${opening.ports[0].first}`,
      ...opening,
      limited: true,
    }));
  const control = [...opened(listen, ''), ...opened(listenTls, ', TLS from the first byte')];
  const goesOn =
    tls.mode === 'pass'
      ? 'each leads to the same port of the server for TLS that is passed'
      : 'Pinhole goes on to the server';
  const passive: Rule = {
    comment: `passive mode, data: client, any port above 1023 -> passive-ports; ${goesOn}${whyRelayed(options)}`,
    to: addressesOf([...listen, ...listenTls]),
    ports: [passivePorts],
  };
  const isPassiveHere = control.length > 0 && relaysPassive(options);
  return [...control, ...(isPassiveHere ? [passive] : []), ...activeOf(options, server)];
}

/** The server's packets to the client's own address have the mark, and this host's own packets arrive on lo. */
function activeOf(options: RulesetOptions, server: Endpoint): Rule[] {
  if (!relaysActive(options) || options.keepClientAddress || isServerHere(options)) return [];
  return [
    {
      comment: `active mode, data: server, port 20 -> active-ports; Pinhole goes on to the client from port 20${whyRelayed(options)}`,
      from: [networkOf(server.address, 'server')],
      ports: [options.activePorts],
    },
  ];
}

/** Sessions of clients inside, of one family, and the listener that they are led to. */
interface Interception {
  /** Of the servers. */
  readonly port: typeof ftp | typeof ftps;
  readonly family: Family;
  readonly from: readonly Cidr[];
  readonly to: readonly Cidr[];
  readonly listener: ListenAddress;
}

function interceptions({ clientNetworks, interceptNetworks, listen, tls }: RulesetOptions): Interception[] {
  const families = [...new Set(clientNetworks.map(familyOfCidr))];
  return families.flatMap((family) => {
    const from = clientNetworks.filter((network) => familyOfCidr(network) === family);
    const to = interceptNetworks.filter((network) => familyOfCidr(network) === family);
    const named = from.map(({ text }) => text).join(', ');
    if (to.length === 0 && interceptNetworks.length > 0) {
      throw new RulesetError(
        `client-networks: ${named}, and intercept-networks contain no IPv${family} network that they may reach; allowed: client-networks of the same family`,
      );
    }
    const listener = listenerFor(from, family, listen.filter(isReachable));
    if (!listener) {
      throw new RulesetError(
        `client-networks: ${named}, and no IPv${family} listener is reachable from other hosts; allowed: client-networks of the family of --listen, or an IPv${family} address in --listen too`,
      );
    }
    const caught = { family, from, to: to.some(isWholeFamily) ? anywhere : to };
    const secured = listenerFor(from, family, tls.listen.filter(isReachable));
    return [
      { ...caught, port: ftp, listener },
      ...(secured ? [{ ...caught, port: ftps, listener: secured } as const] : []),
    ];
  });
}

/** Rather one on the side of the clients, where several are of the family. */
function listenerFor(
  clients: readonly Cidr[],
  family: Family,
  listen: readonly ListenAddress[],
): ListenAddress | undefined {
  const possible = listen.filter((each) => (familyOfListener(each) ?? family) === family);
  const near = possible.find(
    ({ address }) => address && clients.some((network) => contains(network, address)),
  );
  return near ?? possible[0];
}

/** What is sent to the servers outside, on its way in. */
function caughtBy({ port, from, to }: Interception): Rule {
  return {
    comment: `control channel${kindOf(port)}: what clients inside send to port ${port} of any server`,
    from,
    to,
    ports: [{ first: port, last: port }],
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
  const { activePorts, keepClientAddress } = options;
  const control = caught.map(({ port: meant, from, listener: { address, port } }): Rule => ({
    comment: `control channel of both modes${kindOf(meant)}: client inside -> any server, led to this host`,
    from,
    to: address === undefined || isWildcard(address) ? anywhere : [networkOf(address, 'listen')],
    ports: [{ first: port, last: port }],
    limited: true,
  }));
  if (!relaysActive(options) || keepClientAddress) return control;
  return [
    ...control,
    {
      comment: `active mode, data: server outside, port 20 -> active-ports; Pinhole goes on to the client${whyRelayed(options)}`,
      from: caught
        .filter(({ port }) => port === ftp)
        .flatMap(({ family, to }) => (to.length > 0 ? to : [wholeFamily(family)])),
      ports: [activePorts],
    },
  ];
}

function kindOf(port: Interception['port']): string {
  return port === ftps ? ', TLS from the first byte' : '';
}

/** Data connections under borrowed addresses reach the relay plane by its mark. */
function marked(options: RulesetOptions): Rule[] {
  const { keepClientAddress, deployment, kernelMark } = options;
  if (!relaysPassive(options) || !(keepClientAddress || deployment === 'gateway-intercept')) return [];
  const comment = `data of both modes that a pinhole lets in to another host's address${whyRelayed(options)}`;
  return [{ comment, mark: kernelMark }];
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
