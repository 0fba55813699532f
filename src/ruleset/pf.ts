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
        'Check: pfctl -nf /etc/pf.conf    Load: pfctl -f /etc/pf.conf',
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
      '# Anti-spoofing: a source that would not be answered through the interface that it came in by.',
      'block in quick from urpf-failed',
      '# Errors and the size of packets on the way; neighbours of IPv6.',
      'pass in inet proto icmp',
      'pass in inet6 proto ipv6-icmp',
      '# What goes out, with what comes back.',
      'pass out keep state',
      ...input.flatMap((rule) => [`# ${rule.comment}`, passing(rule, options.sessionRate)]),
    ]),
  ];
}

function passing({ from = [], to = [], ports = [], limited }: Rule, rate: number): string {
  const target = to.length === 0 || to.some(isWholeFamily) ? 'self' : braced(to.map(textOfCidr));
  const state = limited ? ` keep state (max-src-conn-rate ${rate}/60)` : ' keep state';
  return `pass in proto tcp from ${networksOf(from)} to ${target} port ${braced(ports.map(formatColonRange))} flags S/SA${state}`;
}

function networksOf(networks: readonly Cidr[]): string {
  return networks.length === 0 ? 'any' : braced(networks.map(textOfCidr));
}
