import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { formatExtendedHostPort } from '../../ftp/extended-host-port.ts';
import { formatHostPort } from '../../ftp/host-port.ts';
import { isPreliminary } from '../../ftp/reply.ts';
import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { replies } from '../../helper/replies.ts';
import { familyOf, parseAddress, type Address } from '../../net/address.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../../net/endpoint.ts';
import { ignoreError } from '../../net/socket.ts';
import { fine, type Finding } from '../finding.ts';
import { isPrivate } from '../addresses.ts';
import type { Pinhole } from './pinhole.ts';
import { isDone, LostError, type ControlConnection } from './control-connection.ts';
import {
  askForListing,
  endOf,
  finish,
  isCommandRefusal,
  needsTls,
  notListed,
  type Listing,
} from './listing.ts';
import { allowActive, checkPinholeHost, fromDataPort, kernelHelper } from './remedies.ts';
import { seconds, type Visit } from './visit.ts';

export type ActiveCommand = 'PORT' | 'EPRT';

/** The outcome of PORT or EPRT and the listing after it. */
export type ActiveOutcome =
  | { readonly kind: 'refused' | 'blocked' | 'unlisted'; readonly reply: Reply }
  | { readonly kind: 'silent' }
  | { readonly kind: 'arrived'; readonly from: Endpoint; readonly listing: Listing };

/** A data connection of the server. */
interface Arrived {
  readonly from: Endpoint;
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
}

/** What is known of the way when an outcome is judged. */
interface ActiveFacts {
  readonly command: ActiveCommand;
  readonly own: Endpoint;
  readonly reached: Address;
  readonly known: Known;
  readonly timeout: number;
  readonly port: number;
  readonly pinhole: Pinhole;
}

/** What earlier subjects have found. */
interface Known {
  /** This client's address as the server sees it, if the server reports it. */
  readonly seen: Address | undefined;
  /** The outcome of PORT, for comparison with EPRT. */
  readonly port?: ActiveOutcome | undefined;
}

