import type { Endpoint } from '../../net/endpoint.ts';

/** One connection as the kernel's connection tracking has it. */
export interface Flow {
  /** `listed`: nothing has happened to it, it was asked for. */
  readonly what: 'new' | 'update' | 'destroy' | 'listed';
  /** What distinguishes it from a later connection of the same tuple. */
  readonly id: number;
  /** `SYN_SENT`, `ESTABLISHED`, `TIME_WAIT` ...; undefined if the kernel does not report it. */
  readonly state: string | undefined;
  /** Who connected. */
  readonly from: Endpoint;
  /** Where it connected to, before any NAT. */
  readonly at: Endpoint;
  /**
   * Bytes to where it connected to, and back, as the kernel counts them: with the headers of IP and TCP.
   * Undefined where it does not count (net.netfilter.nf_conntrack_acct), or not in this message.
   */
  readonly bytes: { readonly sent: number; readonly returned: number } | undefined;
}

/** Whether both sides have sent FIN, or one has reset it. */
export function isOver({ what, state }: Flow): boolean {
  return what === 'destroy' || state === 'TIME_WAIT' || state === 'CLOSE';
}
