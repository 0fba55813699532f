import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEitherPlane } from '../../src/plane/either.ts';
import type { Pinhole, RangePlane, PinholeRequest } from '../../src/plane/plane.ts';
import { address } from '../support/relay/hosts.ts';

const four = [address('198.51.100.10'), address('198.51.100.1'), address('10.77.0.2'), address('10.77.0.1')];
const six = [address('2001:db8::10'), address('2001:db8::1'), address('fd77::2'), address('fd77::1')];

/** From whom, to which address of the relay, and where that leads, from where. */
function request([peer, reached, to, from]: readonly (typeof four)[number][]): PinholeRequest {
  assert.ok(peer && reached && to && from);
  return {
    session: 1,
    mode: 'passive',
    command: 'EPSV',
    peer,
    alsoFrom: [],
    address: reached,
    own: { near: reached, far: from },
    ports: { first: 50000, last: 50009 },
    preferredPort: 0,
    to: { address: to, port: 30000 },
    from: { address: from, port: 0 },
    timeout: 300_000,
    owner: { channelOpened: () => undefined, channelClosed: () => undefined },
  };
}

test('asks the plane that can carry it, and closes both', async () => {
  const told: string[] = [];
  const plane = (name: string): RangePlane => ({
    channels: 2,
    progress: () => [{ expectation: 1, uploaded: 3, downloaded: undefined }],
    openRange: ({ peer }) => {
      told.push(`${name} range ${peer}`);
      return Promise.resolve({ unavailable: [], close: () => undefined });
    },
    open: ({ peer }) => {
      told.push(`${name} ${peer}`);
      return Promise.resolve({} as Pinhole);
    },
    close: (grace) => {
      told.push(`${name} closed ${grace}`);
      return Promise.resolve();
    },
  });
  const either = createEitherPlane(plane('kernel'), plane('relay'));
  await either.open(request(four));
  await either.open(request([...six.slice(0, 2), ...four.slice(2)]));
  assert.deepEqual([either.progress().length, either.channels], [2, 4]);
  const { to, ...range } = request(four);
  await either.openRange({ ...range, to: to.address, isOpen: () => true });
  const closing = either.close(0);
  // Done before it returns: the process may end next.
  assert.deepEqual(told, [
    ...['kernel 198.51.100.10', 'relay 2001:db8::10', 'relay range 198.51.100.10'],
    ...['kernel closed 0', 'relay closed 0'],
  ]);
  await closing;
});
