import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  LoggingProcess,
  NamedPipe,
  Reader,
  temporaryFolder,
  type Line,
} from '../support/log/logging-process.ts';

interface Piped {
  readonly program: LoggingProcess;
  readonly reader: Reader;
}

/** What stands between the log and its reader: `a | b` in a shell, and what systemd gives a service. */
const ways: Readonly<Record<string, (t: TestContext, format?: string) => Piped>> = {
  pipe: (t, format = 'json') => {
    const pipe = new NamedPipe(t);
    const reader = pipe.reader();
    return { program: pipe.start({ format }), reader };
  },
  // Node gives its children sockets where others give pipes.
  'unix socket': (t, format = 'json') => {
    const program = new LoggingProcess(t, 'pipe', { format });
    return { program, reader: new Reader(program.child.stdout as Socket) };
  },
};

/** Asserts that these are the lines 0, 1, 2 ..., then that others were lost, then the rest; returns how many were. */
function lostOf(lines: readonly Line[], count: number, error: string): number {
  const at = lines.findIndex(({ msg }) => msg === 'log lines were lost');
  const { dropped = 0, error: why } = lines[at] ?? assert.fail('no loss was told');
  assert.equal(why, error);
  const numbers = lines.map(({ n }) => n);
  const from = (first: number, length: number): number[] => Array.from({ length }, (_, n) => first + n);
  assert.deepEqual(numbers.slice(0, at), from(0, at));
  const next = at + dropped;
  assert.deepEqual(numbers.slice(at + 1), from(next, count - next));
  return dropped;
}

for (const [name, start] of Object.entries(ways)) {
  test(`${name}: a reader that hangs costs lines alone, and hears how many`, async (t) => {
    const { program, reader } = start(t);
    const before = Number(await program.ask('memory'));
    // 100 MB of them, and a heap of 64.
    for (let turn = 0; turn < 10; turn++) await program.ask('log 20000 400');
    const grown = Number(await program.ask('memory')) - before;
    assert.ok(grown < 150e6, `${grown} bytes more`);
    reader.read();
    await reader.holds('log lines were lost');
    await program.ask('log 3 10');
    await program.end();
    await reader.ends();
    assert.ok(lostOf(reader.lines, 200_003, 'EAGAIN') > 190_000);
  });

  test(`${name}: in text for people a reader that hangs costs lines alone too`, async (t) => {
    const { program, reader } = start(t, 'pretty');
    await program.ask('log 20000 400');
    reader.read();
    await reader.holds('log lines were lost');
    await program.end();
    await reader.ends();
    assert.match(reader.text, /\n[\d:.]{12} warning: log lines were lost {2}dropped \d+ {2}error EAGAIN\n/);
    for (const line of reader.text.split('\n').slice(0, -1)) {
      assert.match(line, /^[\d:.]{12} \S| {13}x+$/);
      assert.ok(line.length <= 80);
    }
  });

  test(`${name}: a reader that is gone does not end the process`, async (t) => {
    const { program, reader } = start(t);
    reader.read();
    await program.ask('log 1 10');
    await reader.holds('"n":0');
    await reader.close();
    for (let turn = 0; turn < 3; turn++) await program.ask('log 5000 400');
    await program.end();
  });

  test(`${name}: a reader that hangs does not keep the process from its end`, async (t) => {
    const { program } = start(t);
    await program.ask('log 5000 400');
    await program.end();
  });

  test(`${name}: the end of the process loses nothing of what a reader takes`, async (t) => {
    const { program, reader } = start(t);
    await program.ask('memory');
    reader.read();
    // More than a pipe holds.
    program.child.stdin?.write('log 300 400\n');
    await program.end();
    await reader.ends();
    assert.deepEqual(
      reader.lines.map(({ n }) => n),
      Array.from({ length: 300 }, (_, n) => n),
    );
  });
}

test('another reader of a pipe gets what was logged while there was none', async (t) => {
  const pipe = new NamedPipe(t);
  const first = pipe.reader();
  const program = pipe.start();
  // So far it has not written, and so has not opened the pipe again.
  await program.ask('memory');
  await first.close();
  await program.ask('log 10 10');
  const second = pipe.reader();
  second.read();
  await second.holds('"n":9');
  await second.close();
  await program.ask('log 10 10');
  const third = pipe.reader();
  third.read();
  await third.holds('"n":19');
  await program.end();
  assert.deepEqual(
    [...second.lines, ...third.lines].map(({ n }) => n),
    Array.from({ length: 20 }, (_, n) => n),
  );
});

test('a full device does not end the process', async (t) => {
  const full = openSync('/dev/full', 'w');
  const program = new LoggingProcess(t, full);
  closeSync(full);
  for (let turn = 0; turn < 3; turn++) await program.ask('log 5000 400');
  await program.end();
});

test('a file that cannot grow costs only lines, and gets their number when it can grow again', async (t) => {
  const path = join(temporaryFolder(t), 'log');
  const file = openSync(path, 'a');
  const program = new LoggingProcess(t, file, { shell: 'ulimit -S -f 64' });
  closeSync(file);
  await program.ask('log 10000 400');
  execFileSync('bash', ['-c', `prlimit --pid=${program.child.pid} --fsize=unlimited:`]);
  await program.end();
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const told = lines.map((line) => JSON.parse(line) as Line);
  assert.ok(lostOf(told, 10_000, 'EFBIG') > 5000);
});
