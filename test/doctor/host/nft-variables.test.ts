/** Variables of nftables stand for what nft puts in their place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost } from '../../../src/doctor/host.ts';
import { tokensOf } from '../../../src/doctor/host/nft-tokens.ts';
import { withVariables } from '../../../src/doctor/host/nft-variables.ts';
import { sourcesOf } from '../host-sets.ts';

const expanded = (text: string): string =>
  withVariables(tokensOf(text))
    .map(({ text: word }) => word)
    .filter((word) => word !== '\n')
    .join(' ');

for (const [what, text, words] of [
  ['a word', 'define port = 21\ntcp dport $port accept', 'tcp dport 21 accept'],
  ['without blanks', 'define port=21\ntcp dport $port accept', 'tcp dport 21 accept'],
  ['a text', 'define wan = "eth0"\niifname $wan accept', 'iifname eth0 accept'],
  ['a set', 'define p = { 21, 22 }\ntcp dport $p accept', 'tcp dport { 21 , 22 } accept'],
  [
    'a set of several lines',
    'define p = {\n 21, # one\n 22\n}\ntcp dport $p accept',
    'tcp dport { 21 , 22 } accept',
  ],
  [
    'a set in a set',
    'define p = { 21, 22 }\ntcp dport { $p, 80 } accept',
    'tcp dport { 21 , 22 , 80 } accept',
  ],
  ['in another', 'define a = 21\ndefine b = { $a, 22 }\ntcp dport $b accept', 'tcp dport { 21 , 22 } accept'],
  ['as it was then', 'define a = 21\ndefine b = $a\nredefine a = 22\ndport $b $a', 'dport 21 22'],
  ['gone', 'define a = 21\nundefine a\ntcp dport $a accept', 'tcp dport $a accept'],
  ['not defined', 'define a = 21\ntcp dport $b accept', 'tcp dport $b accept'],
  ['of a block', 'table t {\n define a = 21\n $a\n}\ntable s {\n $a\n}', 'table t { 21 } table s { $a }'],
  ['before a port', 'define s = 10.0.0.1\ndnat to $s:2121', 'dnat to 10.0.0.1:2121'],
  ['none in quotation marks', 'define a = 21\ncomment "$a"', 'comment $a'],
] as const) {
  test(`puts in the place of a variable what is defined: ${what}`, () => {
    assert.equal(expanded(text), words);
  });
}

test('gives up where definitions of definitions have no end', () => {
  const names = Array.from(
    { length: 40 },
    (_, index) => `define a${index + 1} = { $a${index}, $a${index} }\n`,
  );
  assert.match(expanded(`define a0 = { 1, 2 }\n${names.join('')}tcp dport $a40 accept`), /\$a\d+/);
});

const vsftpd = 'listen=YES\npasv_min_port=40000\npasv_max_port=40100\n';
const rules = (definitions: string, rule: string): string => `${definitions}
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    ${rule}
  }
}
`;
const found = (nftables: string): string[] =>
  examineHost(sourcesOf({ vsftpd, nftables }))
    .filter(({ level }) => level === 'fault' || level === 'unseen')
    .map(({ id, values }) => `${id} ${values['ports']}`);

for (const [what, definitions, rule, ids] of [
  ['well', 'define ftp_ports = { 21, 40000-40100 }', 'tcp dport $ftp_ports accept', []],
  [
    'broken',
    'define ftp_ports = { 21, 40000-40050 }',
    'tcp dport $ftp_ports accept',
    ['related-without-helper 40051-40100'],
  ],
  ['a range of two', 'define a = 40000\ndefine b = 40100', 'tcp dport { 21, $a - $b } accept', []],
  [
    'a range with blanks',
    '',
    'tcp dport { 21, 40000 - 40050 } accept',
    ['related-without-helper 40051-40100'],
  ],
  [
    'not defined',
    'define other = 1',
    'tcp dport $ftp_ports accept',
    ['ports-not-known 21', 'ports-not-known 40000-40100'],
  ],
] as const) {
  test(`asks rules with variables about the ports: ${what}`, () => {
    assert.deepEqual(found(rules(definitions, rule)), ids);
  });
}
