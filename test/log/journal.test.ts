import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isJournal, withPriority } from '../../src/log/journal.ts';
import { LoggingProcess, temporaryFolder } from '../support/log/logging-process.ts';

/** What a process writes to a file that JOURNAL_STREAM calls the journal, or another. */
async function written(t: TestContext, format: string, isIt: boolean): Promise<string> {
  const path = join(temporaryFolder(t), 'log');
  const fd = openSync(path, 'a');
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const shell = `export JOURNAL_STREAM=${dev}:${isIt ? ino : ino + 1n}`;
  const program = new LoggingProcess(t, fd, { format, shell });
  closeSync(fd);
  await program.ask('log 2 200');
  await program.end();
  return readFileSync(path, 'utf8');
}

test('under the journal every line has its priority', async (t) => {
  assert.match(await written(t, 'json', true), /^(?:<6>{"level":"info",.*}\n){2}$/);
  assert.match(await written(t, 'pretty', true), /^(?:<6>.*\n){4,}$/);
});

test('what has the variable alone writes none', async (t) => {
  assert.match(await written(t, 'json', false), /^(?:{"level":"info",.*}\n){2}$/);
});

test('gives each level the priority of syslog', () => {
  const format = withPriority((line) => line);
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'other'];
  const marks = levels.map((level) => format(`{"level":"${level}"}\n`).slice(0, 3));
  assert.deepEqual(marks, ['<2>', '<3>', '<4>', '<6>', '<7>', '<7>', '<6>']);
});

test('takes for the journal nothing that is none', () => {
  for (const stream of [undefined, '', '8:1', 'x']) assert.equal(isJournal(stream, 1), false);
  assert.equal(isJournal('8:1', 9999), false);
});
