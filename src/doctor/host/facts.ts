import type { Address } from '../../net/address.ts';
import type { Config } from '../../config/config.ts';
import type { HostSources, SourceText } from '../host-sources.ts';
import { namesPort, portsOf, rulesOf, type Firewall, type Hook, type Passage } from './firewall.ts';
import { helperRule, type HelperRule } from './helper-rule.ts';
import { portsOfService, type FtpService } from './ftp-service.ts';
import { readIptables } from './iptables.ts';
import type { Placed } from './lines.ts';
import { readListening, type Listener } from './listening.ts';
import { helperModule, readModules } from './modules.ts';
import { readNftables } from './nftables.ts';
import { forwardingRule, mayBeForwarded, type Translation } from './openness.ts';
import { readAddresses, readInterfaces } from './own-addresses.ts';
import { configOfCommand } from './pinhole-command.ts';
import { readPinhole, serviceOfPinhole, serviceSeen } from './pinhole-settings.ts';
import { pinholeSign, type PinholeSign } from './pinhole-signs.ts';
import { readProftpd } from './proftpd-settings.ts';
import { readPureFtpd } from './pure-ftpd-settings.ts';
import { readSysctls } from './sysctl.ts';
import { readVsftpd } from './vsftpd-settings.ts';

/** All facts in the sources; undefined without a source, so that a missing source is not taken for an absent fact. */
export interface Facts {
  readonly sources: HostSources;
  readonly servers: readonly FtpService[];
  readonly pinhole: PinholeFacts | undefined;
  /** What clients connect to: Pinhole where it stands in front, else the servers. */
  readonly front: readonly FtpService[];
  /** Every Pinhole of this host, and what clients connect to at any of them. */
  readonly pinholes: readonly PinholeFacts[];
  readonly fronts: readonly FtpService[];
  readonly firewalls: readonly Firewall[];
  /** Rules that are loaded at the next start. */
  readonly savedRules: Firewall | undefined;
  readonly modules: ReadonlySet<string> | undefined;
  readonly sysctls: ReadonlyMap<string, Placed<string>>;
  readonly listeners: readonly Listener[] | undefined;
  readonly addresses: readonly Address[];
}

/** Pinhole stands here: by its configuration, or by what was seen of it. */
interface PinholeFacts {
  /** Undefined where Pinhole refuses it, or where it is not at hand. */
  readonly config: Config | undefined;
  readonly service: FtpService | undefined;
  /** What shows that it is here, where no configuration does. */
  readonly seen?: PinholeSign;
}

/** For each Pinhole that runs here; one where none does. */
export function readFacts(sources: HostSources): Facts[] {
  const { vsftpd, proftpd, pureFtpd, otherPinholes = [] } = sources;
  const servers = [
    vsftpd && readVsftpd(vsftpd.file, vsftpd.text),
    proftpd && readProftpd(proftpd.file, proftpd.text),
    pureFtpd && readPureFtpd(pureFtpd.file, pureFtpd.text),
  ].filter((server) => server !== undefined);
  const firewalls = readFirewalls(sources);
  const listeners = sources.listening && readListening(sources.listening.text);
  const all = [
    { sources, pinhole: readPinholeFacts(sources, firewalls, listeners ?? [], servers) },
    ...otherPinholes.map(({ command, config }) => ({
      sources: { ...sources, pinholeCommand: command, pinhole: config },
      pinhole: runningPinhole(command, config) ?? unreadable(command),
    })),
  ];
  const frontOf = (pinhole: PinholeFacts | undefined): readonly FtpService[] =>
    pinhole ? (pinhole.service ? [pinhole.service] : []) : servers;
  const shared = {
    servers,
    firewalls,
    listeners,
    pinholes: all.map(({ pinhole }) => pinhole).filter((pinhole) => pinhole !== undefined),
    fronts: all.flatMap(({ pinhole }) => frontOf(pinhole)),
    savedRules:
      sources.savedIptables && readIptables(sources.savedIptables.file, sources.savedIptables.text, 4),
    modules: sources.modules && readModules(sources.modules.text),
    sysctls: readSysctls(sources.sysctl?.text ?? ''),
    addresses: readAddresses(sources.addresses?.text ?? ''),
  };
  return all.map((each) => ({ ...shared, ...each, front: frontOf(each.pinhole) }));
}

function readFirewalls(sources: HostSources): Firewall[] {
  const { iptables, legacyIptables: legacy, ip6tables, nftables } = sources;
  const ofIptables = [
    iptables && readIptables(iptables.file, iptables.text, 4),
    legacy && { ...readIptables(legacy.file, legacy.text, 4), program: 'iptables-legacy' },
    ip6tables && readIptables(ip6tables.file, ip6tables.text, 6),
  ].filter((firewall) => firewall !== undefined);
  const ofNftables =
    nftables && readNftables(nftables.file, nftables.text, ofIptables, sources.nftablesJson?.text);
  const interfaces = readInterfaces(sources.addresses?.text ?? '');
  return [...ofIptables, ...(ofNftables ? [ofNftables] : [])].map((firewall) => ({
    ...firewall,
    interfaces,
  }));
}

/** The Pinhole that runs, the one that is configured, or the one that is seen at work. */
function readPinholeFacts(
  sources: HostSources,
  firewalls: readonly Firewall[],
  listeners: readonly Listener[],
  servers: readonly FtpService[],
): PinholeFacts | undefined {
  const { pinholeCommand: command, pinhole: own } = sources;
  const atWork = (): PinholeFacts | undefined =>
    seenAtWork(pinholeSign(firewalls, listeners, servers), sources);
  if (command) return runningPinhole(command, own) ?? atWork() ?? unreadable(command);
  return own ? configured(own) : atWork();
}

