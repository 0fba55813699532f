import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../src/ftp/command.ts';
import { Secrets, showBytes, showCommand, showReply } from '../../src/helper/redact.ts';

const show = (line: string): string => showCommand(parseCommand(line));

function secretsOf(lines: readonly string[]): Secrets {
  return lines.reduce((known, line) => known.with(parseCommand(line)), new Secrets());
}

test('shows commands that hold no secret as they are', () => {
  for (const line of [
    'USER anna',
    'RETR a b',
    'PORT 1,2,3,4,5,6',
    'EPSV ALL',
    'QUIT',
    'retr x',
    'AUTH TLS',
  ]) {
    assert.equal(show(line), line);
  }
});

test('shows no password, however it is mistyped', () => {
  for (const line of [
    'PASS s3cret',
    'pass s3cret',
    '  PASS s3cret',
    'PASS\ts3cret',
    'PASS  s3cret words',
    'PASS s3cret\0',
    'PASSs3cret',
    'PASS:s3cret',
    'PAS s3cret',
    'PSAS s3cret',
    'PASSWORD s3cret',
    'PASS\rs3cret',
    'USER anna\rPASS s3cret',
    'USER anna\0PASS s3cret',
    'CWD a\r\0\rPASS s3cret',
    'ACCT s3cret',
    'SITE s3cret',
    'ADAT s3cret',
    'ENC s3cret',
    'quote pass s3cret',
    's3cret',
    'S3CRET PASS',
    '\xff\xf1PASS s3cret',
    'PA\xff\xf1SS s3cret',
    'P\xffASS s3cret',
    'PASS\xff\xf1s3cret',
  ]) {
    assert.doesNotMatch(show(line), /s3cret/i, JSON.stringify(line));
  }
  assert.equal(show('PASS s3cret'), 'PASS ****');
  assert.equal(show('PASSs3cret'), '****');
  assert.equal(show('PASS'), 'PASS');
  assert.equal(show('USER anna\rPASS s3cret'), 'USER anna ****');
});

test('shows no argument of a command that it does not know', () => {
  const word = fc.stringMatching(/^[A-Z]{3,6}X$/);
  const secret = fc.stringMatching(/^[a-z0-9]{8,20}$/);
  fc.assert(
    fc.property(word, secret, (verb, password) => {
      assert.ok(!show(`${verb} ${password}`).includes(password));
    }),
  );
});

test('shows no reply that may echo a password', () => {
  for (const [text, verb, shown] of [
    ["500 'PASS s3cret' not understood", 'PASS', '500 ****'],
    ["501 'PAS s3cret'?", 'PAS', '501 ****'],
    ['500 s3cret: unknown', 'S3CRET', '500 ****'],
    ['200 Password changed to s3cret', 'SITE', '200 ****'],
    ['230 Logged in', 'PASS', '230 Logged in'],
    ['331 Password please', 'USER', '331 Password please'],
    ['530 Login incorrect', 'PASS', '530 Login incorrect'],
    ['550 a: no such file', 'RETR', '550 a: no such file'],
    ['421 Goodbye', undefined, '421 Goodbye'],
    ['421 Too many', '(greeting)', '421 Too many'],
    ['500 Empty', '', '500 Empty'],
  ] as const) {
    assert.equal(showReply(text, verb), shown, text);
  }
});

test('shows names as people read them, in UTF-8 where they are that', () => {
  assert.equal(showBytes('\xe6\x96\x87.txt'), '文.txt');
  assert.equal(showBytes('\xd6\xd0.txt'), 'ÖÐ.txt');
  assert.equal(showBytes('\xe4 \xc3\xa4'), 'ä Ã¤');
});

test('shows control bytes as escapes, so that no line can forge another', () => {
  assert.equal(showBytes('a\0b\r\n\x1b[31m\x7f\t'), 'a\\x00b\\x0d\\x0a\\x1b[31m\\x7f\\x09');
  assert.equal(showBytes('\x85\xd6'), '\\x85Ö');
  // U+202E, which turns the direction of what follows, and U+2028, a line separator
  assert.equal(showBytes('\xe2\x80\xae\xe2\x80\xa8'), '\\u202e\\u2028');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.doesNotMatch(
        showBytes(Buffer.from(bytes).toString('latin1')),
        /[\x00-\x1f\x7f-\x9f\u2028\u2029]/,
      );
    }),
  );
});

