import type { Config } from '../config/config.ts';
import type { ListenAddress } from '../config/listening.ts';
import type { TlsPolicy } from '../helper/tls-policy.ts';
import type { Family } from '../net/address.ts';
import { formatCidr, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PortRange } from '../net/port-range.ts';

export const deployments = [
  'in-front',
  'gateway',
  'gateway-intercept',
  'kernel-helper',
  'server-alone',
] as const;
export type Deployment = (typeof deployments)[number];

/** What the rules are made from; of the configuration of `pinhole run` what concerns them. */
export interface RulesetOptions {
  readonly deployment: Deployment;
  readonly plane: Config['plane'];
  /** The FTP server; undefined: it is on this host (kernel-helper, server-alone), or there is none (gateway-intercept). */
  readonly server: Endpoint | undefined;
  readonly listen: readonly ListenAddress[];
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
  readonly tls: TlsOptions;
}

/** What of TLS concerns ports and servers. */
export interface TlsOptions extends Omit<TlsPolicy, 'allowsClear'> {
  /** Where control channels are TLS from their first byte. */
  readonly listen: readonly ListenAddress[];
  /** What the server has to announce where nobody rewrites it: an address or a host name. */
  readonly publicAddress: string | undefined;
}

/** One thing that is let through. What is undefined may be anything. */
export interface Rule {
  /** Which flow of which mode this is. */
  readonly comment: string;
  readonly from?: readonly Cidr[];
  readonly to?: readonly Cidr[];
  /** Addresses of this host alone: where connections are not sorted yet, others are on their way through it. */
  readonly local?: true;
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
  /** Through this host; undefined: it does not forward, and needs no rules for that. Everything else is dropped. */
  readonly forward: readonly Rule[] | undefined;
  /** Families of which the kernel forwards data connections. */
  readonly forwards: readonly Family[];
  /** New connections that the kernel's helper is to watch. */
  readonly watch: readonly Rule[];
  /** Connections that are led to another endpoint. */
  readonly lead: readonly (Rule & { readonly target: Endpoint })[];
  /** Connections that are led to a port of this host, at the address of the interface that they come in by. */
  readonly redirect: readonly (Rule & { readonly port: number })[];
}

/** A setting without which the rules can't be made. The message is one line. */
export class RulesetError extends Error {
  override readonly name = 'RulesetError';
}

/** Whether Pinhole runs in this deployment. */
export function usesPinhole({ deployment }: Pick<RulesetOptions, 'deployment'>): boolean {
  return deployment !== 'kernel-helper' && deployment !== 'server-alone';
}

/** What is decided of a plan before it has its heading. */
export type Served = Omit<Plan, 'options' | 'heading'>;

/** Of a rule's addresses: any, of both families. */
export const anywhere: readonly Cidr[] = [];

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

/** Whether it is all addresses of its family: it names that alone. */
export function isWholeFamily({ masks }: Cidr): boolean {
  return masks.every((mask) => mask === 0);
}
