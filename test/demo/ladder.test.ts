import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawLadder, ladderHeading, type LadderOptions } from '../../src/demo/ladder.ts';
import type { Event } from '../../src/events.ts';
import { events } from '../data/events.ts';

const plain: LadderOptions['style'] = (text) => text;

/** The ladder's lines, each run of blanks as two. */
function drawn(style: LadderOptions['style'], ...told: Event[]): string[] {
  let text = '';
  const observe = drawLadder({ write: (piece) => (text += piece), style });
  for (const event of told) observe(event);
  assert.ok(text === '' || text.endsWith('\n'));
  return text.split('\n').slice(0, -1);
}

function squeezed(...told: Event[]): string[] {
  return drawn(plain, ...told).map((line) => line.trim().replace(/ {2,}/g, '  '));
}

test('draws a command as it came and as it went on', () => {
  assert.deepEqual(squeezed(events.command, events.rewrittenCommand, events.keptCommand), [
    'PASV  --> PASV',
    'PORT 198,51,100,10,195,80  --> PORT 10,77,0,1,195,81',
    'NOOP  -->',
  ]);
});

test('draws a reply as it went on and as it came, and the relay where it is its own', () => {
  assert.deepEqual(squeezed(events.reply, events.rewrittenReply, events.ownReply), [
    '200 OK  <-- 200 OK',
    '227 (203,0,113,1,195,80)  <-- 227 (10,77,0,2,200,13)',
    '421 Idle timeout.  <-- (the relay)',
  ]);
});

test('draws a refused command with its answer and the reason', () => {
  assert.deepEqual(squeezed(events.commandRefused), [
    'PORT 192,0,2,1,0,22  -->',
    '500 Illegal PORT command  <-- (the relay: not-the-peer)',
  ]);
});

test('draws the pinhole that opened, was taken, closed, and what went through', () => {
  const told = [events.pinholeOpened, events.pinholeTaken, events.pinholeClosed, events.download];
  assert.deepEqual(squeezed(...told, events.unknownTransfer), [
    '*  pinhole opened: 198.51.100.10 -> 203.0.113.1:50000 => 10.77.0.2:51213',
    '*  pinhole taken:  198.51.100.10:40001 -> 203.0.113.1:50000',
    '*  pinhole closed: expired',
    '*  data connection closed: complete, 5 bytes (RETR)',
    '*  data connection closed: complete, 5 bytes (no command)',
  ]);
});

test('draws nothing of the session itself', () => {
  assert.deepEqual(drawn(plain, events.opened, events.closed, events.pinholeRefused), []);
});

test('has every arrow under the relay', () => {
  const column = ladderHeading().indexOf(' relay ') + 1;
  const rungs = drawn(plain, events.command, events.reply, events.rewrittenReply, events.commandRefused);
  for (const rung of rungs) assert.match(rung.slice(column), /^(?:-->|<--)/);
});

test('marks what the relay has changed', () => {
  const named: LadderOptions['style'] = (text, kind) => `<${kind}>${text.trimEnd()}`;
  const told = [events.command, events.rewrittenCommand, events.reply, events.rewrittenReply];
  const kinds = drawn(named, ...told, events.pinholeClosed).map((line) => /<([a-z]+)>/.exec(line)?.[1]);
  assert.deepEqual(kinds, ['command', 'rewritten', 'reply', 'rewritten', 'pinhole']);
});
