import { parseAddress } from '../../net/address.ts';
import { formatPortRange, sizeOf, type PortRange } from '../../net/port-range.ts';
import { isPrivate } from '../addresses.ts';
import { fine, type Finding } from '../finding.ts';
import { notKnown, someOf } from './check-firewall.ts';
import {
  controlPorts,
  forwardingOf,
  hasHelper,
  isRouted,
  mayLeadOn,
  type Facts,
  type Forwarding,
} from './facts.ts';
import type { Firewall } from './firewall.ts';
import { hasRange, passiveRange, type FtpService } from './ftp-service.ts';
import {
  closedPorts,
  closingChain,
  keepsPorts,
  opennessFor,
  translationsFor,
  verdictsFor,
  type Translations,
} from './openness.ts';
import { addressRemedy, forwardRemedy, helperRemedy, markRemedy, openRemedy } from './remedies.ts';
import { fault, note, unseen } from './say.ts';

/** Where this host forwards FTP to another host, and which address the server announces to clients. */
export function checkForwarding(facts: Facts): Finding[] {
  const forwarded = controlPorts(facts).flatMap((port) => checkForwarded(facts, port));
  return [
    ...checkIpForward(facts),
    ...forwarded,
    ...checkKernelPlane(facts),
    ...checkGateway(facts),
    ...checkAddresses(facts),
  ];
}

function checkIpForward(facts: Facts): Finding[] {
  const isKernelPlane = facts.pinhole?.config?.plane === 'kernel';
  const ports = controlPorts(facts).filter((port) => forwardingOf(facts, port) ?? isRouted(facts, port));
  const sysctl = facts.sysctls.get('net.ipv4.ip_forward');
  if (sysctl?.value !== '0' || (!isKernelPlane && ports.length === 0)) return [];
  return [
    fault('ip-forward-off', {
      file: facts.sources.sysctl?.file ?? '',
      line: sysctl.line,
      remedies: [{ target: 'shell', lines: ['sysctl -w net.ipv4.ip_forward=1'] }],
    }),
  ];
}

function checkForwarded(facts: Facts, port: number): Finding[] {
  const forwarding = forwardingOf(facts, port);
  if (forwarding === undefined) return [];
  const { firewall: translator, rule, outside } = forwarding;
  const findings = [
    ...facts.firewalls
      .filter(({ family }) => family === translator.family)
      .flatMap((firewall) => checkForwardChain(firewall, forwarding)),
    ...checkForwardedData(facts, forwarding, port),
    ...(facts.sources.sysctl
      ? []
      : [unseen('ip-forward-not-seen', { values: { port: outside, to: rule.to } })]),
  ];
  return findings.length > 0 ? findings : [fine('forwarding-fine', { port: outside, to: rule.to })];
}

function checkForwardChain(
  firewall: Firewall,
  { rule: { to, toPorts }, outside: port }: Forwarding,
): Finding[] {
  // The forward hook comes after the translation.
  const range = toPorts ?? { first: port, last: port };
  const way = { hook: 'forward', isForwarded: true, state: 'new', to } as const;
  const parts = verdictsFor(firewall, range, way);
  if (parts.some(({ answer }) => answer.kind !== 'closed')) return notKnown(firewall, parts);
  const at = closingChain(firewall, { ...way, port: range.first });
  const remedies = [openRemedy(firewall, at ?? 'forward', range)];
  return [
    fault('forward-drops', {
      values: { port, to },
      file: firewall.file,
      line: at?.chain.line ?? 0,
      remedies,
    }),
  ];
}

/** Data connections have to be led on too: by the helper, or by a rule for the range, to the same host and ports. */
function checkForwardedData(facts: Facts, forwarding: Forwarding, controlPort: number): Finding[] {
  const { firewall: translator, rule, outside: port } = forwarding;
  const { file } = translator;
  const service = facts.front.find((each) => each.controlPort === controlPort);
  if (hasHelper(facts, controlPort) || service?.isPassive === false) return [];
  const range = service && hasRange(service) ? passiveRange(service) : undefined;
  if (range === undefined) return checkUnknownData(service, forwarding);
  const parts = translationsFor(translator, range);
  const lost = parts.filter(({ answer }) => leadsData(answer, rule.to) === 'no');
  if (lost.length === 0) {
    if (translator.unread.length > 0 || parts.every(({ answer }) => leadsData(answer, rule.to) === 'yes'))
      return [];
    return [
      unseen('passive-forwarding-not-known', {
        values: { port, to: rule.to, range: formatPortRange(range) },
        file,
      }),
    ];
  }
  const values = {
    ...{ port, to: rule.to, range: formatPortRange(range) },
    ports: someOf(lost.map((part) => formatPortRange(part.range))),
  };
  const remedies = [forwardRemedy(translator, rule, range)];
  return [fault('passive-range-not-forwarded', { values, file, line: rule.line, remedies })];
}

/** Whether a rule leads these ports to this host without another number. */
function leadsData({ certain, isPossible }: Translations, to: string): 'yes' | 'no' | 'unknown' {
  if (certain === undefined) return isPossible ? 'unknown' : 'no';
  return certain.to === to && keepsPorts(certain) ? 'yes' : 'no';
}

