/**
 * How a data channel ends, by pairing of its legs and by direction: what arrives at the other side, what the client is
 * told, and what is logged. The table of docs/what-it-does.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransferCause } from '../../src/events.ts';
import { exchange } from '../support/relay/lab.ts';
import { relayPlaneOnly } from '../support/relay/plane.ts';
import type { Peer } from '../support/relay/peer.ts';
import { secureAsClient, secureAsServer } from '../support/relay/tls-peer.ts';
import {
  isProtected,
  ofServer,
  pairings,
  protectedOn,
  towardsServer,
  type Pairing,
} from '../support/relay/tls-lab.ts';

type Side = 'client' | 'server';

/** Of `from`, how it ends what it sends. */
const ends = ['FIN', 'close_notify', 'FIN without close_notify', 'RST', 'timeout', 'shutdown'] as const;
type End = (typeof ends)[number];

interface Outcome {
  /** FIN behind all of it; FIN without close_notify, over TLS; or RST. */
  readonly arrives: 'end' | 'TRUNCATED' | 'ECONNRESET';
  readonly cause: TransferCause;
  /** What the client hears where the server says 226. */
  readonly said: '226' | '426' | '421';
}

function outcomeOf(end: End, pairing: Pairing, from: Side, to: Side, cut: 'reset' | 'end'): Outcome {
  switch (end) {
    case 'FIN':
    case 'close_notify':
      return { arrives: 'end', cause: 'complete', said: '226' };
    case 'FIN without close_notify': {
      const inClear = cut === 'end' ? 'end' : 'ECONNRESET';
      const arrives = isProtected(pairing, to) ? 'TRUNCATED' : inClear;
      // The server has it from its own TLS, as without the relay, or has ended so itself.
      const said = from === 'client' && arrives === 'ECONNRESET' ? '426' : '226';
      return { arrives, cause: `${from}-truncated`, said };
    }
    case 'RST':
      return { arrives: 'ECONNRESET', cause: `${from}-reset`, said: from === 'client' ? '426' : '226' };
    case 'timeout':
      return { arrives: 'ECONNRESET', cause: 'data-idle-timeout', said: '426' };
    case 'shutdown':
      return { arrives: 'ECONNRESET', cause: 'shutdown', said: '421' };
  }
}

function isPossible(end: End, pairing: Pairing, from: Side): boolean {
  if (end === 'FIN') return !isProtected(pairing, from);
  if (end === 'close_notify' || end === 'FIN without close_notify') return isProtected(pairing, from);
  return true;
}

const content = 'a file, or what there is of it';

for (const pairing of pairings) {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    for (const end of ends) {
      for (const cut of ['reset', 'end'] as const) {
        if (!isPossible(end, pairing, from)) continue;
        if (cut === 'end' && (end !== 'FIN without close_notify' || isProtected(pairing, to))) continue;
        const expected = outcomeOf(end, pairing, from, to, cut);
        const { arrives, cause, said } = expected;
        const name =
          `${end} from the ${from}, TLS: ${pairing}${cut === 'end' ? ', tls-truncated end' : ''}: ` +
          `the ${to} gets all of it and ${arrives === 'end' ? 'its end' : arrives}; said ${said}, logged ${cause}`;
        // The kernel says less, and is not on the way of what is TLS here.
        test(name, relayPlaneOnly('The log has less about a transfer'), async (t) => {
          const { lab, pair, ticket } = await protectedOn(t, pairing, {
            ...towardsServer(t, 'explicit'),
            'tls-truncated': cut,
            ...(end === 'timeout' && { 'data-idle-timeout': '300ms' }),
          });
          const tcp = await lab.passiveChannel(pair);
          const verb = from === 'server' ? 'RETR' : 'STOR';
          await exchange(pair, `${verb} file`, '150 Go on.');
          const [client, server] = await Promise.all([
            isProtected(pairing, 'client') ? secureAsClient(tcp.client, { ticket }) : tcp.client,
            isProtected(pairing, 'server') ? secureAsServer(tcp.server, ofServer) : tcp.server,
          ]);
          const data: Readonly<Record<Side, Peer>> = { client, server };

          data[from].send(content);
          await data[to].expect(content);
          if (end === 'timeout' || end === 'shutdown') {
            // With it comes the acknowledgement, which the system may delay.
            data[to].send('.');
            await data[from].expect('.');
          }
          let closing: Promise<void> | undefined;
          if (end === 'FIN' || end === 'close_notify') data[from].end();
          else if (end === 'FIN without close_notify') data[from].socket.end();
          else if (end === 'RST') data[from].reset();
          else if (end === 'shutdown') closing = lab.daemon.close();
          if (arrives === 'end') await data[to].finished();
          else assert.equal(await data[to].failure(), arrives);
          if (end === 'timeout' || end === 'shutdown') assert.equal(await data[from].failure(), 'ECONNRESET');
          data[to].socket.end();
          data[to].stream.resume();

          const ended = await lab.event('transfer-ended', { cause });
          assert.equal(from === 'client' ? ended.uploaded : ended.downloaded, content.length);
          // At its end the relay speaks first.
          if (end !== 'shutdown') pair.server.send('226 Done.\r\n');
          assert.match(await pair.client.line(), new RegExp(`^${said} `));
          lab.cut();
          await closing;
        });
      }
    }
  }
}
