/** What is blocked on the way back is named with what is blocked on the way in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../../src/doctor/finding.ts';
import { examineHost } from '../../../src/doctor/host.ts';
import { choicesOf, mended } from '../../support/doctor/mended.ts';
import { sourcesOf } from '../host-sets.ts';

const vsftpd = 'listen=YES\npasv_min_port=40000\npasv_max_port=40100\n';
const rules = (input: string, output: string): string =>
  `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n${input}${output}COMMIT\n`;
const control = '-A INPUT -p tcp --dport 21 -j ACCEPT\n';
const active = '-A OUTPUT -p tcp --sport 21 -j ACCEPT\n-A OUTPUT -p tcp --sport 20 -j ACCEPT\n';

for (const [what, input, output, faults] of [
  [
    'the passive range both ways, beside rules for active mode',
    control,
    active,
    ['established-dropped', 'passive-range-closed'],
  ],
  [
    'the same, where the rule for active mode is for what comes in',
    `${control}-A INPUT -p tcp --sport 20 -j ACCEPT\n`,
    active,
    ['established-dropped', 'passive-range-closed'],
  ],
  [
    'the control port both ways',
    '',
    '',
    ['control-port-closed', 'established-dropped', 'passive-range-closed'],
  ],
  [
    'the passive range both ways, where RELATED is accepted',
    `${control}-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n`,
    active,
    ['established-dropped', 'related-without-helper'],
  ],
  [
    'the passive range on the way back, where a rule for the control port is not understood',
    `${control}-A INPUT -p tcp --dport 40000:40100 -j ACCEPT\n`,
    '-A OUTPUT -p tcp --sport 21 -m set --match-set a dst -j ACCEPT\n',
    ['established-dropped'],
  ],
  [
    'all but the first packet, both ways',
    '-A INPUT -p tcp -m multiport --dports 21,40000:40100 -m state --state NEW -j ACCEPT\n',
    '',
    ['established-dropped', 'established-dropped'],
  ],
  [
    'a part of the range on the way back',
    `${control}-A INPUT -p tcp --dport 40000:40100 -j ACCEPT\n`,
    `${active}-A OUTPUT -p tcp --sport 40000:40050 -j ACCEPT\n`,
    ['established-dropped'],
  ],
] as const) {
  test(`names in one round what is blocked: ${what}`, () => {
    const texts = { vsftpd, iptables: rules(input, output) };
    const found = examineHost(sourcesOf(texts)).filter(isFault);
    assert.deepEqual(found.map(({ id }) => id).sort(), faults);
    for (const followed of choicesOf(found))
      assert.deepEqual(examineHost(sourcesOf(mended(texts, followed))).filter(isFault), []);
  });
}

test('finds nothing where the answers pass', () => {
  const input = `${control}-A INPUT -p tcp --dport 40000:40100 -j ACCEPT\n`;
  const output = `${active}-A OUTPUT -p tcp --sport 40000:40100 -j ACCEPT\n`;
  assert.deepEqual(examineHost(sourcesOf({ vsftpd, iptables: rules(input, output) })).filter(isFault), []);
});

test('names the ports of which the answers are blocked', () => {
  const iptables = rules(
    `${control}-A INPUT -p tcp --dport 40000:40100 -j ACCEPT\n`,
    `${active}-A OUTPUT -p tcp --sport 40000:40050 -j ACCEPT\n`,
  );
  const [found] = examineHost(sourcesOf({ vsftpd, iptables })).filter(isFault);
  assert.deepEqual(found?.values, { ports: '40051-40100', chain: 'OUTPUT' });
});

test('names in one round what is blocked where the server has no passive range', () => {
  const texts = { vsftpd: 'listen=YES\n', iptables: rules(control, active) };
  const found = examineHost(sourcesOf(texts)).filter(isFault);
  assert.deepEqual(found.map(({ id }) => id).sort(), ['established-dropped', 'passive-range-missing']);
  for (const followed of choicesOf(found))
    assert.deepEqual(examineHost(sourcesOf(mended(texts, followed))).filter(isFault), []);
});

test('takes no rules alone for those of a host that serves FTP', () => {
  const iptables = rules('-A INPUT -p tcp --dport 22 -j ACCEPT\n', '');
  assert.deepEqual(examineHost(sourcesOf({ iptables })).filter(isFault), []);
});
