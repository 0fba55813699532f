import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isTransfer } from '../../src/ftp/transfer.ts';
import { ExchangeQueue, greeting } from '../../src/helper/exchange-queue.ts';

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

test('takes the reply after a 120 for the greeting, whatever the commands that came early', () => {
  const queue = new ExchangeQueue();
  queue.add({ kind: 'sent', verb: 'USER', argument: 'a' });
  assert.equal(settleAll(queue, 120, 230, 530), `- ${greeting} USER`);
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
});

test('matches a command that is answered in the middle of a transfer, by what ends none', () => {
  assert.equal(settleAll(queueOf('RETR', 'SIZE'), 150, 213, 226), '- SIZE RETR');
  assert.equal(settleAll(queueOf('RETR', 'NOOP', 'PWD'), 150, 200, 257, 226), '- NOOP PWD RETR');
  // Some end a transfer with 250, which CWD is answered with as well.
  assert.equal(settleAll(queueOf('RETR', 'CWD'), 150, 250, 250), '- RETR CWD');
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
    ['PASV', 200],
    ['PASV', 226],
    ['EPSV', 200],
    ['EPSV', 220],
    ['EPSV', 226],
    ['EPSV', 150],
  ] as const) {
    const queue = queueOf(verb);
    assert.equal(settleAll(queue, code), '-');
    assert.equal(queue.size, 1, `${verb} ${code}`);
  }
});

test('takes a 227 that answers SITE for the answer to SITE, though a PASV waits behind it', () => {
  assert.equal(settleAll(queueOf('SITE', 'PASV'), 227, 227), 'SITE PASV');
});

test('takes a 227 for the answer to EPSV, and a 229 for that to PASV, where none fits better', () => {
  assert.equal(settleAll(queueOf('EPSV', 'RETR'), 227, 150, 226), 'EPSV - RETR');
  assert.equal(settleAll(queueOf('PASV', 'RETR'), 229, 150, 226), 'PASV - RETR');
  assert.equal(settleAll(queueOf('RETR', 'EPSV'), 150, 227, 226), '- EPSV RETR');
  // An EPSV that was never answered, and the PASV that the client then tried.
  assert.equal(settleAll(queueOf('EPSV', 'PASV'), 227), 'PASV');
  assert.equal(settleAll(queueOf('PASV', 'EPSV'), 229), 'EPSV');
  assert.equal(settleAll(queueOf('EPSV', 'EPSV'), 227, 227), 'EPSV EPSV');
  assert.equal(settleAll(queueOf('EPSV', 'SITE', 'PASV'), 227), 'EPSV');
});

test('takes any consent to EPSV ALL for its answer, and only the announcement to another EPSV', () => {
  for (const [argument, code, expected] of [
    ['ALL', 200, 'EPSV'],
    ['all ', 220, 'EPSV'],
    ['ALL', 250, 'EPSV'],
    ['ALL', 229, 'EPSV'],
    ['ALL', 331, undefined],
    ['', 200, undefined],
    ['1', 200, undefined],
    ['2', 220, undefined],
    ['', 500, 'EPSV'],
  ] as const) {
    const queue = queueOf();
    queue.add({ kind: 'sent', verb: 'EPSV', argument });
    assert.equal(queue.settle(code)?.verb, expected, `EPSV ${argument} ${code}`);
  }
});

test('waits for the announcement behind a final reply too many', () => {
  // FEAT is answered twice, so that TYPE has the second, and its own is for nobody.
  assert.equal(settleAll(queueOf('FEAT', 'TYPE', 'EPSV'), 211, 211, 200, 229), 'FEAT TYPE - EPSV');
  assert.equal(
    settleAll(queueOf('FEAT', 'TYPE', 'EPSV', 'RETR'), 211, 211, 200, 229, 150, 226),
    'FEAT TYPE - EPSV - RETR',
  );
  assert.equal(settleAll(queueOf('CWD', 'PASV', 'RETR'), 250, 250, 227, 150, 226), 'CWD - PASV - RETR');
  assert.equal(
    settleAll(queueOf('RETR', 'PASV', 'STOR'), 150, 226, 226, 227, 150, 226),
    '- RETR - PASV - STOR',
  );
});

test('gives a PASV up for the usual answer to a command behind it, and for no other consent', () => {
  for (const [verb, code] of [
    ['PORT', 200],
    ['EPRT', 200],
    ['RETR', 150],
    ['CWD', 250],
    ['QUIT', 221],
  ] as const) {
    for (const before of ['PASV', 'EPSV']) {
      const queue = queueOf(before, verb);
      assert.equal(queue.arrive(code), '');
      assert.equal(queue.answeredBy(code)?.verb, verb);
    }
  }
  for (const [verb, code] of [
    ['RETR', 200],
    ['RETR', 226],
    ['NOOP', 250],
    ['XYZZY', 200],
  ] as const) {
    assert.equal(settleAll(queueOf('PASV', verb), code, 227), '- PASV');
  }
});

