import type { Address } from '../../net/address.ts';
import { fine } from '../finding.ts';
import { clientAddressIn } from './addresses.ts';
import type { ControlConnection } from './control-connection.ts';
import type { Visit } from './visit.ts';

/** Whether a NAT changes this client's address: some servers say in STAT whom they see. */
export async function checkWay(visit: Visit, control: ControlConnection): Promise<Address | undefined> {
  const seen = clientAddressIn((await control.ask('STAT')).lines);
  const own = control.local.address;
  if (seen === undefined) return undefined;
  if (seen === own) visit.say(fine('no-nat', { seen }));
  else visit.say({ id: 'nat-on-the-way', level: 'note', values: { own, seen }, remedies: [] });
  return seen;
}
