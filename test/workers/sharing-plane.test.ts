import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyPort } from '../../src/net/port-range.ts';
import {
  NoFreePortError,
  type Pinhole,
  type PinholeRequest,
  type RangePlane,
} from '../../src/plane/plane.ts';
import { createSharingPlane } from '../../src/workers/sharing-plane.ts';

const request = { ports: { first: 50_000, last: 50_003 } } as PinholeRequest;
const pinhole = {} as Pinhole;

/** A plane on which so many attempts find no port. */
function planeThatFails(
  times: number,
  error: Error = new NoFreePortError('none'),
): RangePlane & { attempts: number } {
  return {
    attempts: 0,
    channels: 0,
    open() {
      return ++this.attempts > times ? Promise.resolve(pinhole) : Promise.reject(error);
    },
    openRange: () => Promise.reject(error),
    progress: () => [],
    close: () => Promise.resolve(),
  };
}

test('asks nobody while it has a port', async () => {
  const plane = createSharingPlane(planeThatFails(0), () => Promise.reject(new Error('asked')));
  assert.equal(await plane.open(request), pinhole);
});

test('asks for more until a port is free', async () => {
  const given = [[50_000], [50_001, 50_002]];
  const plane = createSharingPlane(planeThatFails(2), () => Promise.resolve(given.shift() ?? []));
  assert.equal(await plane.open(request), pinhole);
  assert.equal(given.length, 0);
});

test('has no free port where nobody gives one', async () => {
  const plane = createSharingPlane(planeThatFails(Infinity), () => Promise.resolve([]));
  await assert.rejects(plane.open(request), NoFreePortError);
});

test('does not go on for ports that come again and again', async () => {
  const inner = planeThatFails(Infinity);
  const plane = createSharingPlane(inner, () => Promise.resolve([50_000]));
  await assert.rejects(plane.open(request), NoFreePortError);
  assert.equal(inner.attempts, 2);
});

test('asks for nothing where something else fails', async () => {
  const plane = createSharingPlane(planeThatFails(1, new Error('broken')), () =>
    Promise.reject(new Error('asked')),
  );
  await assert.rejects(plane.open(request), { message: 'broken' });
});

test("asks nobody for ports of another host's address", async () => {
  const plane = createSharingPlane(planeThatFails(1), () => Promise.reject(new Error('asked')));
  await assert.rejects(plane.open({ ...request, ports: anyPort }), NoFreePortError);
});