test('finds the PASV behind what the server left without an answer', () => {
  for (const verb of ['NOOP', 'TYPE', 'CWD', 'OPTS', 'CLNT', 'LIST', 'RETR', 'USER', 'PASS', 'ABOR', '']) {
    assert.equal(settleAll(queueOf(verb, 'PASV', 'RETR'), 227, 150, 226), 'PASV - RETR', verb);
    assert.equal(settleAll(queueOf(verb, 'NOOP', 'EPSV'), 229), 'EPSV', verb);
  }
  const queue = queueOf('NOOP');
  queue.add({ kind: 'answered', answer: '500 a\r\n' });
  queue.add({ kind: 'sent', verb: 'PASV', argument: '' });
  assert.equal(queue.arrive(227), '500 a\r\n');
  assert.equal(queue.settle(227)?.verb, 'PASV');
  assert.equal(queue.size, 0);
});

test('forgets nothing before a PASV that is answered while a transfer is under way', () => {
  assert.equal(settleAll(queueOf('RETR', 'NOOP', 'PASV'), 150, 227, 226, 200), '- PASV RETR NOOP');
});

test('leaves a 227 or 229 to a command whose answer may be any text, though a PASV waits behind it', () => {
  for (const verb of ['SITE', 'STAT', 'HELP', 'FEAT', 'MLST', 'XYZZY']) {
    assert.equal(settleAll(queueOf(verb, 'PASV'), 227, 227), `${verb} PASV`);
    assert.equal(settleAll(queueOf('NOOP', verb, 'EPSV'), 229, 229), `${verb} EPSV`);
    assert.equal(settleAll(queueOf('RETR', verb, 'PASV'), 150, 227, 227, 226), `- ${verb} PASV RETR`);
  }
});

// --- replies of several lines that do not end --------------------------------------------------------------

/** A queue of these commands, to which a reply of several lines with this code has begun to come. */
function openedBy(code: number, ...verbs: string[]): ExchangeQueue {
  const queue = queueOf(...verbs);
  assert.equal(queue.arrive(code), '');
  return queue;
}

/** Adds commands behind a line that seems to end the reply that is coming. */
function later(queue: ExchangeQueue, ...verbs: string[]): ExchangeQueue {
  queue.seemsEnded();
  for (const verb of verbs) queue.add({ kind: 'sent', verb, argument: '' });
  return queue;
}

test('ends an open reply by the answer to a command that was sent after it had seemed to end', () => {
  for (const [verb, code] of [
    ['PASV', 227],
    ['PASV', 229],
    ['EPSV', 229],
    ['EPSV', 227],
    ['TYPE', 200],
    ['PORT', 200],
    ['EPRT', 200],
    ['SIZE', 213],
    ['MDTM', 213],
    ['PWD', 257],
    ['MKD', 257],
    ['CWD', 250],
    ['RETR', 150],
    ['LIST', 125],
    ['USER', 331],
    ['USER', 230],
    ['PASS', 230],
    ['PASS', 202],
    ['REST', 350],
    ['RNFR', 350],
    ['SYST', 215],
    ['FEAT', 211],
    ['QUIT', 221],
    ['AUTH', 234],
  ] as const) {
    const queue = later(openedBy(553, code === 250 ? 'MKD' : 'DELE'), verb);
    assert.equal(queue.endsOpen(553, code), true, `${verb} ${code}`);
    assert.equal(settleAll(queue, code), code < 200 ? '-' : verb);
    assert.equal(queue.size, code < 200 ? 1 : 0);
  }
});

test("does not end it by the answer to a command that was sent before, nor by what may be anybody's", () => {
  const before = openedBy(553, 'DELE', 'PASV');
  assert.equal(before.endsOpen(553, 227), false, 'it has not seemed to end');
  before.seemsEnded();
  assert.equal(before.endsOpen(553, 227), false, 'PASV was sent before that');
  for (const [verb, code] of [
    ['PASV', 500],
    ['PASV', 200],
    ['RETR', 226],
    ['CWD', 550],
    ['XYZZY', 200],
    ['', 500],
    ['DELE', 250],
  ] as const) {
    assert.equal(later(openedBy(553, 'DELE'), verb).endsOpen(553, code), false, `${verb} ${code}`);
  }
  // TYPE was sent before, and has the same answer as NOOP.
  assert.equal(later(openedBy(553, 'DELE', 'TYPE'), 'NOOP').endsOpen(553, 200), false);
  assert.equal(later(openedBy(553, 'DELE', 'TYPE'), 'PWD').endsOpen(553, 257), true);
});

