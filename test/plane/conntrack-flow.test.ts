import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOver, parseFlow } from '../../src/plane/conntrack-flow.ts';

const began =
  '    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=198.51.100.10 dst=198.51.100.1 sport=40000 dport=50000 ' +
  '[UNREPLIED] src=10.77.0.2 dst=10.77.0.1 sport=30000 dport=40000 mark=8481 id=1881400130';
const ended =
  ' [UPDATE] ipv6     10 tcp      6 120 TIME_WAIT src=2001:db8:51::10 dst=2001:db8:51::1 sport=40000 dport=50000 ' +
  'src=fd77::2 dst=fd77::1 sport=30000 dport=40000 [ASSURED] mark=8481 id=7';
const gone =
  '[DESTROY] ipv4     2 tcp      6 src=10.77.0.2 dst=10.77.0.1 sport=20 dport=51000 packets=4 bytes=216 ' +
  'src=198.51.100.10 dst=198.51.100.1 sport=40000 dport=20 packets=5 bytes=1216 [ASSURED] mark=8481 id=9';
const listed =
  'tcp      6 431999 ESTABLISHED src=198.51.100.10 dst=198.51.100.1 sport=40000 dport=50000 src=10.77.0.2 ' +
  'dst=10.77.0.1 sport=30000 dport=40000 [ASSURED] mark=8481 use=1 id=5';

test('reads who connected to where, before any NAT', () => {
  assert.deepEqual(parseFlow(began), {
    what: 'new',
    id: '1881400130',
    state: 'SYN_SENT',
    from: { address: '198.51.100.10', port: 40000 },
    at: { address: '198.51.100.1', port: 50000 },
    bytes: undefined,
  });
});

test('reads IPv6, and a connection that both sides have ended', () => {
  const flow = parseFlow(ended);
  assert.deepEqual([flow?.what, flow?.state, flow?.from.address], ['update', 'TIME_WAIT', '2001:db8:51::10']);
  assert.ok(flow && isOver(flow));
});

test('reads what a connection carried in each direction', () => {
  const flow = parseFlow(gone);
  assert.deepEqual(
    [flow?.what, flow?.state, flow?.bytes],
    ['destroy', undefined, { sent: 216, returned: 1216 }],
  );
  assert.ok(flow && isOver(flow));
});

test('reads a list', () => {
  const flow = parseFlow(listed);
  assert.deepEqual([flow?.what, flow?.state, flow?.bytes], ['listed', 'ESTABLISHED', undefined]);
  assert.ok(flow && !isOver(flow));
});

for (const line of [
  '',
  'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown.',
  began.replace('src=198.51.100.10', 'src=nobody'),
  began.replace(/ id=\d+/, ''),
]) {
  test(`makes nothing of ${JSON.stringify(line.slice(0, 50))}`, () => {
    assert.equal(parseFlow(line), undefined);
  });
}
