import { parseAddress, type Family } from '../../net/address.ts';
import { contains, parseCidr } from '../../net/cidr.ts';
import { portIn, type PortRange } from '../../net/port-range.ts';
import type { FirewallRule, Match, Packet, Passage } from './firewall.ts';
import { isAmong, isInterfaceName, isNoClients, isOfContainers } from './interfaces.ts';
import { overlap } from './ports.ts';

type Answer = 'yes' | 'no' | 'unknown';

/** Whose new connections to its ports a rule is for; `most`: those on an interface, or of all addresses but some. */
export function reachOf(rule: FirewallRule, family: Family, way: Passage): 'all' | 'most' | 'few' {
  if (matches(rule, family, way) === 'yes') return 'all';
  const others = rule.matches.filter((match) => !isLimit(match));
  return matches({ ...rule, matches: others }, family, way) === 'yes' ? 'most' : 'few';
}

/** For certain addresses or interfaces that clients come to: which of this host's that is does not matter. */
export function isPlace(match: Match): boolean {
  if (match.kind === 'destination') return !match.not;
  return match.kind === 'in-interface' && !match.not && match.names.every(isInterfaceName);
}

function isLimit(match: Match): boolean {
  return (
    (match.kind === 'in-interface' && match.names.join() !== 'lo') || (match.kind === 'source' && match.not)
  );
}

/**
 * Whether the rule holds for a packet; without a port of it, whether it does for those of the rule's ports. Asked for
 * each rule, so it makes nothing.
 */
export function matches(
  { matches: all, action }: FirewallRule,
  family: Family,
  packet: Packet | Passage,
): Answer {
  let isCertain = true;
  let isBan = action.kind === 'drop';
  for (const match of all) {
    const answer = answerOf(match, family, packet);
    if (answer === 'no') return 'no';
    if (answer === 'yes') continue;
    isCertain = false;
    isBan &&=
      !('not' in match && match.not) &&
      (match.kind === 'source' || (match.kind === 'destination' && packet.hook === 'prerouting'));
  }
  // A single address that is kept out, as a ban is, is not the client that nobody knows.
  return isCertain ? 'yes' : isBan ? 'no' : 'unknown';
}

/** Ports that clients connect from. */
const clientPorts: PortRange = { first: 1024, last: 65535 };

function negatedIf(not: boolean, holds: boolean): Answer {
  return holds === not ? 'no' : 'yes';
}

const tcpNames: ReadonlySet<string> = new Set(['tcp', '6', 'all', '0']);

function answerOf(given: Match, family: Family, packet: Packet | Passage): Answer {
  const match = packet.isReply ? turned(given) : given;
  switch (match.kind) {
    case 'protocol':
      return negatedIf(
        match.not,
        match.names.some((name) => tcpNames.has(name)),
      );
    case 'to-port':
      return 'port' in packet ? negatedIf(match.not, portIn(match.ports, packet.port)) : 'yes';
    case 'from-port': {
      const parts = match.ports
        .map((range) => overlap(range, clientPorts))
        .filter((part) => part !== undefined);
      if (parts.length === 0) return negatedIf(match.not, false);
      const isAll = parts.some(({ first, last }) => first === clientPorts.first && last === clientPorts.last);
      return isAll ? negatedIf(match.not, true) : 'unknown';
    }
    case 'state': {
      const names = match.names.map((name) => name.toLowerCase());
      return negatedIf(
        match.not,
        names.includes(packet.state) || (packet.isForwarded === true && names.includes('dnat')),
      );
    }
    case 'opening':
      return negatedIf(match.not, packet.state !== 'established');
    case 'in-interface':
      if (packet.from !== undefined && match.names.every(isInterfaceName))
        return negatedIf(match.not, isAmong(match.names, packet.from));
      // Clients come from elsewhere.
      return match.names.every(isNoClients) ? negatedIf(match.not, false) : 'unknown';
    case 'out-interface':
      if (match.names.join() === 'lo') return negatedIf(match.not, false);
      return match.names.every(isOfContainers) && packet.to !== undefined
        ? negatedIf(match.not, true)
        : 'unknown';
    case 'to-this-host':
      return packet.hook === 'forward' ? negatedIf(match.not, false) : negatedIf(match.not, true);
    case 'family':
      return match.family === family ? 'yes' : 'no';
    case 'mark':
      return negatedIf(match.not, match.mark === packet.mark);
    case 'helper':
      return packet.state === 'related' ? 'yes' : 'no';
    case 'destination': {
      const to = parseAddress(packet.to ?? '');
      if (to === undefined || match.addresses.length === 0) return 'unknown';
      const networks = match.addresses.map(parseCidr);
      if (networks.includes(undefined)) return 'unknown';
      return negatedIf(
        match.not,
        networks.some((network) => network !== undefined && contains(network, to)),
      );
    }
    case 'source':
    case 'unknown':
      return 'unknown';
  }
}

/** A reply goes the other way: what is the destination of others is its source. */
function turned(match: Match): Match {
  switch (match.kind) {
    case 'to-port':
      return { ...match, kind: 'from-port' };
    case 'from-port':
      return { ...match, kind: 'to-port' };
    case 'source':
      return { ...match, kind: 'destination' };
    case 'destination':
      return { ...match, kind: 'source' };
    case 'in-interface':
      return { ...match, kind: 'out-interface' };
    case 'out-interface':
      return { ...match, kind: 'in-interface' };
    default:
      return match;
  }
}
