import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMarkOf, maySayAnything, mayShowFiles } from '../../src/helper/usual-answers.ts';

test('knows the replies by which the answers of commands are told apart', () => {
  for (const [verb, codes] of [
    ['USER', [230, 331, 332]],
    ['PASS', [202, 230, 332]],
    ['CWD', [250]],
    ['QUIT', [221]],
    ['PORT', [200]],
    ['PASV', [227, 229]],
    ['EPSV', [227, 229]],
    ['TYPE', [200]],
    ['RETR', [125, 150]],
    ['STOR', [125, 150]],
    ['LIST', [125, 150]],
    ['PWD', [257]],
    ['MKD', [257]],
    ['SIZE', [213]],
    ['MDTM', [213]],
    ['SYST', [215]],
    ['FEAT', [211]],
    ['AUTH', [234, 334]],
    ['', []],
    ['XYZZY', []],
    ['(greeting)', []],
  ] as const) {
    const found = Array.from({ length: 600 }, (_, index) => index + 100).filter((code) =>
      isMarkOf(verb, code),
    );
    assert.deepEqual(found, codes, verb);
  }
});

test('takes no failure for a mark, as any command may fail so', () => {
  for (const verb of ['USER', 'PASV', 'EPSV', 'RETR', 'NOOP', 'STAT']) {
    for (let code = 400; code < 700; code++) assert.equal(isMarkOf(verb, code), false, `${verb} ${code}`);
  }
});

test('trusts no text in the answer to a command that asks for text, or that it does not know', () => {
  for (const verb of ['STAT', 'HELP', 'SITE', 'FEAT', 'MLST', 'XYZZY', 'XCRC']) {
    assert.equal(maySayAnything(verb), true, verb);
    for (const code of [150, 211, 250, 350, 450, 550]) assert.equal(mayShowFiles(verb, code), true, verb);
  }
  for (const verb of ['', 'NOOP', 'PASV', 'CWD', 'RETR', 'LIST', 'USER', 'PASS']) {
    assert.equal(maySayAnything(verb), false, verb);
    assert.equal(mayShowFiles(verb, 250), true, verb);
    assert.equal(mayShowFiles(verb, 550), verb === 'LIST', verb);
  }
  assert.equal(mayShowFiles(undefined, 230), true);
  assert.equal(mayShowFiles(undefined, 550), false);
});
