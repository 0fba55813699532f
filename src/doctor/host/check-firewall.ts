import { relaysActive, relaysPassive } from '../../helper/carrying.ts';
import { formatPortRange, sizeOf, type PortRange } from '../../net/port-range.ts';
import { fine, type Finding, type Remedy } from '../finding.ts';
import { forwardingOf, hasHelper, helperOf, wayTo, type Facts } from './facts.ts';
import { hooksOf, rulesOf, type Firewall, type Packet, type Passage } from './firewall.ts';
import { hasRange, passiveRange, portsOfService, type FtpService } from './ftp-service.ts';
import {
  closedPorts,
  closingChain,
  forwardingRule,
  keepsPorts,
  letsAllIn,
  mayBeForwarded,
  openPorts,
  opennessFor,
  translationsFor,
  verdictFor,
  verdictsFor,
  type Verdict,
} from './openness.ts';
import { reachOf } from './matching.ts';
import { carryingOf } from './pinhole-settings.ts';
import { isCovered, overlap } from './ports.ts';
import { helperRemedy, inputRemedy, narrowRemedy, openRemedy, rangeRemedy } from './remedies.ts';
import { fault, note, unseen } from './say.ts';

/** A range that is large enough for most servers and small enough to open. */
export const suggested: PortRange = { first: 50000, last: 50999 };

const highPorts: PortRange = { first: 1024, last: 65535 };

/** Whether the firewall accepts what clients need, and nothing more. */
export function checkFirewall(facts: Facts): Finding[] {
  const findings = facts.front.flatMap((service) =>
    facts.firewalls.flatMap((firewall) => [
      ...portsOfService(service).flatMap((port) => checkControlPort(facts, service, firewall, port)),
      ...checkPassivePorts(facts, service, firewall),
      ...checkActivePorts(facts, firewall),
      ...checkOpened(facts, service, firewall),
    ]),
  );
  return [
    ...findings,
    ...checkRulesAlone(facts),
    ...checkAllIn(facts),
    ...(findings.length === 0 ? tellOpen(facts) : []),
  ];
}

function checkControlPort(facts: Facts, service: FtpService, firewall: Firewall, port: number): Finding[] {
  const way = wayTo(facts, firewall, port);
  // Blocked IPv6 may be intended; and forwarded traffic of a gateway is judged in check-forwarding.
  if (firewall.family === 6 || way.isForwarded) return [];
  if (mayBeForwarded(firewall, port) && firewall.unread.length === 0)
    return [unseen('forwarding-not-known', { values: { port }, file: firewall.file })];
  const packet = { ...way, port };
  const verdict = verdictFor(firewall, packet);
  if (verdict.kind !== 'closed')
    return notKnown(firewall, [{ range: { first: port, last: port }, answer: verdict }]);
  const values = { program: service.program, port };
  const remedies = [openRemedy(firewall, verdict, { first: port, last: port })];
  return [fault('control-port-closed', { values, file: firewall.file, line: verdict.chain.line, remedies })];
}

/** Of which ports it is not known whether they are open, and because of which rules. */
export function notKnown(
  firewall: Firewall,
  parts: readonly { readonly range: PortRange; readonly answer: Verdict }[],
): Finding[] {
  // Lines that were not understood are named by themselves.
  if (firewall.unread.length > 0) return [];
  const ports = new Map<number, { texts: string[]; rule: string }>();
  for (const { range, answer } of parts) {
    if (answer.kind !== 'unknown') continue;
    const of = ports.get(answer.why.line) ?? { texts: [], rule: answer.why.text };
    of.texts.push(formatPortRange(range));
    ports.set(answer.why.line, of);
  }
  return [...ports].map(([line, { texts, rule }]) =>
    unseen('ports-not-known', { values: { ports: someOf(texts), rule }, file: firewall.file, line }),
  );
}

