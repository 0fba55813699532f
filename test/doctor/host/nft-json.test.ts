/** The two forms in which nft prints the same ruleset. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { rulesOf, type FirewallRule, type Packet } from '../../../src/doctor/host/firewall.ts';
import { matches } from '../../../src/doctor/host/matching.ts';
import { readNftables } from '../../../src/doctor/host/nftables.ts';

const read = (name: string): string => readFileSync(`test/data/doctor/nft/${name}`, 'utf8');
const text = read('ruleset.txt');
const json = read('ruleset.json');

/** What a rule does with packets: `?` where that is not known. */
function does({ matches: all, action, line }: FirewallRule): string[] {
  return packets.map((packet) => {
    const answer = matches({ line, matches: all, action, words: [] }, 4, packet);
    return answer === 'unknown' || (answer === 'yes' && action.kind === 'unknown')
      ? '?'
      : answer === 'no'
        ? 'no'
        : JSON.stringify(action);
  });
}

const packets: readonly Packet[] = ([21, 22, 50, 85, 40_005] as const).flatMap((port) =>
  (['new', 'related', 'established'] as const).map((state): Packet => ({ hook: 'input', port, state })),
);

test('reads the JSON of a ruleset as its text, with the lines of the text', () => {
  const [ofText, ofJson] = [readNftables('f', text), readNftables('f', text, [], json)];
  assert.deepEqual(
    ofJson.tables.flatMap(({ chains }) => [...chains.values()].map(({ rules, ...chain }) => chain)),
    ofText.tables.flatMap(({ chains }) => [...chains.values()].map(({ rules, ...chain }) => chain)),
  );
  const byLine = (rules: readonly { readonly rule: FirewallRule }[]): Map<number, FirewallRule[]> => {
    const lines = new Map<number, FirewallRule[]>();
    for (const { rule } of rules) lines.set(rule.line, [...(lines.get(rule.line) ?? []), rule]);
    return lines;
  };
  const [told, shown] = [byLine(rulesOf(ofText.tables)), byLine(rulesOf(ofJson.tables))];
  assert.deepEqual([...shown.keys()], [...told.keys()]);
  const deciding = (rules: readonly FirewallRule[] = []): string[] =>
    packets.map(
      (_, index) => rules.map((rule) => does(rule)[index] ?? '').find((one) => one !== 'no') ?? 'no',
    );
  for (const [line, rules] of told)
    for (const [index, one] of deciding(rules).entries())
      // Of some the text says less, and none says otherwise.
      if (one !== '?')
        assert.equal(deciding(shown.get(line))[index], one, `${line}: ${rules[0]?.words.join(' ')}`);
});

test('reads the text where there is no JSON', () => {
  assert.deepEqual(readNftables('f', text, [], 'no JSON'), readNftables('f', text));
  assert.deepEqual(readNftables('f', text, [], '{"nftables": 5}'), readNftables('f', text));
});
