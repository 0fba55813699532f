import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineReader, type Line } from '../../src/ftp/lines.ts';
import { root } from '../support/project.ts';

/** Bytes of the wire, and what is promised of them. `bytes` is binary text: one character a byte. */
export interface WireCase {
  readonly name: string;
  readonly bytes: string;
}

/** Reads a file of cases, one JSON object a line, from this folder. */
export function readCases<T extends Pick<WireCase, 'name'>>(file: string): T[] {
  const lines = readFileSync(join(root, 'test/data', file), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

export function toBytes(binary: string): Buffer {
  return Buffer.from(binary, 'latin1');
}

/** The ways in which TCP may bring the same bytes: whole, cut in two at every offset, each byte alone. */
export function* segmentations(binary: string): Generator<Buffer[]> {
  const bytes = toBytes(binary);
  yield [bytes];
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  yield [...bytes].map((byte) => Buffer.of(byte));
}

/** The lines that a reader has after each of the chunks. */
export function linesOf(chunks: readonly Buffer[], reader: LineReader = new LineReader()): Line[] {
  const lines: Line[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let line = reader.next(); line; line = reader.next()) lines.push(line);
  }
  return lines;
}

/** Asserts that `read` makes the same of each case however its bytes come, and of all cases in one segment. */
export function assertSameHoweverCut<T extends WireCase, V>(
  cases: readonly T[],
  read: (chunks: readonly Buffer[]) => V[],
  expected: (wireCase: T) => V[],
): void {
  for (const wireCase of cases) {
    for (const chunks of segmentations(wireCase.bytes)) {
      const cut = chunks.map((chunk) => chunk.length).join('+');
      assert.deepEqual(read(chunks), expected(wireCase), `${wireCase.name}, cut ${cut}`);
    }
  }
  const all = cases.map(({ bytes }) => bytes).join('');
  assert.deepEqual(read([toBytes(all)]), cases.flatMap(expected), 'all in one segment');
}
