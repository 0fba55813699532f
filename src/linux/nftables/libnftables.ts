import { messageOf } from '../../net/error.ts';
import { isFailure, toMessages } from './messages.ts';
import { errorFromOutput, NftError } from './error.ts';
import { loadKoffi } from '../libc.ts';
import { openNetlink, type Netlink } from '../netlink/socket.ts';
import type { Nft } from './nft.ts';
import type { Statement } from './statement.ts';
import { toText } from './text.ts';

/** What is called of libnftables(3). A context is a pointer, and nothing to this side. */
interface Library {
  readonly contextNew: (flags: number) => unknown;
  readonly contextFree: (context: unknown) => void;
  readonly bufferOutput: (context: unknown) => number;
  readonly bufferError: (context: unknown) => number;
  readonly errorBuffer: (context: unknown) => string;
  readonly setDryRun: (context: unknown, dry: boolean) => void;
  readonly run: (context: unknown, text: string) => number;
}

const soname = 'libnftables.so.1';

/**
 * libnftables in this process: a transaction of one element takes a tenth of a millisecond, and one of `nft`
 * in a process of its own forty times as long. What is of elements alone goes to the kernel without it, in a tenth
 * of that again.
 *
 * @param what needs it, for the message
 * @throws {NftError} `no-library` where it or koffi is missing
 */
export async function loadNft(what: string): Promise<Nft> {
  const library = await load(what);
  const context = library.contextNew(0);
  if (context === null) throw new NftError('other', 'nftables: no context');
  library.bufferOutput(context);
  library.bufferError(context);
  const run = (statements: readonly Statement[]): void => {
    const text = toText(statements);
    for (let tries = 1; library.run(context, text) !== 0; tries++) {
      const output = library.errorBuffer(context);
      // Somebody else changed the ruleset while it was read, and nothing has been carried out.
      const interrupted = output.includes('Interrupted system call');
      if (!interrupted || tries === 10) throw errorFromOutput(output);
    }
  };
  // Without one libnftables does it all.
  const netlink = await openNetlink({ groups: 0 }).catch(() => undefined);
  return {
    run: (statements) => {
      // Where the kernel refuses it, libnftables knows the words for that.
      if (!netlink || !runElements(netlink, statements)) run(statements);
    },
    check: (statements) => {
      library.setDryRun(context, true);
      try {
        run(statements);
      } finally {
        library.setDryRun(context, false);
      }
    },
    close: () => {
      netlink?.close();
      library.contextFree(context);
    },
  };
}

/** Returns whether the statements are of elements alone, and all are carried out; else none is. */
function runElements(netlink: Netlink, statements: readonly Statement[]): boolean {
  const batch = toMessages(statements);
  if (!batch) return false;
  try {
    netlink.send(batch);
    let done = true;
    for (let answer = netlink.receive(); answer; answer = netlink.receive()) done &&= !isFailure(answer);
    return done;
  } catch {
    // More than one message holds, for one.
    return false;
  }
}

async function load(what: string): Promise<Library> {
  const koffi = await loadKoffi(what).catch((cause: unknown) => {
    throw new NftError('no-library', messageOf(cause), { cause });
  });
  try {
    const handle = koffi.load(soname);
    const context = 'void *';
    return {
      contextNew: handle.func('nft_ctx_new', context, ['uint32_t']),
      contextFree: handle.func('nft_ctx_free', 'void', [context]),
      bufferOutput: handle.func('nft_ctx_buffer_output', 'int', [context]),
      bufferError: handle.func('nft_ctx_buffer_error', 'int', [context]),
      errorBuffer: handle.func('nft_ctx_get_error_buffer', 'str', [context]),
      setDryRun: handle.func('nft_ctx_set_dry_run', 'void', [context, 'bool']),
      run: handle.func('nft_run_cmd_from_buffer', 'int', [context, 'str']),
    };
  } catch (cause) {
    const words = `${what} needs ${soname}, of nftables (Debian: apt install libnftables1): ${messageOf(cause)}`;
    throw new NftError('no-library', words, { cause });
  }
}
