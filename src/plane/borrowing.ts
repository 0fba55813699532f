import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf, parseAddress, type Address } from '../net/address.ts';
import { dial, NoAnswerError, type Dialling, type LocalEnd, type Route } from '../net/dial.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { sharedLookup } from '../net/shared-lookup.ts';
import { admit, borrow, dismiss, giveBack, type Lead, type Loan } from '../linux/nftables/transaction.ts';
import type { KernelTable } from './kernel-table.ts';
import type { Borrower } from './plane.ts';

/** From where the system takes local ports by default (ip(7), ip_local_port_range). */
const ephemeral = { first: 32_768, last: 60_999 };
/** How many ports are tried where the wanted one is not free. */
const tries = 8;
/** What becomes of a loan that nobody gives back. */
const loanTimeout = 60_000;

/** Addresses that no host has (RFC 5737, RFC 3849). */
const nobody = { 4: addressOf('192.0.2.1'), 6: addressOf('2001:db8::1') } as const;

export interface Trial {
  /** What is wrong, in one line; undefined for nothing. */
  readonly trouble: Promise<string | undefined>;
  abort(): void;
}

/** Uses addresses that are other hosts', by rules of nftables: theirs stay untouched. */
export class Borrowing implements Borrower {
  readonly #table: KernelTable;
  readonly #name: string;
  /** The connections that are being made, by local and far endpoint. */
  readonly #loans = new Set<string>();
  readonly #leads = new Map<Lead, number>();

  constructor(table: KernelTable) {
    this.#table = table;
    this.#name = table.settings.table;
    table.restores(() =>
      [...this.#leads].map(([lead, expires]) => admit(this.#name, lead, expires - performance.now())),
    );
  }

  dial(
    to: { readonly host: string; readonly port: number },
    as: Endpoint,
    timeout: number,
    own?: Address,
  ): Dialling {
    const dialling = dial(to, timeout, async (): Promise<Route> => {
      const address = await resolve(to.host, as.address);
      const local = own ?? (await ownAddressTowards(address));
      const far = { address, port: to.port };
      const ports = [as.port, ...Array.from({ length: tries }, randomPort)].filter((port) => port > 0);
      return {
        host: address,
        locals: ports.map((port) =>
          this.#localEnd({ local: { address: local, port }, to: far, as: as.address }),
        ),
      };
    });
    return {
      abort: () => {
        dialling.abort();
      },
      connected: dialling.connected.catch((error: unknown) => {
        if (!(error instanceof NoAnswerError)) throw error;
        const hint = `its default route must lead through this host, so that its packets to ${as.address} come back here`;
        throw new NoAnswerError(`${messageOf(error)}: ${hint}`, { cause: error });
      }),
    };
  }

  /**
   * Tries whether what the server answers to other hosts comes back through this one, from an address that is nobody's.
   * The server sees two connections that say nothing.
   *
   * @param timeout milliseconds, for each of the two
   */
  tryWayBack(to: { readonly host: string; readonly port: number }, timeout: number): Trial {
    let current = dial(to, timeout);
    const over = new AbortController();
    const isOver = (): boolean => over.signal.aborted;
    const work = async (): Promise<string | undefined> => {
      let far: Address | undefined;
      try {
        const socket = await current.connected;
        far = endpointOfSocket(socket.remoteAddress, socket.remotePort)?.address;
        socket.destroy();
      } catch (error) {
        return isOver() ? undefined : `keep-client-address could not be tested: ${messageOf(error)}`;
      }
      if (isOver() || far === undefined) return undefined;
      const as = nobody[familyOf(far)];
      current = this.dial({ host: far, port: to.port }, { address: as, port: 0 }, timeout);
      try {
        (await current.connected).destroy();
        return undefined;
      } catch (error) {
        if (isOver()) return undefined;
        const what = `keep-client-address: the server answers this host, but not ${as} as a test client`;
        return `${what}: ${messageOf(error)}`;
      }
    };
    return {
      trouble: work(),
      abort: () => {
        over.abort();
        current.abort();
      },
    };
  }

  /**
   * Leads who connects to an address that is not this host's to a listener of this host, once.
   *
   * @param timeout milliseconds
   * @returns what takes that back
   * @throws {NftError} `exists`: another process leads the peer from there
   */
  async lead(lead: Lead, timeout: number): Promise<() => void> {
    this.#leads.set(lead, performance.now() + timeout);
    try {
      await this.#table.submit(admit(this.#name, lead, timeout, true));
    } catch (error) {
      this.#leads.delete(lead);
      throw error;
    }
    return () => {
      if (this.#leads.delete(lead)) this.#table.withdraw(dismiss(this.#name, lead));
    };
  }

  #localEnd(loan: Loan): LocalEnd {
    const key = `${formatEndpoint(loan.local)} ${formatEndpoint(loan.to)}`;
    return {
      address: loan.local.address,
      port: loan.local.port,
      prepare: async () => {
        if (this.#loans.has(key)) {
          throw Object.assign(new Error(`a connection of ${key} is being established`), {
            code: 'EADDRINUSE',
          });
        }
        this.#loans.add(key);
        try {
          await this.#table.submit(borrow(this.#name, loan, loanTimeout));
        } catch (error) {
          this.#loans.delete(key);
          throw error;
        }
        return () => {
          this.#loans.delete(key);
          this.#table.withdraw(giveBack(this.#name, loan));
        };
      },
    };
  }
}

/** @throws where there is none, for what nothing else can do */
export function requireBorrowing(borrowing: Borrowing | undefined): Borrowing {
  if (!borrowing) throw new Error('connections from addresses of other hosts are not available');
  return borrowing;
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is not an address`);
  return address;
}

function randomPort(): number {
  return randomInt(ephemeral.first, ephemeral.last + 1);
}

/** The address of a host in the family of `like`: an address of the other one cannot stand in its place. */
async function resolve(host: string, like: Address): Promise<Address> {
  const family = familyOf(like);
  const known = parseAddress(host);
  if (known === undefined) {
    const found = parseAddress(await sharedLookup.resolve(host, family));
    if (found !== undefined) return found;
  } else if (familyOf(known) === family) {
    return known;
  }
  throw new Error(`${host} has no IPv${family} address, so it cannot be reached from ${like}`);
}

/** The address that this host would connect from. Nothing is sent: connect(2) of a datagram socket looks up the route. */
async function ownAddressTowards(address: Address): Promise<Address> {
  const socket = createSocket(familyOf(address) === 4 ? 'udp4' : 'udp6');
  try {
    // Any port will do.
    socket.connect(9, address);
    await once(socket, 'connect');
    const own = parseAddress(socket.address().address);
    if (own !== undefined) return own;
  } finally {
    socket.close();
  }
  throw new Error(`this host has no source address for ${address}`);
}
