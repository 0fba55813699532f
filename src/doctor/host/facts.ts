import type { Address } from '../../net/address.ts';
import type { Config } from '../../config.ts';
import type { HostSources } from '../host-sources.ts';
import { forwardingRule, helperRule, mayBeForwarded, type Firewall } from './firewall.ts';
import type { FtpService } from './ftp-service.ts';
import { readIptables } from './iptables.ts';
import type { Placed } from './lines.ts';
import { readListening, type Listener } from './listening.ts';
import { helperModule, readModules } from './modules.ts';
import { readNftables } from './nftables.ts';
import { readAddresses } from './own-addresses.ts';
import { readPinhole, serviceOfPinhole } from './pinhole-settings.ts';
import { readProftpd } from './proftpd-settings.ts';
import { readPureFtpd } from './pure-ftpd-settings.ts';
import { readSysctls } from './sysctl.ts';
import { readVsftpd } from './vsftpd-settings.ts';

/** All that the sources say; undefined where there is no source, so that nothing is taken for absent. */
export interface Facts {
  readonly sources: HostSources;
  readonly servers: readonly FtpService[];
  /** `undefined` in it: a configuration that Pinhole refuses. */
  readonly pinhole:
    { readonly config: Config | undefined; readonly service: FtpService | undefined } | undefined;
  /** What clients connect to: Pinhole where it stands in front, else the servers. */
  readonly front: readonly FtpService[];
  readonly firewalls: readonly Firewall[];
  /** Rules that are loaded at the next start. */
  readonly savedRules: Firewall | undefined;
  readonly modules: ReadonlySet<string> | undefined;
  readonly sysctls: ReadonlyMap<string, Placed<string>>;
  readonly listeners: readonly Listener[] | undefined;
  readonly addresses: readonly Address[];
}

export function readFacts(sources: HostSources): Facts {
  const { vsftpd, proftpd, pureFtpd, iptables, ip6tables, nftables, pinhole: own } = sources;
  const servers = [
    vsftpd && readVsftpd(vsftpd.file, vsftpd.text),
    proftpd && readProftpd(proftpd.file, proftpd.text),
    pureFtpd && readPureFtpd(pureFtpd.file, pureFtpd.text),
  ].filter((server) => server !== undefined);
  const config = own && readPinhole(own.file, own.text);
  const service = own && config && serviceOfPinhole(own.file, config);
  const firewalls = [
    iptables && readIptables(iptables.file, iptables.text, 4),
    ip6tables && readIptables(ip6tables.file, ip6tables.text, 6),
    nftables && readNftables(nftables.file, nftables.text, iptables === undefined),
  ].filter((firewall) => firewall !== undefined);
  return {
    sources,
    servers,
    pinhole: own && { config, service },
    front: own ? (service ? [service] : []) : servers,
    firewalls,
    savedRules:
      sources.savedIptables && readIptables(sources.savedIptables.file, sources.savedIptables.text, 4),
    modules: sources.modules && readModules(sources.modules.text),
    sysctls: readSysctls(sources.sysctl?.text ?? ''),
    listeners: sources.listening && readListening(sources.listening.text),
    addresses: readAddresses(sources.addresses?.text ?? ''),
  };
}

/** The ports on which clients are served: those of the servers, or FTP's own where none is known. */
export function controlPorts({ front }: Facts): number[] {
  return front.length === 0 ? [21] : [...new Set(front.map(({ controlPort }) => controlPort))];
}

/** The sysctl by which kernels before 6.0 give the helper to every connection to port 21, without any rule. */
export const helperSysctl = 'net.netfilter.nf_conntrack_helper';

/** Whether the kernel's helper is, or may be, at work on connections to this port. */
export function hasHelper({ firewalls, sysctls, modules }: Facts, port: number): boolean {
  if (firewalls.some((firewall) => helperRule(firewall, port) !== undefined)) return true;
  const isAutomatic = sysctls.get(helperSysctl)?.value === '1' && port === 21;
  return isAutomatic && modules?.has(helperModule) !== false;
}

/** The rule that leads the control port to another host, and where it stands. */
export function forwardingOf(
  { firewalls }: Facts,
  port: number,
):
  { readonly firewall: Firewall; readonly rule: NonNullable<ReturnType<typeof forwardingRule>> } | undefined {
  for (const firewall of firewalls) {
    const rule = forwardingRule(firewall, port);
    if (rule) return { firewall, rule };
  }
  return undefined;
}

/** Whether some rule may lead the port on, so that what this host's own chains do with it decides nothing. */
export function mayLeadOn({ firewalls }: Facts, port: number): boolean {
  return firewalls.some((firewall) => mayBeForwarded(firewall, port));
}
