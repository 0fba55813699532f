import type { Socket } from 'node:net';
import { findExtendedPorts } from '../../ftp/extended-host-port.ts';
import { findHostPorts } from '../../ftp/host-port.ts';
import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { replies } from '../../helper/replies.ts';
import { familyOf, type Address } from '../../net/address.ts';
import { formatEndpoint, type Endpoint } from '../../net/endpoint.ts';
import { fine, type Finding } from '../finding.ts';
import { isPrivate, isUnroutable } from '../addresses.ts';
import type { Pinhole } from './pinhole.ts';
import type { ControlConnection } from './control-connection.ts';
import { isCommandRefusal, list, needsTls, notListed, type Listing } from './listing.ts';
import { codeOfFailure, tryPort, type Failure, type PortState } from './port.ts';
import {
  allowPassive,
  announce,
  kernelHelper,
  openPassivePorts,
  openPassiveRange,
  openRange,
  otherDataAddress,
  otherDataAddressAwaited,
  passiveRange,
  smallerSegments,
} from './remedies.ts';
import { seconds, type Visit } from './visit.ts';

export type PassiveCommand = 'PASV' | 'EPSV';

/** The outcome of a passive command. */
export interface PassiveOutcome {
  readonly port: PortState['how'] | 'none';
  /** The address and port of a 227. */
  readonly announced?: Endpoint;
}

/** One passive listing: the announcement, the port at the address that was reached, the data. */
export async function checkPassive(
  visit: Visit,
  control: ControlConnection,
  command: PassiveCommand,
): Promise<PassiveOutcome> {
  const { reached, timeout } = visit;
  const reply = await control.ask(command);
  if (reply.code !== (command === 'PASV' ? 227 : 229)) {
    visit.say(judgeRefusal(command, reply, visit));
    return { port: 'none' };
  }
  const at = endpointIn(command, reply, reached);
  if (!at) {
    const values = { command, reply: textOf(reply) };
    visit.say({ id: 'passive-unreadable', level: 'fault', values, remedies: [] });
    return { port: 'none' };
  }
  const wrong = judgeAnnouncement(reached, at, visit.pinhole);
  if (wrong) visit.say(await withTry(wrong, at, timeout));

  const state = await tryPort(reached, at.port, timeout);
  if (state.how === 'open') {
    visit.say(await throughPort(visit, control, command, state.socket, { address: reached, port: at.port }));
  } else {
    visit.say(judgePort(command, state, { address: reached, port: at.port }, visit));
  }
  return { port: state.how, announced: at };
}

/** What comes through a port that opened. */
async function throughPort(
  visit: Visit,
  control: ControlConnection,
  command: PassiveCommand,
  socket: Socket,
  at: Endpoint,
): Promise<Finding> {
  const listing = await list(control, socket, visit, true);
  return judgeListing(command, listing, at, { ...visit, isSecured: control.isSecured });
}

/** The endpoint of a reply; for a 229 the address is that of the control connection (RFC 2428 section 3). */
export function endpointIn(command: PassiveCommand, reply: Reply, reached: Address): Endpoint | undefined {
  const text = reply.lines.join('\n');
  if (command === 'PASV') return findHostPorts(text.replace(/^227/, ''))[0]?.endpoint;
  const port = findExtendedPorts(text)[0]?.port;
  return port === undefined ? undefined : { address: reached, port };
}

/** The finding about the address of a 227; undefined if it is the address that was reached. */
export function judgeAnnouncement(
  reached: Address,
  announced: Endpoint,
  pinhole: Pinhole = 'absent',
): Finding | undefined {
  const { address } = announced;
  // There is no other way to write an IPv6 address in a 227.
  if (address === reached || (familyOf(reached) === 6 && address === '0.0.0.0')) return undefined;
  const finding = {
    level: 'fault',
    values: { reached, announced: formatEndpoint(announced) },
    remedies: announce(reached, pinhole),
  } as const;
  const isForeign = !isUnroutable(address) && !(isPrivate(address) && !isPrivate(reached));
  if (pinhole === 'here' && !isForeign) return { id: 'pinhole-announces-other', ...finding };
  if (isUnroutable(address)) return { id: 'announced-unroutable', ...finding };
  if (isPrivate(address) && !isPrivate(reached)) return { id: 'announced-private', ...finding };
  return { id: 'announced-other', ...finding };
}

/** No server has its passive ports below, and a hostile one would name what it wants to have tried. */
const lowestTried = 1024;

