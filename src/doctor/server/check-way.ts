import { parseAddress, type Address } from '../../net/address.ts';
import { fine } from '../finding.ts';
import type { ControlConnection } from './control-connection.ts';
import type { Visit } from './visit.ts';

/**
 * Whether a NAT changes this client's address: some servers report the address that they see in STAT.
 *
 * @returns the address, where it says something of the path of this client
 */
export async function checkWay(visit: Visit, control: ControlConnection): Promise<Address | undefined> {
  const seen = clientAddressIn((await control.ask('STAT')).lines);
  const own = control.local.address;
  if (seen === undefined) return undefined;
  if (seen === own) visit.say(fine('no-nat', { seen }));
  // The server speaks to Pinhole, and what lies between Pinhole and this client does not show.
  else if (visit.pinhole === 'here') visit.say(fine('pinhole-seen', { seen }));
  else visit.say({ id: 'nat-on-the-way', level: 'note', values: { own, seen }, remedies: [] });
  return visit.pinhole === 'here' ? undefined : seen;
}

/**
 * The client's address as the server sees it, from a STAT reply. A colon after the words, as in pyftpdlib's reply,
 * marks the server's own address.
 *
 *          Connected to 198.51.100.10                        vsftpd
 *      Connected from gate.example (198.51.100.10)           ProFTPD
 *          Connected to ::ffff:198.51.100.10                 vsftpd with listen_ipv6
 */
export function clientAddressIn(lines: readonly string[]): Address | undefined {
  for (const line of lines) {
    const [, rest = ''] = /\bconnected (?:to|from) (.+)$/i.exec(line) ?? [];
    const found = rest
      .split(/[\s()[\],]+/)
      .map((word) => parseAddress(word))
      .filter((address) => address !== undefined);
    if (found.length > 0) return found.at(-1);
  }
  return undefined;
}