function checkPassivePorts(facts: Facts, service: FtpService, firewall: Firewall): Finding[] {
  if (!service.isPassive || isByKernelPlane(facts)) return [];
  if (service.isPartial && !hasRange(service)) return [];
  if (firewall.unread.length > 0) return [];
  const { program, file, controlPort } = service;
  const way = wayTo(facts, firewall, controlPort);
  // Where connections may be led on, it is not known which chain lets their data through.
  if (!way.isForwarded && mayBeForwarded(firewall, controlPort)) return [];
  const range = passiveRange(service);
  const atHook = forwardingOf(facts, controlPort)?.inside ?? controlPort;
  if (firewall.family === 6 && opennessFor(firewall, { ...way, port: atHook }) !== 'open') return [];
  // The forward hook sees other ports than clients connect to.
  const translation = forwardingRule(firewall, range.first);
  if (translation && !keepsPorts(translation)) return [];
  // What is not led on does not come there.
  const isLedInPart = translationsFor(firewall, range).some(({ answer }) => answer.certain === undefined);
  if (translation && isLedInPart) return [];
  const [closed] = closedPorts(firewall, range, way);
  const isSet = hasRange(service);
  if (closed === undefined) {
    if (!isSet) return missingRange(way, service, firewall);
    return firewall.family === 6 ? [] : notKnown(firewall, verdictsFor(firewall, range, way));
  }

  const packet = { ...way, port: closed.first };
  const isRelatedOpen = opennessFor(firewall, { ...packet, state: 'related' }) !== 'closed';
  if (program !== 'pinhole' && isRelatedOpen && hasHelper(facts, controlPort)) {
    // Each data connection is accepted as the helper expects it.
    if (service.tls === undefined)
      return checkHelperKnown(facts, firewall, controlPort, { ...packet, state: 'related' });
    return [tlsFault(way, service, firewall, isSet ? range : suggested)];
  }
  if (program !== 'pinhole' && isRelatedOpen) {
    const own = isSet ? [] : [rangeRemedy(service, suggested)];
    return [relatedFault(way, firewall, service, range, isSet ? range : suggested, own)];
  }
  if (!isSet) return missingRange(way, service, firewall);
  const at = closingChain(firewall, packet);
  const remedies = [openRemedy(firewall, at ?? way.hook, range)];
  const place = { file: firewall.file, line: at?.chain.line ?? 0 };
  const values = { program, range: formatPortRange(range), port: controlPort };
  const ports = someOf(closedPorts(firewall, range, way).map(formatPortRange));
  return [
    fault('passive-range-closed', { values: { ...values, ports, settings: file }, ...place, remedies }),
  ];
}

/** Where only a helper opens the data connections: whether it certainly does. */
function checkHelperKnown(facts: Facts, firewall: Firewall, port: number, packet: Packet): Finding[] {
  const helper = helperOf(facts, port);
  const doubt =
    helper === undefined || helper.isCertain
      ? []
      : [
          unseen('helper-not-known', {
            values: { port, rule: helper.rule.words.join(' ') },
            file: helper.firewall.file,
            line: helper.rule.line,
          }),
        ];
  const range = { first: packet.port, last: packet.port };
  return [...doubt, ...notKnown(firewall, [{ range, answer: verdictFor(firewall, packet) }])];
}

function relatedFault(
  way: Passage,
  firewall: Firewall,
  service: Pick<FtpService, 'controlPort'>,
  range: PortRange,
  opened: PortRange,
  own: readonly Remedy[] = [],
): Finding {
  const { controlPort: port } = service;
  const closed = closedPorts(firewall, range, way);
  const at = closingChain(firewall, { ...way, port: (closed[0] ?? range).first });
  const ports = someOf(closed.map(formatPortRange));
  return fault('related-without-helper', {
    values: { range: formatPortRange(range), ports, port },
    file: firewall.file,
    line: at?.chain.line ?? 0,
    remedies: [...own, openRemedy(firewall, at ?? way.hook, opened), helperRemedy(firewall, port)],
  });
}