/** An address that is not the one reached may be another of the server's: that is less bad. */
async function withTry(finding: Finding, { address, port }: Endpoint, timeout: number): Promise<Finding> {
  // A private address is another host's here, or a service of the client's own network that the server names.
  if (finding.id !== 'announced-other' || port < lowestTried) return finding;
  const state = await tryPort(address, port, timeout);
  if (state.how !== 'open') return finding;
  state.socket.destroy();
  return { ...finding, id: 'announced-other-works', level: 'note' };
}

function judgeRefusal(
  command: PassiveCommand,
  reply: Reply,
  { reached, pinhole }: Pick<Visit, 'reached' | 'pinhole'>,
): Finding {
  const values = { reply: textOf(reply) };
  if (command === 'PASV') {
    const remedies = values.reply === replies.noFreePort ? openPassiveRange(pinhole) : allowPassive;
    return { id: 'passive-refused', level: 'fault', values, remedies };
  }
  return familyOf(reached) === 6
    ? { id: 'extended-passive-refused-ipv6', level: 'fault', values, remedies: [] }
    : { id: 'extended-passive-refused', level: 'note', values, remedies: [] };
}

export function judgePort(
  command: PassiveCommand,
  failure: Failure,
  at: Endpoint,
  visit: { readonly timeout: number; readonly port: number; readonly pinhole?: Pinhole },
): Finding {
  const { timeout, port: controlPort, pinhole = 'absent' } = visit;
  const values = { command, address: at.address, port: at.port };
  if (pinhole === 'here') {
    const code = codeOfFailure(failure);
    const remedies = openPassivePorts(at.port);
    return { id: 'pinhole-passive-closed', level: 'fault', values: { ...values, code }, remedies };
  }
  const helped = [...passiveRange, ...openRange, ...kernelHelper(controlPort, pinhole)];
  switch (failure.how) {
    case 'closed':
      return { id: 'data-port-closed', level: 'fault', values, remedies: [...passiveRange, ...openRange] };
    case 'filtered':
      return {
        id: 'data-port-filtered',
        level: 'fault',
        values: { ...values, seconds: seconds(timeout) },
        remedies: helped,
      };
    case 'rejected':
      return {
        id: 'data-port-rejected',
        level: 'fault',
        values: { ...values, code: failure.code },
        remedies: helped,
      };
  }
}

/** @param isSecured whether the data connection was to have TLS */
export function judgeListing(
  command: PassiveCommand,
  listing: Listing,
  { address, port }: Endpoint,
  { timeout, pinhole, isSecured }: Pick<Visit, 'timeout' | 'pinhole'> & { readonly isSecured: boolean },
): Finding {
  if (listing === 'done') return fine('passive-fine', { command, address, port });
  const values = { command, port };
  if (listing === 'ignored') {
    if (pinhole === 'here') {
      return { id: 'pinhole-data-refused', level: 'fault', values: { ...values, reply: '…' }, remedies: [] };
    }
    return {
      id: 'data-ignored',
      level: 'fault',
      values: { ...values, seconds: seconds(timeout) },
      remedies: otherDataAddressAwaited,
    };
  }
  if (listing === 'unfinished') {
    return {
      id: 'data-unfinished',
      level: 'fault',
      values: { ...values, seconds: seconds(timeout) },
      remedies: pinhole === 'here' ? [] : smallerSegments,
    };
  }
  const reply = textOf(listing);
  if (needsTls(listing) && !isSecured)
    return { id: 'data-needs-tls', level: 'note', values: { reply }, remedies: [] };
  if (isCommandRefusal(listing)) return notListed(command, listing);
  if (pinhole === 'here') {
    return { id: 'pinhole-data-refused', level: 'fault', values: { ...values, reply }, remedies: [] };
  }
  if (isSecured)
    return { id: 'tls-data-refused', level: 'fault', values: { ...values, reply }, remedies: [] };
  return { id: 'data-refused', level: 'fault', values: { ...values, reply }, remedies: otherDataAddress };
}

/** The finding about a helper on the path if only one of the two commands works. */
export function judgePair(pasv: PassiveOutcome, epsv: PassiveOutcome): Finding | undefined {
  const fails = ({ port }: PassiveOutcome): boolean => port !== 'open' && port !== 'none';
  const finding = { level: 'fault', values: {}, remedies: [...passiveRange, ...openRange] } as const;
  if (pasv.port === 'open' && fails(epsv)) return { id: 'helper-knows-only-pasv', ...finding };
  if (epsv.port === 'open' && fails(pasv)) return { id: 'helper-knows-only-epsv', ...finding };
  return undefined;
}
