import assert from 'node:assert/strict';
import { test } from 'node:test';
import koffi from 'koffi';
import { keepFreedMemory } from '../../src/linux/allocator.ts';

const program = koffi.load(null);
const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const isGlibc = header.glibcVersionRuntime !== undefined;

/** Pages that the system had to give while as much was asked for, written, and given back. */
function pagesGiven(): number {
  const malloc = program.func('malloc', 'void *', ['size_t']);
  const memset = program.func('memset', 'void *', ['void *', 'int', 'size_t']);
  const free = program.func('free', 'void', ['void *']);
  const size = 256 * 1024;
  const before = process.resourceUsage().minorPageFault;
  const pieces = Array.from({ length: 64 }, (): unknown => malloc(size));
  for (const piece of pieces) memset(piece, 1, size);
  for (const piece of pieces) free(piece);
  return process.resourceUsage().minorPageFault - before;
}

test(
  'memory that was given back is not asked of the system again',
  { skip: !isGlibc && 'no glibc' },
  async () => {
    const pages = (64 * 256) / 4;
    assert.ok(await keepFreedMemory());
    pagesGiven();
    const again = pagesGiven();
    assert.ok(again < pages / 4, `${again} of ${pages} pages`);
  },
);
