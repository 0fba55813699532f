import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import type { Address, Family } from '../net/address.ts';
import { PublicAddress } from '../proxy/public-address.ts';

/** The addresses announced to clients; names are looked up repeatedly. */
export interface PublicAddresses {
  readonly of: (family: Family) => Address | undefined;
  stop(): void;
}

export async function startPublicAddresses(config: Config, observe: Observer): Promise<PublicAddresses> {
  const { publicAddress, publicAddress6 } = config;
  const v4 = publicAddress === undefined ? undefined : new PublicAddress(publicAddress, 4, observe);
  const v6 = publicAddress6 === undefined ? undefined : new PublicAddress(publicAddress6, 6, observe);
  await Promise.all([v4?.start(), v6?.start()]);
  return {
    of: (family) => (family === 4 ? v4 : v6)?.current,
    stop: () => {
      v4?.stop();
      v6?.stop();
    },
  };
}