/** Rules without server settings: they accept FTP, and rely on a helper that is not attached. */
function checkRulesAlone(facts: Facts): Finding[] {
  if (facts.servers.length > 0 || facts.pinhole || hasHelper(facts, 21)) return [];
  return facts.firewalls.flatMap((firewall) => {
    const way = wayTo(facts, firewall, 21);
    if (letsAllIn(firewall) || mayBeForwarded(firewall, 21)) return [];
    const parts = verdictsFor(firewall, highPorts, way);
    // Several ports in a row may be the passive range.
    const isAnyOpen = parts.some(({ answer, range }) => answer.kind !== 'closed' && sizeOf(range) > 4);
    const isControlOpen = opennessFor(firewall, { ...way, port: 21 }) === 'open';
    const isRelatedOpen =
      opennessFor(firewall, { ...way, port: highPorts.last, state: 'related' }) === 'open';
    if (isAnyOpen || !isControlOpen) return [];
    if (isRelatedOpen) return [relatedFault(way, firewall, { controlPort: 21 }, highPorts, suggested)];
    const [closed] = closedPorts(firewall, highPorts, way);
    const packet = { ...way, port: (closed ?? highPorts).first };
    const at = closingChain(firewall, packet);
    if (at === undefined || opennessFor(firewall, { ...packet, state: 'related' }) !== 'closed') return [];
    const values = { port: 21, range: formatPortRange(highPorts), suggested: formatPortRange(suggested) };
    const remedies = [openRemedy(firewall, at, suggested)];
    return [fault('no-data-port-open', { values, file: firewall.file, line: at.chain.line, remedies })];
  });
}

function tlsFault(way: Passage, service: FtpService, firewall: Firewall, range: PortRange): Finding {
  const { program, file, tls } = service;
  return fault('helper-sees-no-tls', {
    values: { program, setting: tls?.value ?? '', range: formatPortRange(range) },
    file,
    line: tls?.line ?? 0,
    remedies: [rangeRemedy(service, range), openedRemedy(way, firewall, range)],
  });
}

/** Without a range every port has to be open. */
function missingRange(way: Passage, service: FtpService, firewall: Firewall): Finding[] {
  const { program, file } = service;
  const details = { values: { program, range: formatPortRange(suggested) }, file };
  const remedies = [rangeRemedy(service, suggested)];
  if (letsAllIn(firewall)) return [note('passive-range-missing', { ...details, remedies })];
  return [
    fault('passive-range-missing', {
      ...details,
      remedies: [...remedies, openedRemedy(way, firewall, suggested)],
    }),
  ];
}

/** The command that opens a range in the chain that keeps it closed. */
function openedRemedy(way: Passage, firewall: Firewall, range: PortRange): Remedy {
  const [closed = range] = closedPorts(firewall, range, way);
  return openRemedy(firewall, closingChain(firewall, { ...way, port: closed.first }) ?? way.hook, range);
}

function checkActivePorts({ pinhole }: Facts, firewall: Firewall): Finding[] {
  const config = pinhole?.config;
  if (config === undefined || !relaysActive(carryingOf(config)) || firewall.family === 6) return [];
  const way = { hook: 'input', state: 'new' } as const;
  const closed = closedPorts(firewall, config.activePorts, way);
  const [first] = closed;
  if (first === undefined) return [];
  const at = closingChain(firewall, { ...way, port: first.first });
  const values = {
    range: formatPortRange(config.activePorts),
    ports: someOf(closed.map(formatPortRange)),
  };
  const remedies = [openRemedy(firewall, at ?? 'input', config.activePorts)];
  return [fault('active-range-closed', { values, file: firewall.file, line: at?.chain.line ?? 0, remedies })];
}

