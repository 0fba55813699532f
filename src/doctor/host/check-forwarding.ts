import { parseAddress } from '../../net/address.ts';
import { formatColonRange, formatPortRange } from '../../net/port-range.ts';
import { isPrivate } from '../addresses.ts';
import { fine, type Finding } from '../finding.ts';
import { controlPorts, forwardingOf, hasHelper, isRouted, mayLeadOn, type Facts } from './facts.ts';
import { mayBeForwarded, portsOf, rulesOf, type Firewall, type Translation } from './firewall.ts';
import { hasRange, passiveRange, type FtpService } from './ftp-service.ts';
import { closingChain, opennessFor, opennessOfRange } from './openness.ts';
import { addressRemedy, helperRemedy, markRemedy, openRemedy, remedy } from './remedies.ts';
import { fault, note } from './say.ts';

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
  const { firewall: translator, rule } = forwarding;
  const findings = facts.firewalls
    .filter(({ family }) => family === translator.family)
    .flatMap((firewall) => checkForwardChain(firewall, port, rule));
  const data = checkForwardedData(facts, translator, rule, port);
  return findings.length + data.length > 0
    ? [...findings, ...data]
    : [fine('forwarding-fine', { port, to: rule.to })];
}

function checkForwardChain(firewall: Firewall, port: number, { to, toPorts }: Translation): Finding[] {
  // The forward hook comes after the translation.
  const range = toPorts ?? { first: port, last: port };
  const way = { hook: 'forward', isForwarded: true, state: 'new' } as const;
  if (opennessOfRange(firewall, range, way).some(({ openness }) => openness !== 'closed')) return [];
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

/** Data connections have to be led on too: by the helper, or by a rule for the range. */
function checkForwardedData(
  facts: Facts,
  translator: Firewall,
  { line, to }: { line: number; to: string },
  port: number,
): Finding[] {
  const { file } = translator;
  const service = facts.front.find(({ controlPort }) => controlPort === port);
  if (hasHelper(facts, port) || service?.isPassive === false) return [];
  const range = service && hasRange(service) ? passiveRange(service) : undefined;
  if (range === undefined) {
    if (service?.isPartial) return [];
    const others = rulesOf(translator.tables).filter(
      ({ rule: { action }, rule }) =>
        action.kind === 'dnat' &&
        portsOf(rule, 'to-port')?.every(({ first, last }) => first === port && last === port) !== true,
    );
    if (others.length > 0) return [];
    return [
      fault('only-control-port-forwarded', {
        values: { port, to },
        file,
        line,
        remedies: [helperRemedy(translator, port)],
      }),
    ];
  }
  const isForwarded = [range.first, range.last].every((end) => mayBeForwarded(translator, end));
  if (isForwarded) return [];
  const ports = formatPortRange(range);
  const remedies =
    translator.syntax === 'iptables'
      ? [
          remedy(
            'iptables',
            `iptables -t nat -A PREROUTING -p tcp --dport ${formatColonRange(range)} -j DNAT --to-destination ${to}`,
          ),
        ]
      : [remedy('nftables', `tcp dport ${ports} dnat to ${to}`)];
  return [fault('passive-range-not-forwarded', { values: { port, to, range: ports }, file, line, remedies })];
}

/** What the kernel plane forwards has its mark. */
function checkKernelPlane({ pinhole, firewalls }: Facts): Finding[] {
  const config = pinhole?.config;
  if (config?.plane !== 'kernel') return [];
  return firewalls.flatMap((firewall) => {
    const packet = {
      hook: 'forward',
      port: config.passivePorts.first,
      isForwarded: true,
      state: 'new',
      mark: config.kernelMark,
    } as const;
    if (firewall.family === 6 || opennessFor(firewall, packet) !== 'closed') return [];
    const at = closingChain(firewall, packet);
    const remedies = [markRemedy(firewall, at, config.kernelMark)];
    const values = { mark: `0x${config.kernelMark.toString(16)}` };
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

function checkAddress(
  facts: Facts,
  { program, file, address, controlPort, listenAddress, isPartial }: FtpService,
): Finding[] {
  const forwarding = forwardingOf(facts, controlPort);
  if (address === undefined && isPartial) return [];
  const told = address && parseAddress(address.value);
  if (forwarding) {
    const { rule } = forwarding;
    if (hasHelper(facts, controlPort) || (address && (told === undefined || !isPrivate(told)))) return [];
    const remedies = [addressRemedy(program, publicAddressIn(rule.words))];
    if (address === undefined)
      return [fault('address-missing', { values: { program, to: rule.to }, file, remedies })];
    const values = { program, address: address.value };
    return [fault('address-private', { values, file, line: address.line, remedies })];
  }
  const listening = listenAddress === undefined ? undefined : parseAddress(listenAddress);
  const own = listening ? [listening] : facts.addresses;
  const [first] = own;
  if (address || first === undefined || !own.every(isPrivate)) return [];
  const remedies = [addressRemedy(program, unknownAddress)];
  return [note('address-may-be-missing', { values: { program, address: first }, file, remedies })];
}

const unknownAddress = 'PUBLIC-ADDRESS';

/** The address that clients connect to, where the rule that forwards them names it. */
function publicAddressIn(words: readonly string[]): string {
  const at = words.findIndex((word) => ['-d', '--destination', '--dst', 'daddr'].includes(word));
  const address = parseAddress(at === -1 ? '' : (words[at + 1]?.replace(/\/32$/, '') ?? ''));
  return address ?? unknownAddress;
}
