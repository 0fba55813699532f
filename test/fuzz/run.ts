/**
 * Plays random dialogues through the relay, and holds what comes of them against a model:
 *
 *     npm run fuzz -- --help
 *
 * It ends with 1 where something failed, and tells the seed that repeats it.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createNetwork } from '../support/lab/network.ts';
import { dialogueOf, type Mode } from './dialogue.ts';
import { fuzz, type Figures } from './fuzz.ts';
import { plants, type Plant } from './plants.ts';
import { reduce } from './reduce.ts';

const help = `npm run fuzz -- [OPTIONS]

  --seconds N                      how long (60)
  --seed S                         the first seed; each dialogue takes the next (any)
  --count N                        how many seeds at most
  --tls refuse|terminate|pass      one mode alone (all)
  --plane relay|kernel             what carries the data (relay); kernel takes root, and makes a network namespace
  --lanes N                        how many relays of each mode at once (1)
  --show failed|all                prints dialogues as they were seen
  --reduce                         prints the dialogue of --seed, as small as it goes wrong (takes --tls)
  --plant NAME|all                 a fault on purpose: ${Object.keys(plants).join(', ')}; or one after the other
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    count: { type: 'string', default: 'Infinity' },
    tls: { type: 'string' },
    plane: { type: 'string', default: 'relay' },
    lanes: { type: 'string', default: '1' },
    show: { type: 'string', default: 'none' },
    reduce: { type: 'boolean', default: false },
    plant: { type: 'string' },
    /** Set where it is in a network namespace of its own already. */
    inside: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const shown = ['none', 'failed', 'all'] as const;
const allModes: readonly Mode[] = ['refuse', 'terminate', 'pass'];

function number(name: 'seconds' | 'seed' | 'count' | 'lanes'): number {
  const value = Number(values[name]);
  if (!(value >= 0)) throw new Error(`--${name} is '${values[name]}', allowed: a number`);
  return value;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new Error(`--${name} is '${value}', allowed: ${allowed.join(', ')}`);
  return found;
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const plane = oneOf('plane', values.plane, ['relay', 'kernel']);
  const modes = values.tls === undefined ? allModes : [oneOf('tls', values.tls, allModes)];
  const seed = number('seed');
  if (plane === 'kernel' && !values.inside) return runInside(['--seed', String(seed)]);
  if (values.reduce) {
    const [mode = 'refuse'] = modes;
    const dialogue = await reduce({ mode, plane, lane: 0 }, dialogueOf(seed, mode), seed);
    console.log(JSON.stringify({ mode, dialogue }));
    return 0;
  }
  const planted =
    values.plant === undefined || values.plant === 'all'
      ? values.plant
      : oneOf('plant', values.plant, Object.keys(plants));
  let isSound = true;
  for (const name of planted === 'all' ? Object.keys(plants) : [planted]) {
    if (planted === 'all') console.log(`== ${name}`);
    const { failures } = await playFor(plane, modes, seed, name === undefined ? undefined : plants[name]);
    isSound &&= failures.length === 0;
  }
  return isSound ? 0 : 1;
}

/** Fuzzes for as long as the options say, and prints the figures. */
async function playFor(
  plane: 'relay' | 'kernel',
  modes: readonly Mode[],
  seed: number,
  plant: Plant | undefined,
): Promise<Figures> {
  const show = oneOf('show', values.show, shown);
  const started = performance.now();
  const figures = await fuzz({
    time: number('seconds') * 1000,
    count: Math.min(number('count'), plant?.dialogues ?? Infinity),
    seed,
    modes,
    plane,
    lanes: number('lanes'),
    plant,
    played: (each, dialogue, { transcript, complaints }) => {
      if (show === 'none' || (show === 'failed' && complaints.length === 0)) return;
      console.log(each, JSON.stringify(dialogue));
      for (const [at, entry] of transcript.entries.entries()) console.log(at, JSON.stringify(entry));
      for (const end of transcript.data) console.log(JSON.stringify(end));
    },
  });
  print(figures, (performance.now() - started) / 1000, plane);
  return figures;
}

function print({ failures, ...figures }: Figures, seconds: number, plane: string): void {
  for (const { where, seed, property, words } of failures) {
    const mode = allModes.find((each) => each === where);
    const repeat = mode && `: npm run fuzz -- --seed ${seed} --count 1 --tls ${mode} --plane ${plane}`;
    console.log(`property ${property}, ${where}, seed ${seed}${repeat ?? ''}\n    ${words}`);
  }
  const { seeds, dialogues, bytes, pinholes, questions } = figures;
  console.log(
    `${seeds} seeds from ${values.seed}, ${dialogues} dialogues (${(dialogues / seconds).toFixed(1)} a second), ` +
      `${bytes} bytes, ${pinholes} pinholes, ${questions} questions to the layers, ${failures.length} failures`,
  );
}

/** The same in a network namespace of its own, which goes with it: the kernel's rules are for nobody else. */
async function runInside(more: readonly string[]): Promise<number> {
  const network = await createNetwork({ forwarding: true });
  try {
    const program = [process.execPath, import.meta.filename];
    const { code, stdout, stderr } = await network.exec(
      'gateway',
      [...program, ...process.argv.slice(2), ...more, '--inside'],
      { timeout: (number('seconds') + 300) * 1000 },
    );
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return code ?? 1;
  } finally {
    await network.dispose();
  }
}

process.exitCode = await main();
