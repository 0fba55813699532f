import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readCorpus } from './corpus.ts';

test('the corpus has at least 300 scripts, and no two are the same', () => {
  const unfilled = readCorpus((text) => text);
  const scripts = unfilled.map(({ name, differs, ...script }) => JSON.stringify(script));
  assert.ok(scripts.length >= 300);
  assert.equal(new Set(scripts).size, scripts.length);
  assert.equal(new Set(unfilled.map(({ name }) => name)).size, scripts.length);
});

test('each script has a port of its own, of as many digits as the others', () => {
  const ports = readCorpus((_, port) => String(port)).map(({ client }) => client.flat()[0] ?? '');
  assert.equal(new Set(ports).size, ports.length);
  for (const port of ports) assert.match(`${Number(port) >> 8},${Number(port) & 255}`, /^\d\d,\d\d\d$/);
});

test('pieces of a line that is split make the line again', () => {
  const split = readCorpus().filter(({ name }) => name.startsWith('PORT, '));
  assert.equal(split.length, 27);
  for (const { client } of split) {
    const segments = client.flat();
    assert.ok(segments.length > 1);
    assert.match(segments.join(''), /^PORT 198,51,100,10,\d\d,\d\d\d\r\n$/);
  }
});
