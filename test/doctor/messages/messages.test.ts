import assert from 'node:assert/strict';
import { test } from 'node:test';
import { en } from '../../../src/doctor/messages/en.ts';
import type { Message } from '../../../src/doctor/messages/message.ts';
import { zh } from '../../../src/doctor/messages/zh.ts';

const translations = { zh };

for (const [language, catalogue] of Object.entries(translations)) {
  test(`${language} says all that English says, and with the same values`, () => {
    assert.deepEqual(Object.keys(catalogue.findings).sort(), Object.keys(en.findings).sort());
    assert.deepEqual(Object.keys(catalogue.words).sort(), Object.keys(en.words).sort());
    for (const [id, message] of Object.entries(en.findings) as [string, Message][]) {
      const translated = (catalogue.findings as Readonly<Record<string, Message>>)[id];
      assert.ok(translated);
      for (const part of ['seen', 'means', 'change'] as const) {
        assert.equal(translated[part] === undefined, message[part] === undefined, `${id}: ${part}`);
        assert.deepEqual(placeholders(translated[part]), placeholders(message[part]), `${id}: ${part}`);
      }
    }
  });
}

test('a message about a fault or a note has its meaning and the change', () => {
  for (const [id, message] of Object.entries(en.findings) as [string, Message][]) {
    assert.equal(message.means === undefined, message.change === undefined, id);
  }
});

function placeholders(text = ''): string[] {
  return [...new Set(Array.from(text.matchAll(/\{\w+\}/g), ([name]) => name))].sort();
}
