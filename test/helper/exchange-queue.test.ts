import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExchangeQueue, greeting, isTransfer } from '../../src/helper/exchange-queue.ts';

function queueOf(...verbs: string[]): ExchangeQueue {
  const queue = new ExchangeQueue();
  queue.settle(220);
  for (const verb of verbs) queue.add({ kind: 'sent', verb, argument: '' });
  return queue;
}

/** The verbs of the exchanges that these replies ended, `-` for none. */
function settleAll(queue: ExchangeQueue, ...codes: number[]): string {
  return codes
    .map((code) => {
      queue.arrive(code);
      const expected = queue.answeredBy(code);
      const settled = queue.settle(code);
      if (settled) assert.equal(settled, expected, `answeredBy(${code})`);
      return settled?.verb ?? '-';
    })
    .join(' ');
}

test('takes the greeting for the reply of an exchange that nobody sent', () => {
  const queue = new ExchangeQueue();
  queue.add({ kind: 'sent', verb: 'USER', argument: 'a' });
  assert.equal(settleAll(queue, 120, 220, 331), `- ${greeting} USER`);
});

test('pairs replies with commands in their order', () => {
  const queue = queueOf('TYPE', 'SIZE', 'PASV', 'RETR');
  assert.equal(settleAll(queue, 200, 213, 227, 150, 226), 'TYPE SIZE PASV - RETR');
  assert.equal(queue.size, 0);
});

test('takes a preliminary reply for no answer, and every other for one', () => {
  for (const code of [100, 125, 150]) assert.equal(settleAll(queueOf('RETR'), code, 226), '- RETR');
  for (const code of [200, 331, 425, 550, 631]) assert.equal(settleAll(queueOf('RETR'), code), 'RETR');
});

test('takes a reply that nobody waits for into no account', () => {
  const queue = queueOf();
  assert.equal(queue.answeredBy(421), undefined);
  assert.equal(settleAll(queue, 421, 150, 226), '- - -');
  queue.add({ kind: 'sent', verb: 'PASV', argument: '' });
  assert.equal(settleAll(queue, 227), 'PASV');
});

test('matches the 226 of a transfer whose STAT was answered before it', () => {
  for (const code of [211, 212, 213]) {
    assert.equal(settleAll(queueOf('RETR', 'STAT', 'PASV'), 150, code, 226, 227), '- STAT RETR PASV');
  }
});

test('matches a STAT that is answered behind its transfer', () => {
  assert.equal(settleAll(queueOf('RETR', 'STAT'), 150, 226, 211), '- RETR STAT');
  assert.equal(settleAll(queueOf('RETR', 'STAT'), 550, 211), 'RETR STAT');
});

test('takes a 211 for no answer to a STAT while no transfer is under way', () => {
  assert.equal(settleAll(queueOf('FEAT', 'STAT'), 211, 211), 'FEAT STAT');
  assert.equal(settleAll(queueOf('RETR', 'STAT'), 211, 211), 'RETR STAT');
  assert.equal(settleAll(queueOf('SITE', 'STAT'), 211, 211), 'SITE STAT');
  assert.equal(settleAll(queueOf('RETR', 'SIZE'), 150, 213, 226), '- RETR SIZE');
});

test('matches both replies of an aborted transfer', () => {
  assert.equal(settleAll(queueOf('RETR', 'ABOR', 'PASV'), 150, 426, 226, 227), '- RETR ABOR PASV');
  assert.equal(settleAll(queueOf('RETR', 'ABOR', 'PASV'), 150, 226, 225, 227), '- RETR ABOR PASV');
  assert.equal(settleAll(queueOf('ABOR', 'PASV'), 500, 227), 'ABOR PASV');
});

test('skips an ABOR that the server did not answer on its own', () => {
  assert.equal(settleAll(queueOf('RETR', 'ABOR', 'PASV', 'LIST'), 150, 426, 227, 150), '- RETR PASV -');
  for (const [verb, code] of [
    ['EPSV', 229],
    ['PWD', 257],
    ['PORT', 200],
    ['TYPE', 200],
    ['CWD', 250],
  ] as const) {
    assert.equal(settleAll(queueOf('ABOR', verb), code), verb);
  }
});

test('skips an empty line that the server did not answer', () => {
  assert.equal(settleAll(queueOf('', '', 'PASV'), 227), 'PASV');
  assert.equal(settleAll(queueOf('', 'PASV'), 500, 227), ' PASV');
  assert.equal(settleAll(queueOf('', 'CWD', 'PASV'), 550, 227), 'CWD PASV');
  assert.equal(settleAll(queueOf('', 'ABOR', 'PASV'), 227), 'PASV');
});

test('loses no answer of the relay behind a command that the server did not answer', () => {
  for (const verb of ['ABOR', '']) {
    const queue = queueOf(verb);
    queue.add({ kind: 'answered', answer: '500 a\r\n' });
    queue.add({ kind: 'sent', verb: 'PASV', argument: '' });
    assert.equal(queue.takeAnswers(), '');
    assert.equal(queue.arrive(227), '500 a\r\n');
    assert.equal(queue.settle(227)?.verb, 'PASV');
    assert.equal(queue.size, 0);
  }
});

