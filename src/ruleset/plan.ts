import { isLoopback, type Address, type Family } from '../net/address.ts';
import { formatCidr, parseCidr, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { formatPortRange, type PortRange } from '../net/port-range.ts';

export const deployments = ['in-front', 'gateway', 'gateway-intercept', 'kernel-helper'] as const;
export type Deployment = (typeof deployments)[number];

/** What the rules are made from; of the configuration of `pinhole run` what concerns them. */
export interface RulesetOptions {
  readonly deployment: Deployment;
  readonly plane: 'relay' | 'kernel';
  /** The FTP server; undefined: it is on this host (kernel-helper), or there is none (gateway-intercept). */
  readonly server: Endpoint | undefined;
  /** Where clients connect; `address` undefined: anywhere. */
  readonly listen: readonly { readonly address: Address | undefined; readonly port: number }[];
  readonly passivePorts: PortRange;
  readonly activePorts: PortRange;
  readonly keepClientAddress: boolean;
  /** Whose sessions are intercepted. */
  readonly clientNetworks: readonly Cidr[];
  /** Where intercepted sessions may go. */
  readonly interceptNetworks: readonly Cidr[];
  readonly kernelMark: number;
  /** New sessions a minute from one address. */
  readonly sessionRate: number;
  /** What else this host serves, over TCP. */
  readonly openPorts: readonly PortRange[];
}

/** One thing that is let through. What is undefined may be anything. */
export interface Rule {
  /** Which flow of which mode this is. */
  readonly comment: string;
  readonly from?: readonly Cidr[];
  readonly to?: readonly Cidr[];
  readonly ports?: readonly PortRange[];
  /** New connections from one address are limited. */
  readonly limited?: true;
  /** The connection mark that it has. */
  readonly mark?: number;
  /** It is a data connection that the kernel's FTP helper expects. */
  readonly expectedByHelper?: true;
}

/** A ruleset in no tool's language. */
export interface Plan {
  readonly options: RulesetOptions;
  /** What it is, for the top of each file. */
  readonly heading: readonly string[];
  /** To this host. All else is dropped. */
  readonly input: readonly Rule[];
  /** Through this host; undefined: it forwards nothing, and need not say so. All else is dropped. */
  readonly forward: readonly Rule[] | undefined;
  /** New connections that the kernel's helper is to watch. */
  readonly watch: Rule | undefined;
  /** Connections that are led to the server. */
  readonly lead: (Rule & { readonly target: Endpoint }) | undefined;
  /** Connections that are led to this host's own port. */
  readonly redirect: (Rule & { readonly port: number }) | undefined;
}

/** A setting without which the rules can't be made. The message is one line. */
export class RulesetError extends Error {
  override readonly name = 'RulesetError';
}

const anywhere: readonly Cidr[] = [];
const unprivileged: PortRange = { first: 1024, last: 65535 };
const ftp = 21;

const titles: Readonly<Record<Deployment, string>> = {
  'in-front': 'Pinhole in front of an FTP server',
  gateway: 'Pinhole on the gateway in front of an FTP server',
  'gateway-intercept': 'Pinhole on the gateway, for clients inside and servers outside',
  'kernel-helper': "The kernel's own FTP helper, without Pinhole",
};

/** @throws {RulesetError} */
export function planOf(options: RulesetOptions): Plan {
  const { deployment, openPorts } = options;
  const served = deployment === 'kernel-helper' ? planWithHelper(options) : planWithPinhole(options);
  const besides: readonly Rule[] =
    openPorts.length > 0 ? [{ comment: 'what else this host serves', ports: openPorts }] : [];
  return { ...served, input: [...served.input, ...besides], options, heading: headingOf(options) };
}

type Served = Omit<Plan, 'options' | 'heading'>;

function planWithPinhole(options: RulesetOptions): Served {
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
  return {
    input: [
      ...(server ? serving(options, server) : []),
      ...(intercepts ? intercepting(options) : []),
      ...marked(options),
    ],
    forward: forwardOf(options),
    watch: undefined,
    lead: undefined,
    redirect: intercepts ? redirection(options) : undefined,
  };
}

/** To a server inside, by the relay's own ports. */
function serving({ listen, passivePorts, activePorts, plane }: RulesetOptions, server: Endpoint): Rule[] {
  const to = addressesOf(listen);
  const control = [...new Set(listen.map(({ port }) => port))].map((port): Rule => ({
    comment: `control channel of both modes: client, any port above 1023 -> port ${port}`,
    // Each port at the addresses that have it, and at no other.
    to: addressesOf(listen.filter((each) => each.port === port)),
    ports: [{ first: port, last: port }],
    limited: true,
  }));
  if (plane === 'kernel') return control;
  const passive: Rule = {
    comment:
      'passive mode, data: client, any port above 1023 -> passive-ports; Pinhole goes on to the server',
    to,
    ports: [passivePorts],
  };
  // What comes from this host itself comes by lo.
  if (isLoopback(server.address)) return [...control, passive];
  const active: Rule = {
    comment: 'active mode, data: server, port 20 -> active-ports; Pinhole goes on to the client from port 20',
    from: [networkOf(server.address)],
    ports: [activePorts],
  };
  return [...control, passive, active];
}

/** From clients inside to servers outside. */
function intercepting({
  clientNetworks,
  interceptNetworks,
  activePorts,
  plane,
  listen,
}: RulesetOptions): Rule[] {
  const control: Rule = {
    comment: 'control channel of both modes: client inside -> any server, redirected to this host',
    from: clientNetworks,
    ports: listen.map(({ port }) => ({ first: port, last: port })),
    limited: true,
  };
  if (plane === 'kernel') return [control];
  return [
    control,
    {
      comment: 'active mode, data: server outside, port 20 -> active-ports; Pinhole goes on to the client',
      from: isEverything(interceptNetworks) ? anywhere : interceptNetworks,
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

function redirection({ clientNetworks, interceptNetworks, listen }: RulesetOptions): Plan['redirect'] {
  return {
    comment: 'control channel: what clients inside send to port 21 of any server',
    from: clientNetworks,
    to: isEverything(interceptNetworks) ? anywhere : interceptNetworks,
    ports: [{ first: ftp, last: ftp }],
    port: listen[0]?.port ?? ftp,
  };
}

function planWithHelper({ server, listen, passivePorts }: RulesetOptions): Served {
  const to = addressesOf(listen);
  const ports = listen.map(({ port }) => ({ first: port, last: port }));
  const watch: Rule = {
    comment: 'the helper reads the control channel; it is attached by this rule alone',
    to,
    ports,
  };
  const control: Rule = {
    comment: 'control channel of both modes: client, any port above 1023 -> port ' + portsOf(listen),
    ports,
    limited: true,
  };
  const data: Rule = {
    comment:
      'passive mode, data: client, any port above 1023 -> the port of the 227 or 229; active mode: server, port 20 -> ' +
      'the port of the PORT or EPRT',
    ports: [unprivileged],
    expectedByHelper: true,
  };
  if (!server) {
    return {
      input: [
        { ...control, to },
        { ...data, ports: [passivePorts], comment: passiveOf(passivePorts) },
      ],
      forward: undefined,
      watch,
      lead: undefined,
      redirect: undefined,
    };
  }
  const target: Rule = {
    ...control,
    to: [networkOf(server.address)],
    ports: [{ first: server.port, last: server.port }],
  };
  return {
    input: [],
    forward: [target, data],
    watch,
    lead: { comment: 'control channel: led to the server', to, ports, target: server },
    redirect: undefined,
  };
}

function passiveOf(passivePorts: PortRange): string {
  return (
    `passive mode, data: client, any port above 1023 -> the server's passive ports ${formatPortRange(passivePorts)}, one ` +
    'at a time as the helper expects it; active mode goes out'
  );
}

function headingOf({ deployment, plane, server, keepClientAddress }: RulesetOptions): string[] {
  const how =
    deployment === 'kernel-helper'
      ? ''
      : `, ${plane} plane${keepClientAddress ? ', keep-client-address' : ''}`;
  const whose = deployment === 'kernel-helper' && !server ? ', on the FTP server itself' : '';
  return [
    `${titles[deployment]}${how}${whose}. Made by: pinhole rules`,
    'Flows: control  client, port above 1023 -> port 21, and back',
    '       active   server, port 20 -> client, port above 1023 (PORT, EPRT), and back',
    '       passive  client, port above 1023 -> server, port above 1023 (227, 229), and back',
    '"And back" is what is established. What goes out from this host is not filtered. All else is dropped: what else it',
    'serves is named by --open-ports, what else it forwards needs rules of your own in the chain forward.',
  ];
}

// ---- For the formats ----

/** The rule as it is for one family; undefined where it names only addresses of the other. */
export function ofFamily<R extends Rule>(rule: R, family: Family): R | undefined {
  const from = rule.from?.filter((network) => familyOfCidr(network) === family);
  const to = rule.to?.filter((network) => familyOfCidr(network) === family);
  if (isNone(rule.from, from) || isNone(rule.to, to)) return undefined;
  return { ...rule, ...(from && { from }), ...(to && { to }) };
}

function isNone(all: readonly Cidr[] | undefined, left: readonly Cidr[] | undefined): boolean {
  return all !== undefined && all.length > 0 && left?.length === 0;
}

export function familyOfCidr(network: Cidr): Family {
  return network.words.length === 2 ? 4 : 6;
}

/** `10.77.0.2` for a network of one address. */
export function textOfCidr(network: Cidr): string {
  return formatCidr(network).replace(network.words.length === 2 ? /\/32$/ : /\/128$/, '');
}

function addressesOf(listen: RulesetOptions['listen']): readonly Cidr[] {
  const addresses = listen.map(({ address }) => address);
  return addresses.includes(undefined)
    ? anywhere
    : addresses.flatMap((address) => (address ? [networkOf(address)] : []));
}

function portsOf(listen: RulesetOptions['listen']): string {
  return [...new Set(listen.map(({ port }) => port))].join(', ');
}

function networkOf(address: Address): Cidr {
  const network = parseCidr(address);
  if (!network) throw new RulesetError(`server: ${address} has a zone, and rules can't name it`);
  return network;
}

function isEverything(networks: readonly Cidr[]): boolean {
  return networks.length === 0 || networks.some(({ masks }) => masks.every((mask) => mask === 0));
}
