/**
 * Captures what a host of the lab says and hears, with tcpdump on its own interface.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { addresses, interfaces } from '../lab/network.ts';
import type { Network } from '../lab/network.ts';
import { readDialogue } from './dialogue.ts';
import type { Dialogue } from './dialogue.ts';
import { readSegments } from './pcap.ts';
import { assemble, isOver } from './tcp-connections.ts';

type RecordedHost = 'client' | 'stranger' | 'server';

export interface RecordOptions {
  /** Whose interface; `client` unless told. */
  host?: RecordedHost;
  /** The port that the client dials for its control channel; 21 unless told. */
  controlPort?: number;
  /** How long, in ms, connections may take to close after `run` is done; past it they are told as left open. 2 s. */
  settle?: number;
}

/**
 * Captures while `run` runs, and reads the dialogue from it. The capture is ready before `run` starts and holds every
 * packet up to the last connection's end. It is read whole into memory: meant for transfers of some MiB. Throws where
 * packets were lost, and what `run` throws.
 */
export async function recordDialogue<T>(
  network: Network,
  run: () => Promise<T>,
  options: RecordOptions = {},
): Promise<{ dialogue: Dialogue; result: T }> {
  const host = options.host ?? 'client';
  const file = join(mkdtempSync(join(network.folder, 'capture-')), 'dialogue.pcap');
  // -U with immediate mode: each packet is written when it is seen. -Z root: no other user may write in the folder.
  // In immediate mode each packet takes a whole slot of the snap length, which has to hold what segmentation offload
  // makes (64 KiB and headers): 64 MiB are a thousand slots, enough for a burst of some MiB.
  const ring = ['--immediate-mode', '-s', '65600', '-B', '65536'];
  const flags = ['-i', interfaces[host], '-n', '-U', ...ring, '-Z', 'root'];
  const tcpdump = network.spawn(host, ['tcpdump', ...flags, '-w', file, `tcp or udp dst port ${markerPort}`]);
  try {
    await tcpdump.waitForOutput(/listening on/);
    const result = await run();
    await settle(network, host, file, options.settle ?? 2_000);
    await tcpdump.stop('SIGINT');
    const dropped = /(\d+) packets? dropped by kernel/.exec(tcpdump.stderr())?.[1];
    if (dropped !== '0') throw new Error(`tcpdump lost packets: ${tcpdump.stderr()}`);
    const { controlPort } = options;
    const segments = readSegments(readFileSync(file));
    return { dialogue: readDialogue(segments, controlPort === undefined ? {} : { controlPort }), result };
  } finally {
    await tcpdump.stop('SIGINT');
  }
}

/** RFC 863's discard port, where nothing listens. */
const markerPort = 9;

/** Waits until the file holds the end of every connection, or the limit is over. */
async function settle(network: Network, host: RecordedHost, file: string, limit: number): Promise<void> {
  const end = Date.now() + limit;
  for (let round = 0; ; round++) {
    const capture = await readUpToNow(network, host, file, `pinhole-capture-mark-${round};`);
    if (assemble(readSegments(capture)).every(isOver) || Date.now() > end) return;
    await delay(20);
  }
}

/**
 * The capture with everything that passed before this call: packets are written in order, so a marker that was sent
 * now and is found in the file stands behind all of them.
 */
async function readUpToNow(
  network: Network,
  host: RecordedHost,
  file: string,
  marker: string,
): Promise<Buffer> {
  const script = `printf %s "$1" > /dev/udp/${addresses[4].public}/${markerPort}`;
  const sent = await network.exec(host, ['bash', '-c', script, 'bash', marker], { timeout: 5_000 });
  if (sent.code !== 0) throw new Error(`cannot send the capture's marker: ${sent.stderr}`);
  const end = Date.now() + 5_000;
  for (;;) {
    const capture = readFileSync(file);
    if (capture.includes(marker)) return capture;
    if (Date.now() > end) throw new Error('the capture did not see its marker within 5 s');
    await delay(10);
  }
}
