/**
 * Which plane the tests of both run over: the relay plane, or with PINHOLE_TEST_PLANE=kernel the kernel plane, for
 * which they have to be in a network namespace of their own.
 */
import type { Carrier } from '../../../src/events.ts';
import type { TableSettings } from '../../../src/linux/nftables/table.ts';

export const plane: Carrier = process.env['PINHOLE_TEST_PLANE'] === 'kernel' ? 'kernel' : 'relay';

/** The points of docs/kernel-plane.md, "What differs from the relay plane": each begins so. */
export const differences = [
  'A passive pinhole is for the client only',
  'Strangers are not logged',
  'Stopping Pinhole cuts no data connection',
  'Ports of other processes are not seen',
  'A server may connect before it replies',
  'The log has less about a transfer',
  'A clear data connection survives a later PROT',
  'TLS on a clear data connection is not noticed',
  "Timeouts of data connections are the kernel's",
] as const;
type Difference = (typeof differences)[number];

/** The options of a test that holds on the relay plane alone. */
export function relayPlaneOnly(why: Difference): { readonly skip: false | string } {
  return { skip: onRelayPlane(why) ? false : why };
}

/** For a part of a test that holds on the relay plane alone; `why` is for the reader. */
export function onRelayPlane(why: Difference): boolean {
  return plane === 'relay' && differences.includes(why);
}

let count = 0;

/** Each time others: those of other processes may be in use, and conntrack remembers the connections of earlier ones. */
export function namesInKernel(): TableSettings {
  const number = ++count;
  return {
    table: `pinhole_${process.pid}_${number}`,
    mark: ((process.pid & 0xfffff) + 1) * 0x800 + (number & 0x7ff),
  };
}

/** What a relay's settings need for the plane that is tested. */
export function settingsOfPlane(): Readonly<Record<string, string>> {
  if (plane === 'relay') return {};
  const { table, mark } = namesInKernel();
  return { plane, 'kernel-table': table, 'kernel-mark': String(mark) };
}