/** One that runs with settings which can't be read. */
function unreadable({ file }: SourceText): PinholeFacts {
  return { config: undefined, service: undefined, seen: { sign: file } };
}

function configured({ file, text }: SourceText): PinholeFacts {
  const config = readPinhole(file, text);
  return { config, service: config && serviceOfPinhole(file, config) };
}

/** One that runs, by its command line; undefined where that can't be read. */
function runningPinhole(command: SourceText, own: SourceText | undefined): PinholeFacts | undefined {
  const config = configOfCommand(command, own);
  return config && { config, service: serviceOfPinhole(command.file, config) };
}

function seenAtWork(seen: PinholeSign | undefined, { listening }: HostSources): PinholeFacts | undefined {
  if (seen === undefined) return undefined;
  const service = seen.listener && serviceSeen(listening?.file ?? '', seen.listener);
  return { config: undefined, service, seen };
}

/** The ports on which clients are served: those of the servers, or FTP's own where none is known. */
export function controlPorts({ front }: Facts): number[] {
  return front.length === 0 ? [21] : [...new Set(front.flatMap(portsOfService))];
}

/** The sysctl by which kernels before 6.0 give the helper to every connection to port 21, without any rule. */
export const helperSysctl = 'net.netfilter.nf_conntrack_helper';

/** Whether the kernel's helper is, or may be, at work on connections to this port. */
export function hasHelper(facts: Facts, port: number): boolean {
  const { sysctls, modules } = facts;
  if (helperOf(facts, port)) return true;
  const isAutomatic = sysctls.get(helperSysctl)?.value === '1' && port === 21;
  return isAutomatic && modules?.has(helperModule) !== false;
}

/** The rule that gives the helper to connections to this port, the one that certainly does if there is one. */
export function helperOf(
  facts: Facts,
  port: number,
): (HelperRule & { readonly firewall: Firewall }) | undefined {
  const forwarding = forwardingOf(facts, port);
  const outside = forwarding?.outside ?? port;
  const found = facts.firewalls.flatMap((firewall) => {
    const rule = helperRule(firewall, outside, forwarding?.inside ?? port);
    return rule ? [{ ...rule, firewall }] : [];
  });
  return found.find(({ isCertain }) => isCertain) ?? found[0];
}

export interface Forwarding {
  readonly firewall: Firewall;
  readonly rule: Translation;
  /** The port that clients connect to. */
  readonly outside: number;
  /** The port of the host that it leads to. */
  readonly inside: number;
}

/** The rule that leads clients to this control port of another host, and where it stands; some other port may lead there. */
export function forwardingOf(facts: Facts, port: number): Forwarding | undefined {
  const own = forwardingOfOutside(facts, port);
  if (own || isTakenIn(facts, port)) return own;
  return forwardings(facts).find(({ inside }) => inside === port);
}

/** Whether this host serves the port itself. */
function isTakenIn({ firewalls, listeners }: Facts, port: number): boolean {
  return (
    listeners?.some((listener) => listener.port === port) === true ||
    firewalls.some((firewall) => namesPort(firewall, 'input', port))
  );
}

function forwardingOfOutside({ firewalls }: Facts, outside: number): Forwarding | undefined {
  for (const firewall of firewalls) {
    const rule = forwardingRule(firewall, outside);
    if (rule) return { firewall, rule, outside, inside: rule.toPorts?.first ?? outside };
  }
  return undefined;
}

/** Every single port that a rule leads on. */
function forwardings(facts: Facts): Forwarding[] {
  const known = forwardingsOf.get(facts.firewalls);
  if (known) return known;
  const ports = facts.firewalls.flatMap(({ tables }) =>
    rulesOf(tables)
      .filter(({ rule }) => rule.action.kind === 'dnat' && rule.action.ports !== undefined)
      .flatMap(({ rule }) => portsOf(rule, 'to-port') ?? [])
      .filter(({ first, last }) => first === last)
      .map(({ first }) => first),
  );
  const found = [...new Set(ports)].flatMap((port) => forwardingOfOutside(facts, port) ?? []);
  forwardingsOf.set(facts.firewalls, found);
  return found;
}

const forwardingsOf = new WeakMap<readonly Firewall[], Forwarding[]>();

/** Whether some rule may lead the port on, so that what this host's own chains do with it decides nothing. */
export function mayLeadOn({ firewalls }: Facts, port: number): boolean {
  return firewalls.some((firewall) => mayBeForwarded(firewall, port));
}

/**
 * Whether this host leads connections on to the server without any translation: its rules name the port where they
 * forward and not where they take in, and nobody listens on it here.
 */
export function isRouted({ firewalls, listeners, pinhole }: Facts, port: number): boolean {
  if (pinhole || listeners?.some((listener) => listener.port === port)) return false;
  const names = (hook: Hook): boolean => firewalls.some((firewall) => namesPort(firewall, hook, port));
  return names('forward') && !names('input');
}

/** Where connections to a port pass: a gateway leads them on, the server's own host takes them in. */
export function wayTo(facts: Facts, firewall: Firewall, port: number): Passage {
  const forwarding = forwardingOf(facts, port);
  if (forwarding?.firewall.family === firewall.family)
    return { hook: 'forward', isForwarded: true, to: forwarding.rule.to, state: 'new' };
  return { hook: isRouted(facts, port) ? 'forward' : 'input', isForwarded: false, state: 'new' };
}
