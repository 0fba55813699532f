/** Who carries the bytes of a data connection: this process, or the kernel. */
import { familyOf, type Address } from '../net/address.ts';
import { isServerDataProtected, type Security, type TlsPolicy } from './tls-policy.ts';

// ---- One data connection ----

/** On which of its two legs this process ends TLS. */
export interface TlsEnds {
  readonly client: boolean;
  readonly server: boolean;
}

/** Where the next data connection's TLS ends, after what a session has agreed on; nowhere here where it is passed on. */
export function tlsEndsHere(agreed: Security, policy: TlsPolicy): TlsEnds {
  const client = agreed.isDataProtected;
  const server = isServerDataProtected(agreed, policy);
  const isPassedOn = client && server && policy.data === 'server';
  return { client: client && !isPassedOn, server: server && !isPassedOn };
}

/** Between whom it is. */
interface DataPath {
  readonly peer: Address;
  readonly address: Address;
  readonly to: { readonly address: Address };
  readonly from: { readonly address: Address };
  /** Undefined: no TLS ends here. */
  readonly protection?: object | undefined;
}

/** NAT leads IPv4 to IPv4 and IPv6 to IPv6, and it ends no TLS. */
export function kernelCarries({ peer, address, to, from, protection }: DataPath): boolean {
  if (protection) return false;
  return [address, to.address, from.address].every((each) => familyOf(each) === familyOf(peer));
}

// ---- All that a configuration may come to ----

export interface CarryingSettings {
  readonly plane: 'relay' | 'kernel';
  readonly tls: Pick<TlsPolicy, 'mode' | 'data' | 'server' | 'serverData'>;
}

/** Why data goes through this process on the kernel plane too; undefined where the kernel carries all of it. */
export function reasonOfRelay({ tls }: CarryingSettings): 'passed' | 'ends here' | undefined {
  const { mode, data, server, serverData } = tls;
  if (mode === 'pass') return 'passed';
  // Then TLS of a data connection begins and ends at its two ends alone.
  if (data === 'server') return undefined;
  const endsHere = mode === 'terminate' || (server !== 'off' && serverData === 'protected');
  return endsHere ? 'ends here' : undefined;
}

/** Whether clients connect to passive-ports of this host. */
export function relaysPassive(settings: CarryingSettings): boolean {
  return settings.plane === 'relay' || reasonOfRelay(settings) !== undefined;
}

/** Whether the server connects to active-ports of this host. After AUTH that is passed there is no active mode. */
export function relaysActive(settings: CarryingSettings): boolean {
  return settings.plane === 'relay' || reasonOfRelay(settings) === 'ends here';
}
