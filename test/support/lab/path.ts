/**
 * A link of the lab with the delay, loss and width of a real path. The kernel's own means (netem) is a module that many
 * systems lack, so a program (path.py) carries the frames between two TAP devices.
 */
import { join } from 'node:path';

import { sourceFolder } from '../project.ts';
import { mustRun } from './process.ts';
import type { LabProcess } from './process.ts';

/** Between client and gateway, and between gateway and server. */
export type PathName = 'public' | 'inside';

/** What is not set is perfect. */
export interface PathSettings {
  /** ms of a round trip; each direction has half. */
  delay?: number;
  /** ms that a round trip takes longer at most, at random. Packets stay in order. */
  jitter?: number;
  /** The probability that a packet is lost, 0 to 1, in each direction. */
  loss?: number;
  /** The probability that a packet is held back for 5 ms, while those behind it overtake. */
  reorder?: number;
  /**
   * Bytes a second in each direction, Ethernet headers included. 200 ms worth of packets wait, or 256 KiB where that is
   * more; those that find the queue full are lost.
   */
  rate?: number;
  /** Bytes of a packet, 1280 to 1500; 1500 unless told. */
  mtu?: number;
  /** Every packet is lost, also what is under way, and nobody is told: neighbours still resolve each other's addresses. */
  down?: boolean;
  /** Of the random numbers: the same ones again. */
  seed?: number;
}

/** A network interface in a namespace. */
export interface Interface {
  namespace: string;
  device: string;
}

export interface Path {
  /** Resolves once it is so. Throws RangeError for a value that cannot be. */
  set(settings: PathSettings): Promise<void>;
}

/** Debian's, as `debianPython`; provision.ts imports the network, so the network cannot import it. */
const python = '/usr/bin/python3';
const program = join(sourceFolder(import.meta.dirname), 'path.py');
const fullMtu = 1500;

/**
 * Makes the two interfaces, which are down at first, and a path between them that is perfect at first.
 *
 * @param spawn Starts a program as root with its standard input open. The path ends with it.
 * @param beyond Interfaces that get the path's MTU as well.
 */
export async function startPath(
  spawn: (argv: readonly string[]) => LabProcess,
  ends: readonly [Interface, Interface],
  beyond: readonly Interface[],
): Promise<Path> {
  const carrier = spawn([python, program, ...ends.flatMap(({ namespace, device }) => [namespace, device])]);
  await carrier.waitForOutput(/^ready$/m);
  let count = 0;
  let current = fullMtu;
  return {
    set: async ({ mtu = fullMtu, ...settings }) => {
      check({ mtu, ...settings });
      carrier.write(`${JSON.stringify(settings)}\n`);
      const done = carrier.waitForOutput(new RegExp(`^set ${++count}$`, 'm'));
      const changes = mtu === current ? [] : [...ends, ...beyond];
      current = mtu;
      await Promise.all([done, ...changes.map((each) => setMtu(each, mtu))]);
    },
  };
}

async function setMtu({ namespace, device }: Interface, mtu: number): Promise<void> {
  await mustRun(['ip', '-n', namespace, 'link', 'set', device, 'mtu', String(mtu)], { timeout: 10_000 });
}

function check({ mtu = fullMtu, loss = 0, reorder = 0, delay = 0, jitter = 0, rate }: PathSettings): void {
  if (mtu < 1280) throw new RangeError(`mtu ${mtu}: IPv6 needs at least 1280 (RFC 8200 section 5)`);
  if (mtu > fullMtu) throw new RangeError(`mtu ${mtu}: the rest of the network carries ${fullMtu}`);
  for (const [name, value] of Object.entries({ loss, reorder })) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} ${value}: a probability is 0 to 1`);
  }
  for (const [name, value] of Object.entries({ delay, jitter })) {
    if (!(value >= 0)) throw new RangeError(`${name} ${value}: it is 0 ms at least`);
  }
  if (rate !== undefined && !(rate > 0)) throw new RangeError(`rate ${rate}: to stop all packets, set down`);
}
