/**
 * Runs the emitted unit tests on the other versions of Node that are served, one after the other:
 *
 *     node build/test/nodes.js [PART-OF-A-FILE-NAME ...]
 *
 * They come from the npm registry, where a package holds the program of each version, and are kept in the cache folder of
 * the lab. With CI=true one that cannot be had is a failure, otherwise it is left out, with a line that says why.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './support/lab/provision.ts';
import { emittedFile } from './support/project.ts';

/** One of each line that package.json's `engines` allows, beside the oldest, which the other tests run on. */
const versions = ['22.23.3', '24.21.0'];

const fetchLimit = 300_000;
const runLimit = 15 * 60_000;

/** As the process has it, without what npm tells the scripts that it runs. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

/** The program of this version. Throws where it cannot be had. */
function nodeOf(version: string): string {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(cacheFolder(), `node-${version}`);
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    writeFileSync(join(work, 'package.json'), '{ "private": true }\n');
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status, stderr, error } = spawnSync('npm', [...words, `${name}@${version}`], {
      cwd: work,
      env,
      encoding: 'utf8',
      timeout: fetchLimit,
    });
    if (status !== 0) throw new Error(error?.message ?? stderr.trim().split('\n').slice(0, 3).join(' / '));
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

/** Runs the tests on this version; returns whether they passed. */
function passesOn(version: string): boolean {
  let program: string;
  try {
    program = nodeOf(version);
  } catch (error) {
    console.log(`Node ${version} cannot be had from the npm registry: ${String(error)}`);
    return process.env['CI'] !== 'true';
  }
  const flags = ['--enable-source-maps', emittedFile('test/run.ts'), 'unit', ...process.argv.slice(2)];
  const { status, stdout, stderr } = spawnSync(program, flags, {
    // Of random dialogues few: those of the other run are as good for finding what is wrong with the relay.
    env: { ...env, TEST_FUZZ_SECONDS: '5' },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: runLimit,
  });
  const counts = [...stdout.matchAll(/^\S+ (?:(?:pass|fail|skipped) \d+|duration_ms .*)$/gm)].map(
    ([line]) => line,
  );
  if (status !== 0) console.log(stdout + stderr);
  console.log(`Node ${version}: ${counts.join(', ')}`);
  return status === 0;
}

const results = versions.map(passesOn);
process.exitCode = results.every(Boolean) ? 0 : 1;
