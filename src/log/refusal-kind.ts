import type { Event } from '../events.ts';
import { networkOf } from '../net/cidr.ts';
import { levelOf, wordsOf } from './event-line.ts';
import type { Kind } from './repeats.ts';

/** Which refusals are the same to the log; `undefined` for an event that is none, and is always logged. */
export function kindOf(event: Event, ipv6Prefix: number): Kind | undefined {
  switch (event.type) {
    case 'command-refused':
    case 'session-refused': {
      const { client, reason } = event;
      return { ...lineOf(event), client: networkOf(client.address, ipv6Prefix), reason };
    }
    case 'login-failed':
      return { ...lineOf(event), client: networkOf(event.client.address, ipv6Prefix) };
    case 'pinhole-refused':
      return { ...lineOf(event), client: networkOf(event.from.address, ipv6Prefix), reason: event.reason };
    case 'reply-remarked':
      return { ...lineOf(event), session: event.session, reason: event.reason };
    default:
      return undefined;
  }
}

/** A session that logs in once more: such lines count for each session. */
export function repetitionOf(event: Event & { readonly type: 'session-logged-in' }): Kind {
  return { ...lineOf(event), session: event.session };
}

function lineOf(event: Event): Pick<Kind, 'level' | 'words'> {
  return { level: levelOf(event), words: wordsOf(event) };
}
