import { readFileSync } from 'node:fs';
import type { Observer } from '../events.ts';
import { NftError } from '../linux/nftables/error.ts';
import { loadNft } from '../linux/nftables/libnftables.ts';
import type { Nft } from '../linux/nftables/nft.ts';
import { makeTable, type TableSettings } from '../linux/nftables/table.ts';
import { Borrowing } from './borrowing.ts';
import { followConntrack, requireConntrack } from '../linux/conntrack/follow.ts';
import { createKernelPlane, type KernelPlaneOptions } from './kernel.ts';
import { KernelTable } from './kernel-table.ts';
import type { Plane } from './plane.ts';
import { TableUsers } from './table-users.ts';
import { readSysctl } from '../linux/sysctl.ts';

/** What of nftables a configuration uses, and how. */
export interface KernelNeeds extends TableSettings {
  /** What of the configuration needs it, for messages: `the kernel plane`. */
  readonly what: string;
  /** Whether the kernel carries data channels, which have to be followed. */
  readonly forwards: boolean;
}

/** The table of this process, and its claim on it. */
export interface HostTable {
  readonly table: KernelTable;
  /** Leaves it to a successor, which finds in it what this process needs, and goes on using it. */
  retire(): Promise<void>;
  close(): void;
}

/** Makes the table on this host. @throws before anything is changed where something is missing */
export async function openHostTable(needs: KernelNeeds, observe: Observer): Promise<HostTable> {
  const { table: name, mark } = needs;
  const nft = await openNft(needs);
  const users = new TableUsers({ table: name, mark });
  try {
    await users.claim();
  } catch (error) {
    nft.close();
    throw error;
  }
  try {
    const table = new KernelTable({ table: name, mark }, nft, observe, users);
    return {
      table,
      retire: () => users.retire(),
      close: () => {
        try {
          table.close();
        } finally {
          users.release();
        }
      },
    };
  } catch (error) {
    users.release();
    throw error;
  }
}

/**
 * Uses the table that another process has made.
 *
 * @param makeAgain has that process make it again, where somebody has deleted it
 * @throws where something is missing
 */
export async function joinHostTable(
  { table, mark, what }: KernelNeeds,
  observe: Observer,
  makeAgain: () => Promise<void>,
): Promise<HostTable> {
  const joined = new KernelTable({ table, mark }, await loadNft(what), observe, undefined, makeAgain);
  return {
    table: joined,
    // The first process does that.
    retire: () => Promise.resolve(),
    close: () => {
      joined.close();
    },
  };
}

/** The kernel plane with the table of this host, which outlives it. @throws where connections cannot be followed */
export function startKernelPlane(options: Omit<KernelPlaneOptions, 'follow'>): Promise<Plane> {
  return createKernelPlane({ ...options, follow: followConntrack });
}

/**
 * What a configuration needs of this host, tried; nothing is left of that.
 *
 * @returns what it can do without, but not in full: one line each
 * @throws where something is missing, with what to install or grant
 */
export async function checkHost(needs: KernelNeeds, wayBack?: WayBack): Promise<string[]> {
  const nft = await openNft(needs);
  const missing = needs.forwards ? missingSettings() : [];
  if (!wayBack) {
    nft.close();
    return missing;
  }
  // Another Pinhole may have the table of the configuration; this one goes with this process, whatever ends it.
  const settings = { table: `${needs.table}_check_${process.pid}`, mark: needs.mark, isOwned: true };
  const table = new KernelTable(settings, nft, () => undefined);
  try {
    const trouble = await new Borrowing(table).tryWayBack(wayBack.to, wayBack.timeout).trouble;
    return trouble === undefined ? missing : [...missing, trouble];
  } finally {
    table.close();
  }
}

/** From where answers have to come back through this host, and the milliseconds that they may take. */
export interface WayBack {
  readonly to: { readonly host: string; readonly port: number };
  readonly timeout: number;
}

async function openNft(needs: KernelNeeds): Promise<Nft> {
  requireNetAdmin(needs.what);
  const nft = await loadNft(needs.what);
  try {
    nft.check([makeTable(needs)]);
    if (needs.forwards) await requireConntrack();
    return nft;
  } catch (error) {
    nft.close();
    throw error;
  }
}

const netAdmin = 12n;

/** libnftables would write to standard error of its own accord. @throws without CAP_NET_ADMIN */
function requireNetAdmin(what: string): void {
  const [, effective = ''] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readStatus()) ?? [];
  if (effective === '' || (BigInt(`0x${effective}`) >> netAdmin) % 2n === 1n) return;
  throw new NftError(
    'no-permission',
    `${what} needs CAP_NET_ADMIN: run it as root, or grant it (systemd: AmbientCapabilities=CAP_NET_ADMIN)`,
  );
}

/** Empty where there is no /proc, and libnftables will have the word. */
function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}

/** Settings of the kernel that the plane does not change by itself. */
const kernelSettings = [
  ['net.ipv4.ip_forward', 'no data connection over IPv4 is forwarded'],
  ['net.ipv6.conf.all.forwarding', 'no data connection over IPv6 is forwarded'],
  ['net.netfilter.nf_conntrack_acct', 'the log shows 0 bytes for every transfer'],
] as const;

/** @returns one line for each kernel setting that is off */
export function missingSettings(): string[] {
  return kernelSettings.flatMap(([name, effect]) =>
    readSysctl(name) === '0' ? [`${effect} while ${name} is 0: sysctl -w ${name}=1`] : [],
  );
}