/** A rule that opens ports around the passive range which nobody uses for FTP. */
function checkOpened(facts: Facts, service: FtpService, firewall: Firewall): Finding[] {
  if (!hasRange(service) || !service.isPassive || letsAllIn(firewall)) return [];
  // What a Pinhole needs whose settings are not known is not known either.
  if (facts.pinholes.length > 1 && facts.pinholes.some(({ config }) => config === undefined)) return [];
  const active = facts.pinholes.flatMap(({ config }) => config?.activePorts ?? []);
  const needed = [...facts.fronts.map(passiveRange), ...active];
  const range = passiveRange(service);
  const way = wayTo(facts, firewall, service.controlPort);
  return rulesOf(firewall.tables).flatMap(({ table, chain, rule }) => {
    const opened = openPorts(rule) ?? [];
    const wide = opened.filter((ports) => overlap(ports, range) && !isCovered(ports, needed));
    if (rule.action.kind !== 'accept' || wide.length === 0 || !hooksOf(table, chain).has(way.hook)) return [];
    const reach = reachOf(rule, firewall.family, way);
    if (reach === 'few') return [];
    const unneeded = new Set(wide);
    const kept = [
      ...opened.filter((ports) => !unneeded.has(ports)),
      ...needed.filter((ports) => wide.some((w) => overlap(w, ports))),
    ];
    const values = {
      opened: someOf(wide.map(formatPortRange)),
      range: formatPortRange(range),
      program: service.program,
    };
    const remedies = [narrowRemedy(firewall, chain, rule, { opened, kept })];
    const details = { values, file: firewall.file, line: rule.line, remedies };
    // An interface may lead to trusted hosts only.
    return [
      reach === 'all' ? fault('firewall-opens-too-much', details) : note('firewall-opens-too-much', details),
    ];
  });
}

/** A missing firewall is not a fault of FTP; the finding shows how to set one up. */
function checkAllIn(facts: Facts): Finding[] {
  const { firewalls, fronts: front } = facts;
  const [firewall, ...others] = firewalls.filter(({ family }) => family === 4);
  if (firewall === undefined || front.length === 0) return [];
  if (![firewall, ...others].every((each) => letsAllIn(each))) return [];
  if (front.some(({ controlPort }) => wayTo(facts, firewall, controlPort).hook === 'forward')) return [];
  const ranges = front.flatMap((service) => [
    ...portsOfService(service).map((port) => ({ first: port, last: port })),
    hasRange(service) ? passiveRange(service) : suggested,
  ]);
  return [note('firewall-lets-all-in', { file: firewall.file, remedies: [inputRemedy(firewall, ranges)] })];
}

function tellOpen(facts: Facts): Finding[] {
  if (facts.firewalls.length === 0) return [];
  return facts.front
    .filter((service) => hasRange(service) && !isByKernelPlane(facts))
    .filter((service) => facts.firewalls.every((firewall) => isOpen(facts, firewall, service)))
    .map((service) =>
      fine('passive-range-open', {
        range: formatPortRange(passiveRange(service)),
        port: service.controlPort,
      }),
    );
}

function isOpen(facts: Facts, firewall: Firewall, service: FtpService): boolean {
  const way = wayTo(facts, firewall, service.controlPort);
  if (firewall.family === 6) return true;
  const parts = verdictsFor(firewall, passiveRange(service), way);
  const port = forwardingOf(facts, service.controlPort)?.inside ?? service.controlPort;
  const control = opennessFor(firewall, { ...way, port });
  return control === 'open' && parts.every(({ answer }) => answer.kind === 'open');
}

/** nftables carries all data then, and no input chain sees it. */
export function isByKernelPlane({ pinhole }: Facts): boolean {
  return pinhole?.config !== undefined && !relaysPassive(carryingOf(pinhole.config));
}

/** A list that is read, whatever its length. */
export function someOf(texts: readonly string[]): string {
  return [...texts.slice(0, 10), ...(texts.length > 10 ? ['…'] : [])].join(', ');
}
