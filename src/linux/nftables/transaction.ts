import { familyOf, withoutZone, type Address } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';
import type { AddElement, DeleteElement, Fields, Statement } from './statement.ts';
import { textOfFields } from './text.ts';

/** Who connects to where, and where that leads; all addresses are of one family. */
export interface Lead {
  /** Who may connect, from any port. */
  readonly peer: Address;
  /** Where the peer connects to. */
  readonly at: Endpoint;
  /** Where the connection leads. */
  readonly to: Endpoint;
}

/** The address translation of one pinhole: where its connections lead, and the source that they have there. */
export interface Translation extends Lead {
  /** Where a connection comes from, as the far end sees it; port 0: the port that it came from, if that is free. */
  readonly from: Endpoint;
}

/**
 * Lets the peer connect once. The rewriting outlives the expectation a little: the packet that comes at the last
 * moment needs both.
 *
 * @param timeout milliseconds
 * @param isNew whether it fails (`exists`) where another process expects the peer there
 */
export function admit(table: string, lead: Lead, timeout: number, isNew: boolean = false): Statement[] {
  const key = tupleOf(lead);
  return [
    add(table, setOf('to', lead), key, timeout + 10 * second, fieldsOf(lead.to), isNew),
    add(table, setOf('expect', lead), key, timeout),
  ];
}

/** The end of `admit`: no further connections are accepted, established ones continue. */
export function dismiss(table: string, lead: Lead): Statement[] {
  const key = tupleOf(lead);
  return [
    ...admit(table, lead, second),
    remove(table, setOf('expect', lead), key),
    remove(table, setOf('to', lead), key),
  ];
}

/** The end of `admit` after the peer has come: the kernel has taken the expectation out by itself. */
export function clear(table: string, lead: Lead): Statement[] {
  return [remove(table, setOf('to', lead), tupleOf(lead))];
}

/**
 * Names the source of the connections that go from the peer to where they are led. The key is what a packet has
 * by then, `peer . to`: translations that have these in common share the element, see `sourceKey`.
 *
 * @param timeout milliseconds
 */
export function disguise(table: string, translation: Translation, timeout: number): Statement[] {
  return [
    add(table, sourceSetOf(translation), goalOf(translation), timeout + 10 * second, sourceOf(translation)),
  ];
}

/** The end of `disguise`. */
export function undisguise(table: string, translation: Translation): Statement[] {
  return [
    ...disguise(table, translation, second),
    remove(table, sourceSetOf(translation), goalOf(translation)),
  ];
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
export function sourceKey(translation: Pick<Translation, 'peer' | 'to'>): string {
  return textOfFields(goalOf(translation));
}

/** `198.51.100.1 . 20`, or the address alone where any port will do. */
export function sourceText(translation: Pick<Translation, 'from'>): string {
  return textOfFields(sourceOf(translation));
}

const second = 1000;

function setOf(name: 'expect' | 'to' | 'from' | 'from_port', { at }: Pick<Lead, 'at'>): string {
  return `${name}${familyOf(at.address)}`;
}

function sourceSetOf(translation: Translation): string {
  return setOf(translation.from.port === 0 ? 'from' : 'from_port', translation);
}

function borrowedSetOf({ to }: Loan): string {
  return `borrowed${familyOf(to.address)}`;
}

/** `198.51.100.10 . 198.51.100.1 . 50000` */
function tupleOf({ peer, at }: Lead): Fields {
  return [withoutZone(peer), ...fieldsOf(at)];
}

/** `198.51.100.10 . 10.77.0.2 . 30000` */
function goalOf({ peer, to }: Pick<Translation, 'peer' | 'to'>): Fields {
  return [withoutZone(peer), ...fieldsOf(to)];
}

/** `198.51.100.1 . 20`, or `198.51.100.1` */
function sourceOf({ from }: Pick<Translation, 'from'>): Fields {
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
function add(
  table: string,
  set: string,
  key: Fields,
  timeout: number,
  value?: Fields,
  isNew: boolean = false,
): AddElement {
  return { kind: 'add-element', table, set, key, timeout: Math.max(1, Math.ceil(timeout)), value, isNew };
}

function remove(table: string, set: string, key: Fields): DeleteElement {
  return { kind: 'delete-element', table, set, key };
}
