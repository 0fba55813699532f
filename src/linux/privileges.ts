import { loadLibc } from './libc.ts';

/** Capabilities that Pinhole may need after its start (capabilities(7)), by number. */
const capabilities = {
  /** Port 20 as a source, and listeners of a reload below 1024. */
  NET_BIND_SERVICE: 10,
  /** nftables and connection tracking. */
  NET_ADMIN: 12,
} as const;
type Capability = keyof typeof capabilities;

/** Of <sys/prctl.h> and <linux/capability.h>. */
const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const version3 = 0x20080522;

/** Whose a process is to be. */
export interface ServiceUser {
  /** Of the user, whose other groups it gets. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** What it may still do of what root may. */
  readonly kept: readonly Capability[];
}

/**
 * Makes this process another user's, with these capabilities and no other, and for good. Programs that it starts have
 * them as well.
 *
 * @throws where this process is not root's, or koffi is missing; before anything has changed
 */
export async function becomeUser({ name, uid, gid, kept }: ServiceUser): Promise<void> {
  // Documented, and not in the types.
  const { initgroups } = process as { readonly initgroups?: (user: string, group: number) => void };
  if (process.getuid?.() !== 0) throw new Error('user: only root can become another user; allowed: none');
  const libc = await loadLibc('becoming another user', ['prctl', 'capset']);
  const must = (call: string, result: number): void => {
    if (result !== 0) throw new Error(`user: ${call} failed: ${libc.lastError()}`);
  };
  must('prctl', libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  initgroups?.(name, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  const bits = kept.reduce((sum, capability) => sum | (1 << capabilities[capability]), 0);
  // Effective, permitted and inheritable, of the lower 32 and of the upper.
  must('capset', libc.capset(words(version3, 0), words(bits, bits, bits, 0, 0, 0)));
  for (const capability of kept)
    must('prctl', libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilities[capability], 0, 0));
  must('prctl', libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
