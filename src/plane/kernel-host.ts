import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Observer } from '../events.ts';
import { codeOf } from '../net/error.ts';
import { NftError } from '../nft/error.ts';
import { loadNft } from '../nft/libnftables.ts';
import type { Nft } from '../nft/nft.ts';
import { makeTable, type TableSettings } from '../nft/transaction.ts';
import { followConntrack, requireConntrack } from './conntrack.ts';
import { createKernelPlane } from './kernel.ts';
import type { Plane } from './plane.ts';

/** Starts the kernel plane on this host. @throws before anything is changed where something is missing */
export async function startKernelPlane(options: TableSettings & { observe: Observer }): Promise<Plane> {
  const { table, mark } = options;
  const nft = await openNft(options);
  const claims: Server[] = [];
  const unclaim = (): void => {
    for (const claim of claims) claim.close();
  };
  try {
    claims.push(await claimName(`table ${table}`, `another Pinhole has the table ${table}: --kernel-table`));
    claims.push(await claimName(`mark ${mark}`, `another Pinhole has the mark ${mark}: --kernel-mark`));
    const plane = await createKernelPlane({ ...options, nft, follow: followConntrack });
    return {
      open: (request) => plane.open(request),
      close: async (grace) => {
        await plane.close(grace);
        unclaim();
      },
    };
  } catch (error) {
    unclaim();
    nft.close();
    throw error;
  }
}

/**
 * What the kernel plane needs of this host, tried without a change.
 *
 * @returns what it can do without, but not in full: one line each
 * @throws where something is missing, with what to install or grant
 */
export async function checkKernelPlane(settings: TableSettings): Promise<string[]> {
  (await openNft(settings)).close();
  return missingSettings();
}

async function openNft(settings: TableSettings): Promise<Nft> {
  requireNetAdmin();
  const nft = await loadNft();
  try {
    nft.check(makeTable(settings));
    await requireConntrack();
    return nft;
  } catch (error) {
    nft.close();
    throw error;
  }
}

const netAdmin = 12n;

/** libnftables would write to standard error of its own accord. @throws without CAP_NET_ADMIN */
function requireNetAdmin(): void {
  const [, effective = ''] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readStatus()) ?? [];
  if (effective === '' || (BigInt(`0x${effective}`) >> netAdmin) % 2n === 1n) return;
  throw new NftError(
    'no-permission',
    'the kernel plane needs CAP_NET_ADMIN: run it as root, or grant it (systemd: AmbientCapabilities=CAP_NET_ADMIN)',
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
  ['net.netfilter.nf_conntrack_acct', 'the log has no bytes of transfers'],
] as const;

/** @returns one line for each kernel setting that is off */
export function missingSettings(): string[] {
  return kernelSettings.flatMap(([name, effect]) =>
    readSetting(name) === '0' ? [`${effect} while ${name} is 0: sysctl -w ${name}=1`] : [],
  );
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1').trim();
  } catch {
    // A kernel without IPv6, for one.
    return undefined;
  }
}

/**
 * Two processes with one table would take each other's for what a crash has left. An abstract socket belongs to a
 * network namespace, as the table does, and is gone with its process, whatever ends that (unix(7)).
 */
function claimName(name: string, taken: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      reject(codeOf(error) === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(`\0pinhole ${name}`, () => {
      resolve(server.unref());
    });
  });
}
