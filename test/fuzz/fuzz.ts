/** Plays dialogue after dialogue for a while, on several relays at once, and counts. */
import { dialogueOf, type Dialogue, type Mode } from './dialogue.ts';
import { flood, Heap } from './memory.ts';
import { play, type Played } from './play.ts';
import type { Plant } from './plants.ts';
import { checkLayer, layers } from './pure.ts';
import { Random } from './random.ts';
import { FuzzedRelay } from './relay.ts';
import { elementsLeft } from './table.ts';
import type { Complaint } from './transcript.ts';

export interface FuzzOptions {
  /** How long, in milliseconds. */
  readonly time: number;
  /** How many seeds at most. */
  readonly count: number;
  readonly seed: number;
  readonly modes: readonly Mode[];
  readonly plane: 'relay' | 'kernel';
  /** How many relays of each mode. */
  readonly lanes: number;
  readonly plant?: Plant | undefined;
  /** Is told of each dialogue. */
  readonly played?: ((seed: number, dialogue: Dialogue, played: Played) => void) | undefined;
}

interface Failure extends Complaint {
  /** Where: a mode of TLS, or a layer. */
  readonly where: string;
  readonly seed: number;
}

export interface Figures {
  seeds: number;
  dialogues: number;
  bytes: number;
  pinholes: number;
  /** Bytes that the layers without sockets were asked about, in so many questions. */
  questions: number;
  readonly failures: Failure[];
}

/** So many failures are enough. */
const enough = 10;
/** The heap is measured after so many dialogues, and the layers are asked so many questions between two of them. */
const measured = 5;
const questions = 3;

export async function fuzz(options: FuzzOptions): Promise<Figures> {
  const figures: Figures = { seeds: 0, dialogues: 0, bytes: 0, pinholes: 0, questions: 0, failures: [] };
  const inPlay = new Map<number, Mode>();
  const fail = (where: string, seed: number, complaints: readonly Complaint[]): void => {
    figures.failures.push(...complaints.map((complaint) => ({ ...complaint, where, seed })));
  };
  const escaped = (error: unknown): void => {
    const words = `an exception escaped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    for (const [seed, mode] of inPlay) fail(mode, seed, [{ property: 1, words }]);
  };
  process.on('uncaughtException', escaped).on('unhandledRejection', escaped);
  const end = performance.now() + options.time;
  let next = options.seed;
  const isFound = (): boolean =>
    figures.failures.some(({ property }) => property === options.plant?.property);
  const isOver = (): boolean =>
    performance.now() > end ||
    next >= options.seed + options.count ||
    figures.failures.length >= enough ||
    isFound();
  const heap = new Heap();

  const run = async (relay: FuzzedRelay): Promise<void> => {
    const { mode } = relay.options;
    while (!isOver()) {
      const seed = next++;
      inPlay.set(seed, mode);
      try {
        const dialogue = dialogueOf(seed, mode);
        const played = await play(relay, dialogue, seed, options.plant);
        figures.dialogues++;
        figures.bytes += played.bytes;
        figures.pinholes += played.transcript.entries.filter(({ what }) => what === 'opened').length;
        fail(mode, seed, played.complaints);
        options.played?.(seed, dialogue, played);
      } catch (error) {
        escaped(error);
      }
      inPlay.delete(seed);
      figures.seeds++;
      if (figures.dialogues % measured === 0) heap.measure();
      for (const layer of layers) {
        for (let n = 0; n < questions; n++) {
          figures.questions++;
          const words = checkLayer(layer, new Random(seed).fork(n, layer.length));
          if (words !== undefined) fail(`layer ${layer}`, seed, [{ property: 3, words }]);
        }
      }
    }
  };

  const relays: FuzzedRelay[] = [];
  const plants: (() => void)[] = [];
  try {
    for (const mode of options.modes) {
      for (let n = 0; n < options.lanes; n++) {
        const relay = await FuzzedRelay.start({ mode, plane: options.plane, lane: relays.length });
        relays.push(relay);
        if (options.plant?.relay) plants.push(await options.plant.relay(relay));
      }
    }
    await Promise.all(relays.map(run));
    const words = heap.whatIsWrong();
    if (words !== undefined) fail('all', options.seed, [{ property: 2, words }]);
    for (const relay of relays) {
      for (const from of ['client', 'server'] as const) {
        const wrong = await flood(relay, from);
        if (wrong !== undefined) fail(relay.options.mode, options.seed, [{ property: 2, words: wrong }]);
      }
    }
  } finally {
    for (const stop of plants) stop();
    for (const relay of relays) {
      const left = relay.table === undefined ? [] : await elementsLeft(relay.table);
      if (left.length > 0)
        fail(relay.options.mode, options.seed, [
          { property: 5, words: `elements are left: ${left.join(', ')}` },
        ]);
    }
    await Promise.all(relays.map((relay) => relay.close()));
    process.off('uncaughtException', escaped).off('unhandledRejection', escaped);
  }
  return figures;
}
