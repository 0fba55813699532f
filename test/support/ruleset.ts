/** Options of rulesets for tests: a base, and changes of it. */
import assert from 'node:assert/strict';
import { parseCidr, type Cidr } from '../../src/net/cidr.ts';
import { parsePortRange, type PortRange } from '../../src/net/port-range.ts';
import { filesOf, type FormatName } from '../../src/ruleset/formats.ts';
import { planOf } from '../../src/ruleset/make-plan.ts';
import type { RulesetOptions, TlsOptions } from '../../src/ruleset/plan.ts';
import { address } from './relay/hosts.ts';

type Changes = Partial<RulesetOptions>;

export function range(text: string): PortRange {
  return parsePortRange(text) ?? assert.fail(text);
}

export function network(text: string): Cidr {
  return parseCidr(text) ?? assert.fail(text);
}

const noTls: TlsOptions = {
  mode: 'refuse',
  listen: [],
  data: 'relay',
  isRequired: false,
  isRequiredForData: false,
  server: 'off',
  serverData: 'same',
  publicAddress: undefined,
};

/** Those of TLS with these changes, as changes to `inFront`. */
export function withTls(tls: Partial<TlsOptions>): Pick<RulesetOptions, 'tls'> {
  return { tls: { ...noTls, ...tls } };
}

export const inFront: RulesetOptions = {
  deployment: 'in-front',
  plane: 'relay',
  server: { address: address('10.77.0.2'), port: 21 },
  listen: [{ address: undefined, port: 21 }],
  passivePorts: range('50000-50999'),
  activePorts: range('51000-51999'),
  keepClientAddress: false,
  clientNetworks: [],
  interceptNetworks: [],
  kernelMark: 0x2121,
  sessionRate: 60,
  openPorts: [],
  tls: noTls,
};

/** What is printed with these changes to `inFront`, with the names of the files. */
export function textOf(name: FormatName, changes: Changes = {}): string {
  return filesOf(planOf({ ...inFront, ...changes }), name)
    .map(({ path, text }) => `==> ${path}\n${text}`)
    .join('');
}

/** The server is on this host. */
export const local: Changes = { server: { address: address('127.0.0.1'), port: 2121 } };
export const helper: Changes = { deployment: 'kernel-helper', server: undefined };
export const intercept: Changes = {
  deployment: 'gateway-intercept',
  server: undefined,
  listen: [
    { address: address('10.77.0.1'), port: 2121 },
    { address: address('fd77::1'), port: 2121 },
  ],
  clientNetworks: [network('10.77.0.0/24'), network('fd77::/64')],
};
