import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkNode, nodeParts, triedVersions } from '../../src/node-internals/check.ts';
import { isUsable, type Part, type Use } from '../../src/node-internals/part.ts';

const allUses = new Set<Use>(['connections', 'tls', 'tls-clients', 'client-certificates', 'workers']);

function part(changes: Partial<Part> = {}): Part {
  return {
    name: 'socket.something',
    use: 'connections',
    without: 'it is slow',
    isNeeded: false,
    isThere: () => true,
    ...changes,
  };
}

test('this Node has every part', () => {
  assert.deepEqual(checkNode(allUses), []);
});

for (const missing of nodeParts) {
  test(`names ${missing.name} where it is missing, with the version and what follows`, () => {
    const parts = nodeParts.map((each) => (each === missing ? { ...each, isThere: () => false } : each));
    const check = (): string[] => checkNode(allUses, 'v24.99.0', parts);
    const words = `Node v24.99.0 has no ${missing.name} as Node 20, 22 and 24 have it: ${missing.without}`;
    if (missing.isNeeded) assert.throws(check, { message: words });
    else assert.deepEqual(check(), [words]);
    // It is needed for nothing else.
    const others = new Set([...allUses].filter((use) => use !== missing.use));
    assert.deepEqual(checkNode(others, 'v24.99.0', parts), []);
  });
}

test('takes a part that fails when it is tried for a missing one, and tries each once', () => {
  let tries = 0;
  const broken = part({
    isThere: () => {
      tries++;
      throw new TypeError('socket.something is not a function');
    },
  });
  const told = [broken, broken].map((each) => checkNode(allUses, 'v22.0.0', [each]).length);
  assert.deepEqual(told, [1, 1]);
  assert.equal(tries, 1);
});

test('names all that are needed and missing at once', () => {
  const parts = ['one', 'other'].map((name) => part({ name, isNeeded: true, isThere: () => false }));
  assert.throws(
    () => checkNode(allUses, 'v26.1.0', parts),
    /has no one as .*; Node v26\.1\.0 has no other as/,
  );
});

test('warns of a version that it was not tried with', () => {
  const told = (version: string): string[] => checkNode(allUses, version, [part()]);
  assert.deepEqual(told('v26.1.0'), ['Node v26.1.0: Pinhole was tried with Node 20, 22 and 24 alone']);
  assert.equal(told('v23.9.0').length, 1);
  for (const version of ['v20.19.0', 'v22.23.3', 'v24.0.0']) assert.deepEqual(told(version), []);
});

test('package.json allows the versions that it was tried with, and no other', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const majors = engines.node.split(' || ').map((range) => Number(/^\^(\d+)/.exec(range)?.[1]));
  assert.deepEqual(majors, [...triedVersions]);
});

test('a part counts as the same until the end of the process', () => {
  let isThere = true;
  const one = part({ isThere: () => isThere });
  assert.ok(isUsable(one));
  isThere = false;
  assert.ok(isUsable(one));
});