const highPorts: PortRange = { first: 1024, last: 65535 };

/** Where the server's range is not known: some ports that may be one, or no more than the control port. */
function checkUnknownData(
  service: FtpService | undefined,
  { firewall, rule, outside: port, inside }: Forwarding,
): Finding[] {
  const { file } = firewall;
  const parts = translationsFor(firewall, highPorts).filter(
    ({ range, answer }) => sizeOf(range) > 4 && leadsData(answer, rule.to) !== 'no',
  );
  const values = { port, to: rule.to };
  if (parts.length === 0 && service?.isPartial !== true)
    return [
      fault('only-control-port-forwarded', {
        values,
        file,
        line: rule.line,
        // nftables' one stands behind the translation.
        remedies: [helperRemedy(firewall, firewall.syntax === 'iptables' ? port : inside)],
      }),
    ];
  return [
    unseen('range-behind-not-known', {
      values: { ...values, ports: someOf(parts.map(({ range }) => formatPortRange(range))) },
      file,
    }),
  ];
}

/** What the kernel plane forwards has its mark. */
function checkKernelPlane({ pinhole, firewalls }: Facts): Finding[] {
  const config = pinhole?.config;
  if (config?.plane !== 'kernel') return [];
  return firewalls.flatMap((firewall) => {
    const way = { hook: 'forward', isForwarded: true, state: 'new', mark: config.kernelMark } as const;
    if (firewall.family === 6) return [];
    const range = config.passivePorts;
    const closed = closedPorts(firewall, range, way);
    const [first] = closed;
    if (first === undefined) return notKnown(firewall, verdictsFor(firewall, range, way));
    const at = closingChain(firewall, { ...way, port: first.first });
    const remedies = [markRemedy(firewall, at, config.kernelMark)];
    const values = {
      range: formatPortRange(range),
      ports: someOf(closed.map(formatPortRange)),
      mark: `0x${config.kernelMark.toString(16)}`,
    };
    return [
      fault('forward-drops-pinhole', { values, file: firewall.file, line: at?.chain.line ?? 0, remedies }),
    ];
  });
}

/** A host that forwards, or of which there are rules alone, may be meant to let FTP through to others. */
function checkGateway(facts: Facts): Finding[] {
  const isForwarding = facts.sysctls.get('net.ipv4.ip_forward')?.value === '1';
  const isAlone = facts.servers.length === 0 && facts.sources.sysctl === undefined;
  if (facts.pinhole || mayLeadOn(facts, 21) || (!isForwarding && !isAlone)) return [];
  return facts.firewalls.flatMap((firewall) => {
    const packet = { hook: 'forward', port: 21, state: 'new' } as const;
    if (firewall.family === 6 || opennessFor(firewall, packet) !== 'closed') return [];
    const at = closingChain(firewall, packet);
    const remedies = [openRemedy(firewall, at ?? 'forward', { first: 21, last: 21 })];
    return [note('forward-closed', { file: firewall.file, line: at?.chain.line ?? 0, remedies })];
  });
}

/** A server behind a NAT without a helper must announce the NAT's address itself. */
function checkAddresses(facts: Facts): Finding[] {
  // Pinhole rewrites the address, whatever it is.
  if (facts.pinhole) return [];
  return facts.servers.filter(({ isPassive }) => isPassive).flatMap((server) => checkAddress(facts, server));
}

function checkAddress(facts: Facts, server: FtpService): Finding[] {
  const { program, file, address, controlPort, listenAddress, isPartial } = server;
  const forwarding = forwardingOf(facts, controlPort);
  if (address === undefined && isPartial) return [];
  const told = address && parseAddress(address.value);
  if (forwarding) {
    const { rule } = forwarding;
    if (hasHelper(facts, controlPort) || (address && (told === undefined || !isPrivate(told)))) return [];
    const remedies = [addressRemedy(server, publicAddressIn(rule.words))];
    if (address === undefined)
      return [fault('address-missing', { values: { program, to: rule.to }, file, remedies })];
    const values = { program, address: address.value };
    return [fault('address-private', { values, file, line: address.line, remedies })];
  }
  const listening = listenAddress === undefined ? undefined : parseAddress(listenAddress);
  const own = listening ? [listening] : facts.addresses;
  const [first] = own;
  if (address && told !== undefined && isPrivate(told)) {
    const remedies = [addressRemedy(server, unknownAddress)];
    const values = { program, address: told };
    return [unseen('address-private-announced', { values, file, line: address.line, remedies })];
  }
  if (address || first === undefined || !own.every(isPrivate)) return [];
  const remedies = [addressRemedy(server, unknownAddress)];
  return [unseen('address-may-be-missing', { values: { program, address: first }, file, remedies })];
}

const unknownAddress = 'PUBLIC-ADDRESS';

/** The address that clients connect to, where the rule that forwards them names it. */
function publicAddressIn(words: readonly string[]): string {
  const at = words.findIndex((word) => ['-d', '--destination', '--dst', 'daddr'].includes(word));
  const address = parseAddress(at === -1 ? '' : (words[at + 1]?.replace(/\/32$/, '') ?? ''));
  return address ?? unknownAddress;
}
