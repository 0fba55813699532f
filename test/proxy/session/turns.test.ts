import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns, type Share, type Turn } from '../../../src/proxy/session/turns.ts';

/** Turns of an event loop that a test moves on, by a clock that only work moves. */
class Loop {
  now = 0;
  readonly #later: (() => void)[] = [];
  readonly turns: Turns = new Turns(
    () => this.now,
    (work) => void this.#later.push(work),
  );

  /** Work that is no control channel's. */
  others(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** Ends the turn. */
  end(): void {
    for (const work of this.#later.splice(0)) work();
  }
}

/** A control channel with lines that take a while each. */
class Sender {
  left: number;
  told = 0;
  readonly turn: Turn;

  constructor(loop: Loop, lines: number, each = 0.01, client: Share = loop.turns.share()) {
    this.left = lines;
    this.turn = client.join((isOver) => {
      while (this.left > 0) {
        this.left--;
        this.told++;
        loop.now += each;
        if (isOver()) return this.left > 0;
      }
      return false;
    });
  }
}

test('tells the lines of a channel at once where nobody waits', () => {
  const loop = new Loop();
  const sender = new Sender(loop, 5);
  sender.turn.request();
  assert.equal(sender.told, 5);
  assert.equal(sender.turn.isWaiting, false);
});

test('lets a flood have no more of a turn than half of what all else had of the one before', () => {
  const loop = new Loop();
  const flood = new Sender(loop, 1_000_000);
  flood.turn.request();
  loop.others(1);
  loop.end();
  const before = loop.now;
  loop.others(1);
  loop.end();
  const used = loop.now - before - 1;
  assert.ok(used > 0.45 && used < 0.7, `${used} ms`);
});

test('lets channels have a little of each turn, and others no longer than that in a row', () => {
  for (const [others, most] of [
    [0, 0.2],
    [1000, 2.2],
  ] as const) {
    const loop = new Loop();
    const flood = new Sender(loop, 1_000_000);
    flood.turn.request();
    for (let turn = 0; turn < 5; turn++) {
      loop.others(others);
      const before = loop.now;
      loop.end();
      const used = loop.now - before;
      assert.ok(used > 0.05 && used <= most, `${used} ms after ${others} ms`);
    }
  }
});

test('lets who says a line now and then go before fifty who flood', () => {
  const loop = new Loop();
  const floods = Array.from({ length: 50 }, () => new Sender(loop, 1_000_000));
  for (const flood of floods) flood.turn.request();
  for (let turn = 0; turn < 800; turn++) {
    loop.others(0.5);
    loop.end();
  }
  const modest = new Sender(loop, 1);
  modest.turn.request();
  loop.end();
  assert.equal(modest.told, 1);
  assert.ok(Math.min(...floods.map(({ told }) => told)) > 0, 'each flood has its turn');
});

test('goes on with who was late, until all is told', () => {
  const loop = new Loop();
  const senders = Array.from({ length: 10 }, () => new Sender(loop, 100));
  for (const { turn } of senders) turn.request();
  assert.ok(senders.some(({ turn }) => turn.isWaiting));
  for (let turn = 0; turn < 200 && senders.some((each) => each.turn.isWaiting); turn++) {
    loop.others(0.1);
    loop.end();
  }
  assert.deepEqual(
    senders.map(({ told }) => told),
    senders.map(() => 100),
  );
});

test('counts what one channel makes another do as its own', () => {
  const loop = new Loop();
  const other = new Sender(loop, 1_000_000);
  let calls = 0;
  const turn = loop.turns.share().join((isOver) => {
    do {
      calls++;
      other.turn.request();
    } while (!isOver());
    return true;
  });
  turn.request();
  assert.equal(calls, 1);
  assert.ok(loop.now < 0.3, `${loop.now} ms`);
  assert.equal(other.turn.isWaiting, true);
});

test('tells the lines that bytes bring as a turn of their own, and those that lines bring as a part of theirs', () => {
  const loop = new Loop();
  const client = loop.turns.share();
  const nested: [string, boolean][] = [];
  const reply = client.join((_, isNested) => {
    nested.push(['reply', isNested]);
    return false;
  });
  const command = client.join((_, isNested) => {
    nested.push(['command', isNested]);
    reply.request();
    return false;
  });
  const record = client.join((_, isNested) => {
    nested.push(['record', isNested]);
    command.request();
    return false;
  }, 'bytes');
  record.request();
  reply.request();
  assert.deepEqual(nested, [
    ['record', false],
    ['command', false],
    ['reply', true],
    ['reply', false],
  ]);
});

test('goes on after one that throws', () => {
  const loop = new Loop();
  const broken = loop.turns.share().join(() => {
    throw new Error('broken');
  });
  assert.throws(() => {
    broken.request();
  }, /broken/);
  const sender = new Sender(loop, 3);
  sender.turn.request();
  assert.equal(sender.told, 3);
});

test('has later turns pay for one piece that took longer than there was', () => {
  const loop = new Loop();
  const long = new Sender(loop, 3, 1, spent(loop));
  long.turn.request();
  assert.equal(long.told, 1);
  loop.others(0.2);
  loop.end();
  assert.equal(long.told, 1);
  const line = new Sender(loop, 1);
  line.turn.request();
  loop.others(0.2);
  loop.end();
  assert.equal(line.told, 1, 'who has used little does not pay for it');
  const isDone = (): boolean => long.left === 0;
  let turns = 0;
  for (; !isDone(); turns++) {
    loop.others(0.2);
    loop.end();
  }
  // Each piece takes 1 ms, and others have twice that meanwhile: ten turns of 0.2 ms, twice.
  assert.ok(turns >= 17 && turns <= 20, `${turns} turns`);
});

test('lets time that goes by pay as well, and forgets that the process stood still', () => {
  const loop = new Loop();
  const client = loop.turns.share();
  const first = new Sender(loop, 1, 1000, client);
  first.turn.request();
  loop.end();
  loop.others(19);
  const second = new Sender(loop, 1, 0.01, client);
  second.turn.request();
  assert.equal(second.told, 0);
  loop.end();
  loop.others(2);
  loop.end();
  assert.equal(second.told, 1);
});

test('lets a client that says little go before one that floods in many sessions, however new they are', () => {
  const loop = new Loop();
  const flooding = loop.turns.share();
  const floods = Array.from({ length: 1000 }, () => new Sender(loop, 1_000_000, 0.01, flooding));
  for (const { turn } of floods) turn.request();
  for (let turn = 0; turn < 20; turn++) {
    loop.others(0.5);
    loop.end();
  }
  assert.equal(floods.filter(({ told }) => told === 0).length > 900, true);
  const modest = new Sender(loop, 1);
  modest.turn.request();
  loop.end();
  assert.equal(modest.told, 1);
});

test('lets two clients that flood have as much, however many sessions one has', () => {
  const loop = new Loop();
  const alone = new Sender(loop, 1_000_000, 0.01);
  const many = loop.turns.share();
  const floods = Array.from({ length: 50 }, () => new Sender(loop, 1_000_000, 0.01, many));
  for (const { turn } of [...floods, alone]) turn.request();
  for (let turn = 0; turn < 400; turn++) {
    loop.others(0.5);
    loop.end();
  }
  const told = floods.reduce((sum, each) => sum + each.told, 0);
  assert.ok(alone.told > 0.8 * told && alone.told < 1.2 * told, `${alone.told} against ${told}`);
});

test('lets a session that says little go before those of its client that flood', () => {
  const loop = new Loop();
  const client = loop.turns.share();
  const floods = Array.from({ length: 50 }, () => new Sender(loop, 1_000_000, 0.01, client));
  const modest = new Sender(loop, 1, 0.01, client);
  for (const { turn } of floods) turn.request();
  for (let turn = 0; turn < 800; turn++) {
    loop.others(0.5);
    loop.end();
  }
  modest.turn.request();
  loop.others(1);
  loop.end();
  assert.equal(modest.told, 1);
});

/** A client that has used much, and owes nobody anything. */
function spent(loop: Loop): Share {
  const client = loop.turns.share();
  new Sender(loop, 1, 5, client).turn.request();
  loop.end();
  loop.others(20);
  return client;
}
