import type { Family } from '../../net/address.ts';
import type { TableStatement } from './statement.ts';

/** The one table that is ours, and the mark of the connections that it lets through. */
export interface TableSettings {
  readonly table: string;
  readonly mark: number;
  /** Whether the table is to go with this process, whatever ends that. */
  readonly isOwned?: boolean;
}

/** How many pinholes of one family can be pending. */
const capacity = 65_536;

/** How long a first packet keeps others away, in milliseconds: a little longer than it may stay without an answer. */
const heldFor = 4000;

/**
 * Makes the table, replacing one left by a crash; the transaction is one step, so that the table is never half
 * complete.
 *
 * A packet of a new connection meets `gate` before any NAT: who is expected is marked, and the expectation is gone with
 * that same packet. Until the peer acknowledges the answer to it, `held` has the tuple: another first packet is dropped,
 * not refused, so that whoever sent it sends it again a little later. `settle` ends that. `lead` and `disguise` rewrite
 * the destination and the source of marked connections alone, `borrow` the source of connections that this process
 * makes. Each stands at two hooks, as what this host itself sends and receives passes others than what it forwards.
 */
export function makeTable(settings: TableSettings): TableStatement {
  return { kind: 'table', change: 'make', table: settings.table, text: textOfTable(settings, 'delete') };
}

/** Makes the table, or where it is there its rules anew: its elements stay. */
export function keepTable(settings: TableSettings): TableStatement {
  const { table } = settings;
  return { kind: 'table', change: 'keep', table, text: textOfTable(settings, 'flush') };
}

function textOfTable({ table, mark, isOwned = false }: TableSettings, before: 'delete' | 'flush'): string {
  // The kernel gives no owner to a table that was without one in the same transaction.
  const begin = isOwned
    ? `table inet ${table} {\n\tflags owner\n`
    : `add table inet ${table}\n${before} table inet ${table}\ntable inet ${table} {\n`;
  return `${begin}${([4, 6] as const).map(setsOf).join('')}\tchain gate {
${([4, 6] as const).map((family) => gateOf(family, mark)).join('')}\t}
\tchain settle {
${([4, 6] as const).map(settleOf).join('')}\t}
\tchain lead {
\t\tdnat ip to ip saddr . ip daddr . tcp dport map @to4
\t\tdnat ip6 to ip6 saddr . ip6 daddr . tcp dport map @to6
\t}
\tchain disguise {
\t\tsnat ip to ip saddr . ip daddr . tcp dport map @from_port4
\t\tsnat ip to ip saddr . ip daddr . tcp dport map @from4
\t\tsnat ip6 to ip6 saddr . ip6 daddr . tcp dport map @from_port6
\t\tsnat ip6 to ip6 saddr . ip6 daddr . tcp dport map @from6
\t}
\tchain borrow {
\t\tsnat ip to ip saddr . tcp sport . ip daddr . tcp dport map @borrowed4
\t\tsnat ip6 to ip6 saddr . tcp sport . ip6 daddr . tcp dport map @borrowed6
\t}
\tchain gate_in { type filter hook prerouting priority -110; ${gates(mark)} }
\tchain gate_local { type filter hook output priority -110; ${gates(mark)} }
\tchain lead_in { type nat hook prerouting priority -105; ct mark ${mark} jump lead; }
\tchain lead_local { type nat hook output priority -105; ct mark ${mark} jump lead; }
\tchain disguise_out { type nat hook postrouting priority 95; ct mark ${mark} jump disguise; }
\tchain borrow_out { type nat hook postrouting priority 95; ct mark != ${mark} jump borrow; }
\tchain disguise_local { type nat hook input priority 95; ct mark ${mark} jump disguise; }
}
`;
}

/** Deletes the table; where it is not there already that is no error. */
export function dropTable({ table, isOwned = false }: TableSettings): TableStatement {
  const text = `${isOwned ? '' : `add table inet ${table}\n`}delete table inet ${table}\n`;
  return { kind: 'table', change: 'drop', table, text };
}

function setsOf(family: Family): string {
  const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const endpoint = `${address} . inet_service`;
  const tuple = `type ${address} . ${endpoint}`;
  return `\tset expect${family} { ${tuple}; size ${capacity}; flags dynamic,timeout; }
\tset held${family} { ${tuple}; size ${capacity}; flags dynamic,timeout; }
\tmap to${family} { ${tuple} : ${endpoint}; size ${capacity}; flags timeout; }
\tmap from${family} { ${tuple} : ${address}; size ${capacity}; flags timeout; }
\tmap from_port${family} { ${tuple} : ${endpoint}; size ${capacity}; flags timeout; }
\tmap borrowed${family} { type ${endpoint} . ${endpoint} : ${address}; size ${capacity}; flags timeout; }
`;
}

function gateOf(family: Family, mark: number): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  const tuple = `${ip} saddr . ${ip} daddr . tcp dport`;
  const held = `update @held${family} { ${tuple} timeout ${heldFor}ms }`;
  return `\t\t${tuple} @expect${family} delete @expect${family} { ${tuple} } ct mark set ${mark} ${held} return
\t\t${tuple} @held${family} drop
`;
}

function settleOf(family: Family): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  const tuple = `${ip} saddr . ${ip} daddr . tcp dport`;
  return `\t\t${tuple} @held${family} delete @held${family} { ${tuple} }\n`;
}

/** Where packets come in, each meets the chain that it is for. */
function gates(mark: number): string {
  const first = 'tcp flags syn / fin,syn,rst,ack ct state new jump gate;';
  return `${first} tcp flags ack / fin,syn,rst,ack ct mark ${mark} ct state established jump settle;`;
}
