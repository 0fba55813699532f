import { parseAddress } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** One connection as the kernel's connection tracking has it. */
export interface Flow {
  /** `listed`: nothing has happened to it, it was asked for. */
  readonly what: 'new' | 'update' | 'destroy' | 'listed';
  /** What tells it from a later connection of the same tuple. */
  readonly id: string;
  /** `SYN_SENT`, `ESTABLISHED`, `TIME_WAIT` ...; undefined where the kernel does not say. */
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

const kinds: Readonly<Record<string, Flow['what']>> = { NEW: 'new', UPDATE: 'update', DESTROY: 'destroy' };

/**
 * Reads a line of conntrack(8) with `-o id`, of events or of a list; undefined for anything else.
 *
 *      [NEW] ipv4     2 tcp      6 120 SYN_SENT src=198.51.100.10 dst=198.51.100.1 sport=40000 dport=50000 [UNREPLIED]
 *      src=10.77.0.2 dst=10.77.0.1 sport=30000 dport=40000 mark=8481 id=1881400130
 */
export function parseFlow(line: string): Flow | undefined {
  const kind = /^\s*\[(NEW|UPDATE|DESTROY)\]/.exec(line)?.[1];
  const values = new Map<string, string[]>();
  for (const [, key = '', value = ''] of line.matchAll(/\b([a-z]+)=(\S+)/g)) {
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const first = (key: string): string => values.get(key)?.[0] ?? '';
  const from = parseAddress(first('src'));
  const at = parseAddress(first('dst'));
  const id = first('id');
  if (!from || !at || id === '') return undefined;
  const [sent, returned] = values.get('bytes') ?? [];
  return {
    what: kind === undefined ? 'listed' : (kinds[kind] ?? 'listed'),
    id,
    state: / ([A-Z][A-Z0-9_]+) src=/.exec(line)?.[1],
    from: { address: from, port: Number(first('sport')) },
    at: { address: at, port: Number(first('dport')) },
    bytes:
      sent === undefined || returned === undefined
        ? undefined
        : { sent: Number(sent), returned: Number(returned) },
  };
}

/** Whether both sides have said FIN, or one has reset it. */
export function isOver({ what, state }: Flow): boolean {
  return what === 'destroy' || state === 'TIME_WAIT' || state === 'CLOSE';
}
