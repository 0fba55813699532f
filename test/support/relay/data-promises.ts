import assert from 'node:assert/strict';
import type { Mode } from '../../../src/events.ts';
import type { Lab } from './lab.ts';
import type { Peer } from './peer.ts';
import type { Pairing } from './tls-lab.ts';

/** What a data channel promises whichever side dialled it: from one of its ends to the other. */
interface OpenData extends Record<'client' | 'server', Peer> {
  readonly lab: Lab;
}

type Side = 'client' | 'server';

export async function carriesWholeFile(
  data: OpenData,
  from: Side,
  to: Side,
  file: Buffer,
  expected: { readonly mode: Mode; readonly protection: Pairing },
): Promise<void> {
  data[from].stream.end(file);
  assert.ok(Buffer.from(await data[to].rest(), 'latin1').equals(file));
  data[to].end();
  await data[from].finished();
  const ended = await data.lab.event('transfer-ended', { cause: 'complete', mode: expected.mode });
  assert.equal(ended.protection, expected.protection);
  assert.equal(from === 'client' ? ended.uploaded : ended.downloaded, file.length);
}

export async function passesReset(data: OpenData, from: Side, to: Side): Promise<void> {
  data[from].send('half of');
  await data[to].expect('half of');
  data[from].reset();
  assert.equal(await data[to].failure(), 'ECONNRESET');
  await data.lab.event('transfer-ended', { cause: `${from}-reset` });
}

/** Of a side that is TLS: to a side that is TLS as well it goes on as what it is, to one in clear as a failure. */
export async function refusesTruncation(
  data: OpenData,
  from: Side,
  to: Side,
  isToProtected: boolean,
): Promise<void> {
  data[from].send('half of');
  await data[to].expect('half of');
  data[from].socket.end();
  assert.equal(await data[to].failure(), isToProtected ? 'TRUNCATED' : 'ECONNRESET');
  data[to].socket.end();
  const { error } = await data.lab.event('transfer-ended', { cause: `${from}-truncated` });
  assert.equal(error, 'FIN without close_notify');
}