/** One active listing. */
export async function checkActive(
  visit: Visit,
  control: ControlConnection,
  command: ActiveCommand,
  known: Known,
): Promise<ActiveOutcome> {
  const server = createServer();
  const sockets: Socket[] = [];
  // A short listing is over, and its socket nameless, before the reply is read.
  const arrived: Arrived[] = [];
  server.on('connection', (socket) => {
    socket.on('error', ignoreError);
    socket.resume();
    sockets.push(socket);
    const from = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    if (from) arrived.push({ from, ended: endOf(socket) });
  });
  try {
    const own = await listen(server, control.local.address);
    const outcome = await tryActive(
      control,
      `${command} ${argumentOf(command, own)}`,
      server,
      arrived,
      visit,
    );
    const { reached, timeout, port, pinhole } = visit;
    const facts = { command, own, reached, known, timeout, port, pinhole };
    for (const finding of judgeActive(outcome, facts)) visit.say(finding);
    return outcome;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function tryActive(
  control: ControlConnection,
  announcement: string,
  server: Server,
  arrived: readonly Arrived[],
  { timeout }: Visit,
): Promise<ActiveOutcome> {
  const answer = await control.ask(announcement);
  if (!isDone(answer)) return { kind: 'refused', reply: answer };
  const first = await askForListing(control).catch((error: unknown) => {
    if (error instanceof LostError && error.silence === 'silent') return undefined;
    throw error;
  });
  if (!first) {
    // It is still connecting, and will answer some day.
    control.close();
    return { kind: 'silent' };
  }
  if (arrived.length === 0 && isPreliminary(first.code)) await connectionWithin(server, timeout);
  const [data] = arrived;
  if (!data) {
    if (isCommandRefusal(first)) return { kind: 'unlisted', reply: first };
    if (!isPreliminary(first.code)) return { kind: 'blocked', reply: first };
    const last = await control.next();
    if (typeof last !== 'string') return { kind: 'blocked', reply: last };
    control.close();
    return { kind: 'silent' };
  }
  const { from, ended } = data;
  if (!control.isSecured) {
    return { kind: 'arrived', from, listing: await finish(control, first, ended, timeout) };
  }
  // The data would be encrypted too, and the server waits for that; the connection was what is in question.
  control.close();
  return { kind: 'arrived', from, listing: 'done' };
}

async function connectionWithin(server: Server, timeout: number): Promise<void> {
  await once(server, 'connection', { signal: AbortSignal.timeout(timeout) }).catch(ignoreError);
}

async function listen(server: Server, address: Address): Promise<Endpoint> {
  server.listen({ host: address, port: 0 });
  await once(server, 'listening');
  return { address, port: (server.address() as AddressInfo).port };
}

function argumentOf(command: ActiveCommand, own: Endpoint): string {
  return command === 'PORT' ? formatHostPort(own) : formatExtendedHostPort(own, '|');
}

const knowsOnlyPort: Finding = { id: 'helper-knows-only-port', level: 'fault', values: {}, remedies: [] };

/** The finding for an outcome, with its reason. */
function judgeActive(outcome: ActiveOutcome, facts: ActiveFacts): Finding[] {
  const { command, own, reached, timeout, port, pinhole } = facts;
  const values = { command, own: formatEndpoint(own) };
  const portWorks = facts.known.port?.kind === 'arrived';
  switch (outcome.kind) {
    case 'refused': {
      const reply = textOf(outcome.reply);
      if (portWorks)
        return [{ id: 'active-extended-refused', level: 'note', values: { reply }, remedies: [] }];
      if (pinhole === 'here' && reply === replies.notDialled(command)) return [notRewritten(facts, reply)];
      const named = addressSeenIn(reply, own.address, reached);
      if (named !== undefined) return [seesOther(facts, named)];
      // A server without active mode replies 550 or 502; a server that rejects the address replies 500 or 501.
      if (isBehindNat(facts) && (outcome.reply.code === 500 || outcome.reply.code === 501)) {
        return [notRewritten(facts, reply)];
      }
      const remedies = allowActive;
      return [{ id: 'active-refused', level: 'fault', values: { command, reply }, remedies }];
    }
    case 'unlisted':
      return [notListed(command, outcome.reply)];
    case 'blocked': {
      const reply = textOf(outcome.reply);
      if (needsTls(outcome.reply)) {
        return [{ id: 'data-needs-tls', level: 'note', values: { reply }, remedies: [] }];
      }
      if (portWorks) return [knowsOnlyPort];
      if (pinhole === 'here') return [failedAtPinhole(facts, reply)];
      if (isBehindNat(facts)) return [notRewritten(facts, reply)];
      const remedies = [...kernelHelper(port, pinhole, 'forward'), ...fromDataPort(port, pinhole)];
      return [{ id: 'active-blocked', level: 'fault', values: { ...values, reply }, remedies }];
    }
    case 'silent':
      if (portWorks) return [knowsOnlyPort];
      if (pinhole === 'here') return [failedAtPinhole(facts, '…')];
      if (isBehindNat(facts)) return [notRewritten(facts, '…')];
      return [
        {
          id: 'active-silent',
          level: 'fault',
          values: { ...values, seconds: seconds(timeout) },
          remedies: [...kernelHelper(port, pinhole, 'forward'), ...fromDataPort(port, pinhole)],
        },
      ];
    case 'arrived':
      return [
        judgeArrived(outcome.listing, outcome.from, facts),
        ...judgeSource(outcome.from, reached, facts),
      ];
  }
}

function judgeArrived(listing: Listing, from: Endpoint, { command }: ActiveFacts): Finding {
  if (listing === 'done') return fine('active-fine', { command, address: from.address, port: from.port });
  const reply = typeof listing === 'string' ? '…' : textOf(listing);
  return { id: 'active-unfinished', level: 'fault', values: { command, reply }, remedies: [] };
}

function judgeSource(from: Endpoint, reached: Address, facts: ActiveFacts): Finding[] {
  const {
    command,
    own,
    known: { seen },
  } = facts;
  const findings: Finding[] = [];
  if (from.address !== reached) {
    const values = { command, source: from.address, reached };
    findings.push({ id: 'active-source-address', level: 'note', values, remedies: [] });
  }
  // RFC 959, 3.2: the port below the control port. vsftpd has 20 beside any.
  const expected = facts.port - 1;
  if (from.port !== expected && from.port !== 20) {
    const values = { command, port: from.port, expected };
    const remedies = fromDataPort(facts.port, facts.pinhole);
    findings.push({ id: 'active-source-port', level: 'note', values, remedies });
  }
  if (seen !== undefined && seen !== own.address) {
    const values = { command, own: own.address, seen };
    findings.push({ id: 'active-rewritten', level: 'note', values, remedies: [] });
  }
  return findings;
}

function notRewritten({ command, own, port, pinhole }: ActiveFacts, reply: string): Finding {
  return {
    id: 'active-not-rewritten',
    level: 'fault',
    values: { command, own: formatEndpoint(own), reply },
    remedies: kernelHelper(port, pinhole, 'forward'),
  };
}

function seesOther({ command, own, port, pinhole }: ActiveFacts, seen: Address): Finding {
  return {
    id: 'active-sees-other',
    level: 'fault',
    values: { command, own: own.address, seen },
    remedies: kernelHelper(port, pinhole, 'forward'),
  };
}

/**
 * The client's address as the server sees it, if a refusal of PORT says so and it is another.
 *
 *     500 I won't open a connection to 10.0.0.5 (only to 203.0.113.9)      Pure-FTPd
 */
export function addressSeenIn(reply: string, own: Address, reached: Address): Address | undefined {
  const addresses = reply
    .split(/[\s()[\],;]+/)
    .map((word) => parseAddress(word.replace(/[.:]+$/, '')))
    .filter((address) => address !== undefined);
  if (/\bonly to\b/i.test(reply)) {
    const last = addresses.at(-1);
    return last === own ? undefined : last;
  }
  const [seen, ...more] = new Set(addresses.filter((address) => address !== own && address !== reached));
  return more.length === 0 ? seen : undefined;
}

/** Pinhole accepts no address but the client's: the NAT is not the reason. */
function failedAtPinhole({ command, own }: ActiveFacts, reply: string): Finding {
  const values = { command, own: formatEndpoint(own), reply };
  return { id: 'pinhole-active-failed', level: 'fault', values, remedies: checkPinholeHost };
}

/** The server's word is better than a guess from the addresses. */
function isBehindNat({ own, reached, known: { seen } }: ActiveFacts): boolean {
  if (seen !== undefined) return seen !== own.address;
  return familyOf(own.address) === 4 && isPrivate(own.address) && !isPrivate(reached);
}
