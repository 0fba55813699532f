import type { Cidr } from '../net/cidr.ts';
import { formatColonRange } from '../net/port-range.ts';
import { braced, commented, fileOf, type RulesetFile } from './file.ts';
import { isWholeFamily, textOfCidr, type Plan, type Rule } from './plan.ts';

/** OpenBSD's and FreeBSD's packet filter, for the relay plane. */
export function pf({ heading, input, forward, options }: Plan): RulesetFile[] {
  return [
    fileOf('etc/pf.conf', [
      ...commented([
        ...heading,
        '',
        'Replaces: the whole of pf.conf.',
        'Try:   pfctl -nf /etc/pf.conf',
        "       nohup sh -c 'sleep 60; pfctl -d' & pfctl -f /etc/pf.conf",
        '       Within the minute log in once more, in a second terminal. If you can: kill %1. If not, pf is switched off.',
        'Load:  pfctl -f /etc/pf.conf',
        'Its form was checked, and not with pf itself.',
      ]),
      'set block-policy drop',
      'set skip on lo',
      '',
      '# All else is dropped.',
      'block in all',
      ...(forward
        ? ['# The FTP relay needs nothing forwarded; what else this gateway forwards goes here.']
        : []),
      '# Neighbours are asked from :: too, by hosts that look whether an address is free.',
      'pass in quick inet6 proto ipv6-icmp icmp6-type { neighbrsol, neighbradv, routersol, routeradv }',
      '# Anti-spoofing: a source that would not be answered through the interface that it came in by.',
      'block in quick from urpf-failed',
      '# All of ICMP: errors, the size of packets on the way, ping.',
      'pass in inet proto icmp',
      'pass in inet6 proto ipv6-icmp',
      '# Answers of DHCPv6: it was a multicast address that was asked, so they belong to nothing that is known.',
      'pass in inet6 proto udp from fe80::/10 port 547 to any port 546',
      '# What goes out, with what comes back.',
      'pass out keep state',
      ...input.flatMap((rule) => [`# ${rule.comment}`, passing(rule, options.sessionRate)]),
    ]),
  ];
}

function passing({ from = [], to = [], ports = [], limited }: Rule, rate: number): string {
  // In parentheses: the addresses that it has at the time, not those of loading.
  const target = to.length === 0 || to.some(isWholeFamily) ? '(self)' : braced(to.map(textOfCidr));
  const state = limited ? ` keep state (max-src-conn-rate ${rate}/60)` : ' keep state';
  return `pass in proto tcp from ${networksOf(from)} to ${target} port ${braced(ports.map(formatColonRange))} flags S/SA${state}`;
}

function networksOf(networks: readonly Cidr[]): string {
  return networks.length === 0 ? 'any' : braced(networks.map(textOfCidr));
}
