import { familyOf, withoutZone, type Address, type Family } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';
import type { AddElement, DeleteElement, Fields, Statement, TableStatement } from './statement.ts';
import { textOfFields } from './text.ts';

/** The one table that is ours, and the mark of the connections that it lets through. */
export interface TableSettings {
  readonly table: string;
  readonly mark: number;
  /** Whether the table is to go with this process, whatever ends that. */
  readonly isOwned?: boolean;
}

/** Who connects to where, and where that leads; all addresses are of one family. */
export interface Lead {
  /** Who may connect, from any port. */
  readonly peer: Address;
  /** Where the peer connects to. */
  readonly at: Endpoint;
  /** Where the connection leads. */
  readonly to: Endpoint;
}

/** What the kernel is told of one pinhole. */
export interface Path extends Lead {
  /** Where it comes from, as the far end sees it; port 0: the port that it came from, if that is free. */
  readonly from: Endpoint;
}

/** How many pinholes of one family can be pending. */
const capacity = 65_536;

/**
 * Makes the table, in the place of one that was left behind; the transaction is one step, so that at no time
 * half of it stands.
 *
 * A packet of a new connection meets `gate` before any NAT: who is expected is marked, and the expectation is
 * gone with that same packet. Until the peer acknowledges the answer to it, `held` has the tuple: another first packet
 * is dropped, not refused, so that whoever sent it sends it again a little later. `settle` ends that. `lead` and `disguise` rewrite the destination and the source of marked connections
 * alone, `borrow` the source of connections that this process makes. Each stands at two hooks, as what this host itself sends and receives passes others than what it
 * forwards.
 */
export function makeTable(settings: TableSettings): TableStatement {
  return { kind: 'table', change: 'make', table: settings.table, text: textOfTable(settings) };
}

function textOfTable({ table, mark, isOwned = false }: TableSettings): string {
  // The kernel gives no owner to a table that was without one in the same transaction.
  const begin = isOwned
    ? `table inet ${table} {\n\tflags owner\n`
    : `add table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n`;
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

/**
 * Lets the peer connect once. The rewriting outlives the expectation a little: the packet that comes at the last
 * moment needs both.
 *
 * @param timeout milliseconds
 */
export function admit(table: string, path: Lead, timeout: number): Statement[] {
  const key = tupleOf(path);
  return [
    add(table, setOf('to', path), key, timeout + 10 * second, fieldsOf(path.to)),
    add(table, setOf('expect', path), key, timeout),
  ];
}

/** The end of `admit`: nobody is let in any more, connections that were live on. */
export function dismiss(table: string, path: Lead): Statement[] {
  const key = tupleOf(path);
  return [
    ...admit(table, path, second),
    remove(table, setOf('expect', path), key),
    remove(table, setOf('to', path), key),
  ];
}

/** The end of `admit` after the peer has come: the kernel has taken the expectation out by itself. */
export function clear(table: string, path: Lead): Statement[] {
  return [remove(table, setOf('to', path), tupleOf(path))];
}

/**
 * Names the source of the connections that go from the peer to where a path leads. The key is what a packet has
 * by then, `peer . to`: paths that have these in common share the element, see `sourceKey`.
 *
 * @param timeout milliseconds
 */
export function disguise(table: string, path: Path, timeout: number): Statement[] {
  return [add(table, sourceSetOf(path), goalOf(path), timeout + 10 * second, sourceOf(path))];
}

/** The end of `disguise`. */
export function undisguise(table: string, path: Path): Statement[] {
  return [...disguise(table, path, second), remove(table, sourceSetOf(path), goalOf(path))];
}

/** A connection that this process makes: where it comes from, where it goes, and whose address it borrows. */
export interface Loan {
  readonly local: Endpoint;
  readonly to: Endpoint;
  readonly as: Address;
}

/**
 * Lets a connection from this host go out under another host's address, from the same port if that is free.
 *
 * @param timeout milliseconds
 */
export function borrow(table: string, loan: Loan, timeout: number): Statement[] {
  return [add(table, borrowedSetOf(loan), connectionOf(loan), timeout, [withoutZone(loan.as)])];
}

/** The end of `borrow`: a connection that was made lives on. */
export function giveBack(table: string, loan: Loan): Statement[] {
  return [...borrow(table, loan, second), remove(table, borrowedSetOf(loan), connectionOf(loan))];
}

/** `198.51.100.10 . 10.77.0.2 . 30000`: who connects, and to where it is led. */
export function sourceKey(path: Pick<Path, 'peer' | 'to'>): string {
  return textOfFields(goalOf(path));
}

/** `198.51.100.1 . 20`, or the address alone where any port will do. */
export function sourceText(path: Pick<Path, 'from'>): string {
  return textOfFields(sourceOf(path));
}

const second = 1000;

/** How long a first packet keeps others away, in milliseconds: a little longer than it may stay without an answer. */
const heldFor = 4 * second;

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

function setOf(name: 'expect' | 'to' | 'from' | 'from_port', { at }: Pick<Lead, 'at'>): string {
  return `${name}${familyOf(at.address)}`;
}

function sourceSetOf(path: Path): string {
  return setOf(path.from.port === 0 ? 'from' : 'from_port', path);
}

function borrowedSetOf({ to }: Loan): string {
  return `borrowed${familyOf(to.address)}`;
}

/** `198.51.100.10 . 198.51.100.1 . 50000` */
function tupleOf({ peer, at }: Lead): Fields {
  return [withoutZone(peer), ...fieldsOf(at)];
}

/** `198.51.100.10 . 10.77.0.2 . 30000` */
function goalOf({ peer, to }: Pick<Path, 'peer' | 'to'>): Fields {
  return [withoutZone(peer), ...fieldsOf(to)];
}

/** `198.51.100.1 . 20`, or `198.51.100.1` */
function sourceOf({ from }: Pick<Path, 'from'>): Fields {
  return from.port === 0 ? [withoutZone(from.address)] : fieldsOf(from);
}

/** `10.77.0.1 . 40000 . 10.77.0.2 . 21` */
function connectionOf({ local, to }: Loan): Fields {
  return [...fieldsOf(local), ...fieldsOf(to)];
}

function fieldsOf({ address, port }: Endpoint): Fields {
  return [withoutZone(address), port];
}

/** A timeout of nothing would be none at all. */
function add(table: string, set: string, key: Fields, timeout: number, value?: Fields): AddElement {
  return { kind: 'add-element', table, set, key, timeout: Math.max(1, Math.ceil(timeout)), value };
}

function remove(table: string, set: string, key: Fields): DeleteElement {
  return { kind: 'delete-element', table, set, key };
}
