import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import type { Address, Family } from '../net/address.ts';
import { PublicAddress } from '../proxy/public-address.ts';

/** The addresses announced to clients; names are looked up repeatedly. */
export interface PublicAddresses {
  readonly of: (family: Family) => Address | undefined;
  stop(): void;
}

/** @param changed is called when one has changed that was there */
export async function startPublicAddresses(
  config: Config,
  observe: Observer,
  changed: (addresses: PublicAddresses) => void = () => undefined,
): Promise<PublicAddresses> {
  const { publicAddress, publicAddress6 } = config;
  const known: { addresses?: PublicAddresses } = {};
  const told: Observer = (event) => {
    observe(event);
    if (known.addresses && event.type === 'public-address-resolved') changed(known.addresses);
  };
  const v4 = publicAddress === undefined ? undefined : new PublicAddress(publicAddress, 4, told);
  const v6 = publicAddress6 === undefined ? undefined : new PublicAddress(publicAddress6, 6, told);
  await Promise.all([v4?.start(), v6?.start()]);
  const addresses: PublicAddresses = {
    of: (family) => (family === 4 ? v4 : v6)?.current,
    stop: () => {
      v4?.stop();
      v6?.stop();
    },
  };
  known.addresses = addresses;
  return addresses;
}
