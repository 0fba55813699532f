import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { streamEvents } from '../../src/admin/event-stream.ts';
import type { Inside } from '../../src/admin/inside.ts';
import type { Event } from '../../src/events.ts';
import { Roster } from '../../src/status/roster.ts';
import { Subscribers } from '../../src/status/subscribers.ts';
import { events } from '../data/events.ts';

/** A reader that takes what is written, or does not. */
class Reader extends EventEmitter {
  writableLength = 0;
  text = '';
  isReading = true;
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }

  writeHead(): this {
    return this;
  }

  write(text: string): boolean {
    this.text += text;
    if (!this.isReading) this.writableLength += text.length;
    return this.isReading;
  }
}

function stand(filter: Partial<Parameters<typeof streamEvents>[1]> = {}): {
  readonly reader: Reader;
  readonly tell: (...told: Event[]) => void;
  readonly names: () => string[];
} {
  const roster = new Roster();
  const subscribers = new Subscribers();
  const reader = new Reader();
  const inside = { roster, subscribe: (observe) => subscribers.subscribe(observe) } as Pick<
    Inside,
    'roster' | 'subscribe'
  > as Inside;
  const whole = { session: undefined, client: undefined, isWithDialogue: false, ...filter };
  streamEvents(inside, whole, reader as unknown as ServerResponse);
  return {
    reader,
    tell: (...told) => {
      for (const event of told) {
        roster.observe(event);
        subscribers.observe(event);
      }
    },
    names: () => [...reader.text.matchAll(/^event: (.*)$/gm)].map(([, name = '']) => name),
  };
}

test('streams nothing that a terminal obeys', () => {
  const { reader, tell } = stand();
  const command = { verb: 'RETR', path: '/\u009b2J\u202e\u2028', isRelative: false };
  tell(events.opened, { ...events.download, command } as Event);
  assert.match(reader.text, /"path":"\/\\u009b2J\\u202e\\u2028"/);
});

test('streams events with the fields of the log and the user, without the dialogue', () => {
  const { reader, tell, names } = stand();
  tell(events.opened, events.named, events.command, events.download);
  assert.deepEqual(names(), ['session-opened', 'session-user', 'transfer-ended']);
  assert.match(reader.text, /"user":"anna".*"path":"\/a"/);
});

test('streams the dialogue where it is asked for, and one session or one client alone', () => {
  const whole = stand({ isWithDialogue: true, session: 1 });
  whole.tell(events.opened, events.command, { ...events.opened, session: 2 } as Event);
  assert.deepEqual(whole.names(), ['session-opened', 'command']);
  const other = stand({ client: '192.0.2.9' });
  other.tell(events.opened, events.download, events.pinholeRefused);
  assert.deepEqual(other.names(), []);
});

test('keeps little for a reader that hangs, and tells how many events it has missed', () => {
  const { reader, tell, names } = stand();
  tell(events.opened);
  reader.isReading = false;
  for (let n = 0; n < 10_000; n++) tell(events.download);
  assert.ok(reader.writableLength < 300_000, String(reader.writableLength));
  const sent = names().length;
  reader.isReading = true;
  reader.writableLength = 0;
  tell(events.download);
  assert.deepEqual(names().slice(sent), ['missed', 'transfer-ended']);
  assert.match(reader.text, new RegExp(`event: missed\\ndata: {"events":${10_001 - sent}}`));
});

test('ends a reader that takes nothing for a minute, and none that is slow', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { reader, tell } = stand();
  reader.isReading = false;
  for (let n = 0; n < 10; n++) {
    tell(events.opened);
    reader.emit('drain');
    t.mock.timers.tick(15_000);
  }
  assert.equal(reader.isDestroyed, false);
  t.mock.timers.tick(4 * 15_000);
  assert.equal(reader.isDestroyed, true);
});

test('ends with its reader', () => {
  const { reader, tell, names } = stand();
  reader.emit('close');
  tell(events.opened);
  assert.deepEqual(names(), []);
});