test('takes a reply that no outstanding command can have into no account', () => {
  for (const [verb, code] of [
    ['ABOR', 257],
    ['PASV', 226],
    ['PASV', 229],
    ['EPSV', 227],
  ] as const) {
    const queue = queueOf(verb);
    assert.equal(settleAll(queue, code), '-');
    assert.equal(queue.size, 1, `${verb} ${code}`);
  }
});

test('takes a 227 that answers SITE for the answer to SITE, though a PASV waits behind it', () => {
  assert.equal(settleAll(queueOf('SITE', 'PASV'), 227, 227), 'SITE PASV');
});

test('takes the end of a transfer that comes twice for no answer to the PASV behind it', () => {
  assert.equal(settleAll(queueOf('RETR', 'PASV'), 150, 226, 226, 227), '- RETR - PASV');
});

test('matches a PASV that is answered while a transfer is under way', () => {
  assert.equal(settleAll(queueOf('RETR', 'PASV'), 150, 227, 226), '- PASV RETR');
  assert.equal(settleAll(queueOf('RETR', 'EPSV'), 150, 229, 226), '- EPSV RETR');
});

test('gives the answers of the relay in their turn', () => {
  const queue = queueOf('NOOP');
  for (const answer of ['500 a\r\n', '500 b\r\n']) queue.add({ kind: 'answered', answer });
  queue.add({ kind: 'sent', verb: 'PWD', argument: '' });
  queue.add({ kind: 'answered', answer: '500 c\r\n' });
  assert.equal(queue.takeAnswers(), '');
  assert.equal(settleAll(queue, 200), 'NOOP');
  assert.equal(queue.takeAnswers(), '500 a\r\n500 b\r\n');
  assert.equal(queue.takeAnswers(), '');
  assert.equal(settleAll(queue, 257), 'PWD');
  assert.equal(queue.takeAnswers(), '500 c\r\n');
  assert.equal(queue.size, 0);
});

test('finds what is outstanding', () => {
  const queue = queueOf('PASV', 'RETR');
  queue.add({ kind: 'answered', answer: '500 x\r\n' });
  assert.equal(
    queue.find(({ verb }) => verb === 'PORT'),
    undefined,
  );
  assert.equal(queue.find(isTransfer)?.verb, 'RETR');
});

test('knows the commands that a data connection carries', () => {
  const verbs = ['RETR', 'STOR', 'STOU', 'APPE', 'LIST', 'NLST', 'MLSD', 'MLST', 'STAT', 'PASV', '', 'retr'];
  const transfers = verbs.filter((verb) => isTransfer({ verb }));
  assert.deepEqual(transfers, ['RETR', 'STOR', 'STOU', 'APPE', 'LIST', 'NLST', 'MLSD']);
});

test('comes to terms with any stream of commands and replies, and gives each answer of the relay once', () => {
  const verbs = fc.constantFrom('RETR', 'STAT', 'ABOR', 'PASV', 'EPSV', 'PORT', '', 'NOOP', 'QUIT');
  const codes = fc.oneof(
    fc.integer({ min: 100, max: 699 }),
    fc.constantFrom(150, 200, 211, 226, 227, 229, 500),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(verbs, codes, fc.constant(undefined)), { maxLength: 60 }), (steps) => {
      const queue = new ExchangeQueue();
      let expectedAnswers = '';
      let answers = '';
      for (const [step, next] of steps.entries()) {
        const before = queue.size;
        if (typeof next === 'string') {
          queue.add({ kind: 'sent', verb: next, argument: '' });
          assert.equal(queue.size, before + 1);
        } else if (next === undefined) {
          const answer = `500 ${step}\r\n`;
          queue.add({ kind: 'answered', answer });
          expectedAnswers += answer;
        } else {
          answers += queue.arrive(next);
          const expected = queue.answeredBy(next);
          assert.equal(queue.settle(next), next < 200 ? undefined : expected);
          assert.ok(queue.size <= before);
        }
        answers += queue.takeAnswers();
        assert.ok(expectedAnswers.startsWith(answers));
      }
      for (let rest = queue.size; rest >= 0; rest--) {
        for (const code of [226, 227, 229, 500]) {
          answers += queue.arrive(code);
          queue.settle(code);
          answers += queue.takeAnswers();
        }
      }
      assert.equal(answers, expectedAnswers);
      assert.equal(queue.size, 0);
    }),
  );
});

test('takes a 225 for the answer to a transfer and its ABOR at once, as pyftpdlib gives it', () => {
  assert.equal(settleAll(queueOf('RETR', 'ABOR', 'CWD', 'PASV'), 150, 225, 550, 227), '- ABOR CWD PASV');
});

test('takes no "unknown command" for the end of a transfer: Pure-FTPd says it to what comes meanwhile', () => {
  assert.equal(
    settleAll(queueOf('RETR', 'PASV', 'SIZE', 'PASV'), 150, 500, 226, 550, 227),
    '- PASV RETR SIZE PASV',
  );
});

test('keeps a refusal of the next command from an ABOR that was answered with the transfer', () => {
  assert.equal(settleAll(queueOf('RETR', 'ABOR', 'CWD', 'PASV'), 150, 226, 550, 227), '- RETR CWD PASV');
});
