import { isIPv6 } from 'node:net';
import type { Finding } from '../finding.ts';
import { wayTo, type Facts } from './facts.ts';
import { hasRange, passiveRange } from './ftp-service.ts';
import { mayBeForwarded, verdictFor } from './openness.ts';
import { openRemedy } from './remedies.ts';
import { note } from './say.ts';

/** What only IPv6 finds closed: it may be meant so, unless the server's name has an address of it too. */
export function checkIpv6(facts: Facts): Finding[] {
  const { addresses, firewalls, front } = facts;
  const hasIpv6 = addresses.length === 0 || addresses.some((address) => isIPv6(address));
  if (!hasIpv6) return [];
  return firewalls
    .filter(({ family }) => family === 6)
    .flatMap((firewall) =>
      front.flatMap((service) => {
        const port = service.controlPort;
        const way = wayTo(facts, firewall, port);
        if (way.hook !== 'input' || mayBeForwarded(firewall, port)) return [];
        const verdict = verdictFor(firewall, { ...way, port });
        if (verdict.kind !== 'closed') return [];
        const ports = [{ first: port, last: port }, ...(hasRange(service) ? [passiveRange(service)] : [])];
        const remedies = ports.map((range) => openRemedy(firewall, verdict, range));
        const place = { file: firewall.file, line: verdict.chain.line };
        return [note('control-port-closed-ipv6', { values: { port }, ...place, remedies })];
      }),
    );
}