for (const [what, said, reply, shown] of [
  ['a password that is said back', ['PASS s3cret'], '550 s3cret: no such file', '550 ****: no such file'],
  ['one of several', ['PASS first', 'PASS second'], '150 first and second', '150 **** and ****'],
  ['an account', ['ACCT ledger-7'], '230-ledger-7', '230-****'],
  ['a word that is no command', ['s3cret'], '500 S3CRET not understood', '500 **** not understood'],
  ['a short password that is a word', ['PASS ab'], '230 "ab" and cab, ab.', '230 "****" and cab, ****.'],
  [
    'a password whatever else is said behind it',
    [
      'PASS s3cret',
      ...['a', 'b', 'c', 'd', 'e'].flatMap((n) => [`SITE ${n}-xxxx`, `what is ${n}`, `${n}-is-no-command`]),
    ],
    '250 s3cret',
    '250 ****',
  ],
  [
    'a password that was said again',
    ['one1', 'two2', 'one1', 'three3', 'four4', 'five5'].map((n) => `PASS ${n}`),
    '1 one1 two2',
    '1 **** two2',
  ],
  [
    'a password that is too long to be kept, and what follows it',
    [`PASS ${'x'.repeat(600)}`],
    `530 ${'X'.repeat(600)} is wrong`,
    '530 ****',
  ],
  ['a password of odd characters', ['PASS a.*b$'], '230 a.*b$ axxb$', '230 **** axxb$'],
] as const) {
  test(`hides ${what} in any reply`, () => {
    assert.equal(secretsOf(said).hide(reply), shown);
  });
}

test('hides nothing of commands that hold no secret', () => {
  const secrets = secretsOf(['USER anne', 'CWD anne', 'PASS ', 'NOOP']);
  assert.equal(secrets.hide('230 anne is here, NOOP'), '230 anne is here, NOOP');
});

test('shows marks that turn the direction of text as escapes', () => {
  for (const mark of ['\u061c', '\u200e', '\u200f', '\u202e', '\u2066', '\ufeff', '\u0080', '\u009b']) {
    const shown = showBytes(Buffer.from(`a${mark}b`, 'utf8').toString('latin1'));
    assert.match(shown, /^a\\[xu][0-9a-f]+b$/, JSON.stringify(shown));
  }
});

test('shows no part of a secret where the text is cut, or its bytes are no ASCII', () => {
  const secrets = secretsOf([`PASS ${'s3cret'.repeat(50)}`, 'PASS p\xc3\xa4ss']);
  for (let before = 690; before <= 1010; before++) {
    const text = `${'x'.repeat(before)}${'s3cret'.repeat(50)}`;
    const shown = showBytes(text, secrets);
    assert.doesNotMatch(shown, /s3/, String(before));
    assert.ok(shown.startsWith('x'.repeat(Math.min(before, 1000))));
  }
  assert.equal(
    showBytes(`${'x'.repeat(900)}${'s3cret'.repeat(50)}`, secrets).slice(900),
    '****... [200 bytes left out]',
  );
  assert.equal(showCommand(parseCommand('RETR p\xc3\xa4ss'), secrets), 'RETR ****');
  assert.equal(showReply('550 p\xc3\xa4ss: no such file', 'RETR', secrets), '550 ****: no such file');
});

test('finds every secret as a search for it does', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'A', ' '), minLength: 4, maxLength: 30 });
  fc.assert(
    fc.property(letters, letters, (password, text) => {
      const secret = password.trim();
      fc.pre(secret.length >= 4);
      const shown = secretsOf([`PASS ${secret}`]).hide(text);
      assert.equal(shown.includes('****'), text.toLowerCase().includes(secret.toLowerCase()));
      if (!shown.includes('****')) assert.equal(shown, text);
      assert.ok(!shown.toLowerCase().includes(secret.toLowerCase()));
    }),
  );
});