test('ends a refusal of a transfer by the reply that lets it begin', () => {
  for (const verb of ['RETR', 'STOR', 'STOU', 'APPE']) {
    const queue = openedBy(553, verb);
    assert.equal(queue.endsOpen(553, 226), false);
    assert.equal(queue.endsOpen(553, 150), true);
    assert.equal(settleAll(queue, 150, 226), `- ${verb}`);
    assert.equal(openedBy(150, verb).endsOpen(150, 125), false);
  }
  assert.equal(openedBy(553, 'DELE').endsOpen(553, 250), false);
});

test('takes the 150 behind an open refusal of a transfer that was under way for that of the next', () => {
  const queue = queueOf('STOR');
  assert.equal(settleAll(queue, 150), '-');
  queue.arrive(426);
  assert.equal(queue.endsOpen(426, 150), false);
  later(queue, 'RETR');
  assert.equal(queue.endsOpen(426, 150), true);
  assert.equal(settleAll(queue, 150, 226), '- RETR');
});

test('takes no transfer for under way any more whose refusal was ended by the answer to another command', () => {
  const queue = queueOf('STOR');
  assert.equal(settleAll(queue, 150), '-');
  queue.arrive(426);
  queue.add({ kind: 'answered', answer: '500 a\r\n' });
  later(queue, 'PWD');
  assert.equal(queue.endsOpen(426, 257), true);
  assert.equal(queue.arrive(257), '500 a\r\n');
  assert.equal(settleAll(queue, 257), 'PWD');
});

test('never ends a reply that may show the text of files', () => {
  const open = [211, 212, 213, 214, 200, 226, 230, 250, 257, 221, 450, 500, 550];
  const completions = open.filter((code) => code < 300);
  for (const verb of ['STAT', 'HELP', 'SITE', 'FEAT', 'MLST', 'LIST', 'NLST', 'MLSD', 'XYZZY']) {
    for (const code of open) {
      assert.equal(later(openedBy(code, verb), 'PASV').endsOpen(code, 227), false, `${verb} ${code}`);
    }
  }
  // 230- and 250- show messages that users may have written; so may each other consent.
  for (const verb of ['USER', 'PASS', 'ACCT', 'CWD', 'CDUP', 'QUIT', 'RETR', 'STOR', 'NOOP', 'TYPE', '']) {
    for (const code of completions) {
      assert.equal(later(openedBy(code, verb), 'PASV').endsOpen(code, 227), false, `${verb} ${code}`);
      assert.equal(later(openedBy(code, verb), 'PWD').endsOpen(code, 257), false, `${verb} ${code}`);
    }
  }
  for (const code of completions) {
    assert.equal(later(openedBy(code), 'PASV').endsOpen(code, 227), false, `nobody's ${code}`);
  }
});

test('ends a greeting, and a refusal that nobody waits for', () => {
  const queue = new ExchangeQueue();
  assert.equal(queue.arrive(220), '');
  later(queue, 'USER');
  assert.equal(queue.endsOpen(220, 331), true);
  assert.equal(settleAll(queue, 331), 'USER');
  assert.equal(later(openedBy(550), 'PASV').endsOpen(550, 227), true);
});

test("forgets what stood before the command whose answer ends a reply, but none of the relay's own answers", () => {
  const queue = openedBy(553, 'DELE', 'NOOP');
  queue.add({ kind: 'answered', answer: '500 a\r\n' });
  later(queue, 'CWD');
  queue.add({ kind: 'answered', answer: '500 b\r\n' });
  for (const verb of ['PASV', 'RETR']) queue.add({ kind: 'sent', verb, argument: '' });
  assert.equal(queue.endsOpen(553, 227), true);
  assert.equal(queue.arrive(227), '500 a\r\n500 b\r\n');
  assert.equal(settleAll(queue, 227, 150, 226), 'PASV - RETR');
  assert.equal(queue.size, 0);
});

test('ends the reply to a command behind a transfer that is under way, and keeps the transfer', () => {
  const queue = queueOf('RETR', 'DELE');
  assert.equal(settleAll(queue, 150), '-');
  queue.arrive(500);
  later(queue, 'PASV');
  assert.equal(queue.endsOpen(500, 227), true);
  assert.equal(settleAll(queue, 227, 226), 'PASV RETR');
  assert.equal(queue.size, 0);
});

test('takes no command for later than a reply that has begun since', () => {
  const queue = later(openedBy(553, 'DELE'));
  assert.equal(queue.settle(553)?.verb, 'DELE');
  for (const verb of ['CWD', 'PASV']) queue.add({ kind: 'sent', verb, argument: '' });
  assert.equal(queue.arrive(550), '');
  assert.equal(queue.endsOpen(550, 227), false);
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
      assert.equal(queue.textSize, 0);
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
