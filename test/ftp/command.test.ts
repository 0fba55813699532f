import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../src/ftp/command.ts';
import { assertSameHoweverCut, linesOf, readCases, type WireCase } from '../data/cases.ts';

interface CommandCase extends WireCase {
  readonly verb: string;
  readonly argument: string;
  readonly telnet?: string;
}

test('reads every command of the wire cases the same, however its bytes come', () => {
  assertSameHoweverCut(
    readCases<CommandCase>('commands.jsonl'),
    (chunks) => {
      return linesOf(chunks).map(({ text }) => {
        const { verb, argument, telnet } = parseCommand(text);
        return { verb, argument, telnet };
      });
    },
    ({ verb, argument, telnet = '' }) => [{ verb, argument, telnet }],
  );
});

test('keeps every byte of a name, GBK and UTF-8 alike', () => {
  // FF is Telnet's own; GBK and UTF-8 have no use for it.
  const name = fc.uint8Array({ max: 0xfe, maxLength: 40 }).map((bytes) =>
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\r\n]/g, ''),
  );
  fc.assert(
    fc.property(name, (text) => {
      const { verb, argument, plain, argumentStart } = parseCommand(`RETR ${text}`);
      assert.deepEqual([verb, argument, plain.slice(argumentStart)], ['RETR', text, text]);
    }),
  );
});

test('finds where the argument starts in the line without its Telnet sequences', () => {
  const { plain, argumentStart, telnet } = parseCommand('\xff\xf1 \tPORT\t1,2,3,4,5,6');
  assert.equal(plain, ' \tPORT\t1,2,3,4,5,6');
  assert.equal(plain.slice(argumentStart), '1,2,3,4,5,6');
  assert.equal(telnet, '\xff\xf1');
});

test('reads any bytes as some command', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const { argument, plain, argumentStart } = parseCommand(Buffer.from(bytes).toString('latin1'));
      assert.equal(plain.slice(argumentStart), argument);
    }),
  );
});

test('takes no other byte for Telnet than Telnet has, whatever letters these are in some encoding', () => {
  for (let byte = 0xd0; byte <= 0xde; byte++) {
    const { verb, telnet } = parseCommand(`${String.fromCharCode(byte)}ABOR`);
    assert.equal(telnet, '');
    assert.equal(verb.length, 5);
  }
});
