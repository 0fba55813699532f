import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import type { Statement } from '../linux/nftables/statement.ts';
import {
  admit,
  clear,
  disguise,
  dismiss,
  sourceKey,
  sourceText,
  undisguise,
  type Translation,
} from '../linux/nftables/transaction.ts';
import type { KernelPinhole } from './kernel-pinhole.ts';
import type { KernelTable } from './kernel-table.ts';
import type { PinholeRequest } from './plane.ts';

/** The elements of nftables that pinholes are made of: their own, and the sources that several share. */
export class KernelElements {
  readonly #table: KernelTable;
  /** The name of the table. */
  readonly #name: string;
  /** What the source of a connection becomes, by `sourceKey`; several paths may share it. */
  readonly #sources = new Map<string, { readonly from: Endpoint; users: number }>();

  constructor(table: KernelTable) {
    this.#table = table;
    this.#name = table.settings.table;
  }

  /**
   * Where the port can't be had any will do, as on the relay plane. Anybody's connection may have it, for two minutes
   * after its end too: the kernel would drop the packet that has just used the pinhole up.
   *
   * @param isTaken whether the kernel has a connection between these ends
   */
  sourceFor(
    { peer, to, from }: PinholeRequest,
    isTaken: (ends: { readonly from: Endpoint; readonly at: Endpoint }) => boolean,
  ): Endpoint {
    const shared = this.#sources.get(sourceKey({ peer, to }))?.from;
    if (shared?.address === from.address) return shared;
    return from.port !== 0 && isTaken({ from: to, at: from }) ? { ...from, port: 0 } : from;
  }

  /** @throws {NftError} and then the kernel has nothing of it; `exists`: the place is another process's */
  async admit(pinhole: KernelPinhole): Promise<void> {
    const source = this.#share(pinhole);
    try {
      await this.#table.submit(this.#admission(pinhole, source, true));
    } catch (error) {
      this.#unshare(pinhole.path);
      throw error;
    }
    pinhole.isAdmitted = true;
  }

  /** After the kernel has let in who was expected: what is left of the pinhole does nothing any more. */
  clear({ path }: KernelPinhole): void {
    // Apart: where one is gone already, the other is to go all the same.
    this.#table.withdrawLater(clear(this.#name, path));
    this.#table.withdrawLater(this.#unshare(path));
  }

  /** Lets nobody in any more; a failure leaves the elements to their own timeouts. */
  dismiss({ path }: KernelPinhole): void {
    this.#table.withdraw([...dismiss(this.#name, path), ...this.#unshare(path)]);
  }

  /** What the kernel has of a pinhole, to be said again. */
  again(pinhole: KernelPinhole): Statement[] {
    return this.#admission(pinhole, disguise(this.#name, pinhole.path, leftOf(pinhole)), false);
  }

  #admission(pinhole: KernelPinhole, source: readonly Statement[], isNew: boolean): Statement[] {
    return [...source, ...admit(this.#name, pinhole.path, leftOf(pinhole), isNew)];
  }

  /** Returns the statements that name the source; another path may have named the same one. */
  #share(pinhole: KernelPinhole): Statement[] {
    const { path } = pinhole;
    const key = sourceKey(path);
    const source = this.#sources.get(key);
    if (source && sourceText(source) !== sourceText(path)) {
      throw new Error(
        `${path.peer} is already forwarded to ${formatEndpoint(path.to)} from ${sourceText(source)}`,
      );
    }
    const statements = disguise(this.#name, path, leftOf(pinhole));
    if (!source) {
      this.#sources.set(key, { from: path.from, users: 1 });
      return statements;
    }
    source.users++;
    return [...undisguise(this.#name, path), ...statements];
  }

  #unshare(path: Translation): Statement[] {
    const source = this.#sources.get(sourceKey(path));
    if (!source || --source.users > 0) return [];
    this.#sources.delete(sourceKey(path));
    return undisguise(this.#name, path);
  }
}

/** Milliseconds until it expires. */
function leftOf({ expectation }: KernelPinhole): number {
  return expectation.expires - performance.now();
}
