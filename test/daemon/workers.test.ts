import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { isThere } from '../support/process-there.ts';
import { activePorts, hosts, passivePorts } from '../support/relay/hosts.ts';
import { exchange, Lab, type ControlPair, type DataPair } from '../support/relay/lab.ts';
import { within } from '../support/relay/within.ts';

/** The processes of the workers that the log has told of, the newest at each place. */
function pidsOf(lab: Lab): number[] {
  const started = lab.log
    .split('\n')
    .filter((line) => line.includes('"msg":"worker started"'))
    .map((line) => JSON.parse(line) as { readonly worker: number; readonly workerPid: number });
  const byPlace = new Map(started.map(({ worker, workerPid }) => [worker, workerPid]));
  return [...byPlace].sort(([one], [other]) => one - other).map(([, pid]) => pid);
}

function diedLines(lab: Lab): Record<string, unknown>[] {
  return lab.log
    .split('\n')
    .filter((line) => line.includes('"msg":"worker died"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function until(what: string, look: () => boolean, limit?: number): Promise<void> {
  const looking = async (): Promise<void> => {
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await within(looking(), what, undefined, limit);
}

function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

test('two workers share the sessions of one listener, and one log, one roster and one set of counters have them all', async (t) => {
  const lab = await Lab.start(t, { workers: '2' });
  const [one = 0, other = 0] = pidsOf(lab);
  assert.ok(one > 0 && other > 0 && one !== other && !pidsOf(lab).includes(process.pid));
  const pairs: ControlPair[] = [];
  for (let n = 0; n < 12; n++) pairs.push(await lab.login());
  await lab.event('session-logged-in', {}, 12);
  const ids = lab.eventsOf('session-opened').map(({ session }) => session);
  assert.deepEqual(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  // Both have had something to do.
  assert.ok(cpuOf(one) > 0 && cpuOf(other) > 0);
  for (const pair of pairs) {
    const data = await lab.passiveChannel(pair);
    await exchange(pair, 'RETR file', '150 Here it comes.');
    data.server.end('a file');
    assert.equal(await data.client.rest(), 'a file');
    data.client.end();
  }
  await lab.event('transfer-ended', { cause: 'complete' }, 12);
  const expectations = lab.eventsOf('pinhole-opened').map(({ expectation }) => expectation);
  assert.deepEqual([...new Set(expectations)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.match(lab.daemon.summary, /^12 sessions, 0 transfers/);
  await exchange(pairs[0] ?? assert.fail(), 'NOOP', '200 Here.');
  await lab.daemon.close(0);
  await until('the workers end', () => !isThere(one) && !isThere(other));
  assert.equal(diedLines(lab).length, 0);
});

test('the limits of sessions hold over all workers, to the last one', async (t) => {
  const lab = await Lab.start(t, { workers: '3', 'max-sessions': '7', 'max-sessions-per-client': '4' });
  const pairs: ControlPair[] = [];
  for (let n = 0; n < 4; n++) pairs.push(await lab.login());
  await (await lab.dial(lab.relay)).expect(`${replies.tooManySessionsOfClient}\r\n`);
  for (let n = 0; n < 3; n++) await lab.login(hosts.other);
  await (await lab.dial(lab.relay, hosts.other)).expect(`${replies.tooManySessions}\r\n`);
  const [first] = pairs;
  assert.ok(first);
  first.client.end();
  await first.server.close();
  await lab.event('session-closed');
  await lab.login();
  await (await lab.dial(lab.relay, hosts.other)).expect(`${replies.tooManySessions}\r\n`);
});

test('no client gets 425 while a port of the range is free, whichever worker has it', async (t) => {
  const lab = await Lab.start(t, {
    workers: '2',
    'passive-ports': passivePorts(4),
    'active-ports': activePorts(4),
  });
  const pairs: ControlPair[] = [];
  for (let n = 0; n < 5; n++) pairs.push(await lab.login());
  const ports = new Set<number>();
  // One pinhole a session, four sessions: every port of the range, though each worker began with two.
  for (const pair of pairs.slice(0, 4)) ports.add((await lab.passive(pair)).at.port);
  assert.equal(ports.size, 4);
  const last = pairs[4] ?? assert.fail();
  last.client.send('PASV\r\n');
  await last.server.expect('PASV\r\n');
  last.server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
  await last.client.expect(`${replies.noFreePort}\r\n`);
});

/** A download that has begun in each session. */
async function downloads(lab: Lab, pairs: readonly ControlPair[]): Promise<DataPair[]> {
  const channels: DataPair[] = [];
  for (const pair of pairs) {
    channels.push(await lab.passiveChannel(pair));
    await exchange(pair, 'RETR file', '150 Here it comes.');
  }
  return channels;
}

/** So many sessions: the first worker has the first of them, the second the second, and so on. */
async function logins(lab: Lab, count: number): Promise<ControlPair[]> {
  const pairs: ControlPair[] = [];
  for (let n = 0; n < count; n++) pairs.push(await lab.login());
  return pairs;
}

test('a port that is free comes at once, though another worker hangs that was asked too', async (t) => {
  const lab = await Lab.start(t, {
    workers: '3',
    'passive-ports': passivePorts(6),
    'active-ports': passivePorts(6),
  });
  const ofFirst = (await logins(lab, 7)).filter((_, index) => index % 3 === 0);
  const [, hung = 0] = pidsOf(lab);
  const ports = new Set<number>();
  for (const pair of ofFirst.slice(0, 2)) ports.add((await lab.passive(pair)).at.port);
  process.kill(hung, 'SIGSTOP');
  for (const pair of ofFirst.slice(2)) ports.add((await lab.passive(pair)).at.port);
  // The one that hangs has not been ended yet, which would have brought its ports.
  assert.equal(diedLines(lab).length, 0);
  assert.equal(ports.size, 3);
  process.kill(hung, 'SIGCONT');
});

test('the ports that come for a worker which has died are for the next one at its place', async (t) => {
  const lab = await Lab.start(t, {
    workers: '2',
    'passive-ports': passivePorts(4),
    'active-ports': passivePorts(4),
  });
  const ofFirst = (await logins(lab, 5)).filter((_, index) => index % 2 === 0);
  const [victim = 0, other = 0] = pidsOf(lab);
  for (const pair of ofFirst.slice(0, 2)) await lab.passive(pair);
  process.kill(other, 'SIGSTOP');
  const asking = ofFirst[2] ?? assert.fail();
  asking.client.send('PASV\r\n');
  await asking.server.expect('PASV\r\n');
  asking.server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
  // Until the question is there, which nobody tells.
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(victim, 'SIGKILL');
  await until('there is another worker', () => !pidsOf(lab).includes(victim));
  process.kill(other, 'SIGCONT');
  const ports = new Set<number>();
  for (const pair of await logins(lab, 4)) ports.add((await lab.passive(pair)).at.port);
  assert.equal(ports.size, 4);
});

test('a worker that is killed costs its own sessions alone, and is replaced', async (t) => {
  const lab = await Lab.start(t, { workers: '2' });
  const [victim = 0, survivor = 0] = pidsOf(lab);
  const pairs = [await lab.login(), await lab.login(), await lab.login(), await lab.login()];
  const channels = await downloads(lab, pairs);
  await lab.event('transfer-begun', {}, 4);
  process.kill(victim, 'SIGKILL');
  await lab.logged('worker died');
  await lab.event('session-closed', { reason: 'worker-died' }, 2);
  assert.equal(lab.eventsOf('session-closed').length, 2);
  await lab.event('transfer-ended', { cause: 'worker-died' }, 2);
  const [died] = diedLines(lab);
  assert.equal(died?.['level'], 'error');
  assert.deepEqual([died['workerPid'], died['signal'], died['sessions']], [victim, 'SIGKILL', 2]);
  const lost = new Set(lab.eventsOf('session-closed').map(({ session }) => session));
  for (const [index, { client, server }] of channels.entries()) {
    if (lost.has(index + 1)) continue;
    server.end('whole');
    assert.equal(await client.rest(), 'whole');
  }
  await until('there is another worker', () => !pidsOf(lab).includes(victim));
  const [replacement = 0, same = 0] = pidsOf(lab);
  assert.equal(same, survivor);
  // The new one has no sessions: it gets the next ones.
  const before = cpuOf(replacement);
  for (let n = 0; n < 8; n++) await lab.passiveChannel(await lab.login());
  assert.ok(cpuOf(replacement) >= before);
  await lab.event('pinhole-taken', {}, 12);
  assert.match(lab.daemon.summary, /^10 sessions, 10 transfers/);
});

test('a worker that dies again and again is waited for longer each time, which the log tells', async (t) => {
  const lab = await Lab.start(t, { workers: '2' });
  for (let deaths = 1; deaths <= 2; deaths++) {
    const [victim = 0] = pidsOf(lab);
    process.kill(victim, 'SIGSEGV');
    await until('it was told', () => diedLines(lab).length === deaths);
    // The other one serves meanwhile.
    await lab.login();
    await until('it is replaced', () => pidsOf(lab)[0] !== victim);
  }
  const [first, second] = diedLines(lab);
  assert.deepEqual([first?.['restartIn'], second?.['restartIn']], [0.5, 1]);
});

test('a worker that hangs is ended and replaced, and its sessions are told as over', async (t) => {
  const lab = await Lab.start(t, { workers: '2' });
  const [victim = 0, survivor = 0] = pidsOf(lab);
  const pairs = [await lab.login(), await lab.login()];
  process.kill(victim, 'SIGSTOP');
  await until('it was told', () => diedLines(lab).length === 1, 30_000);
  const [died] = diedLines(lab);
  assert.deepEqual([died?.['workerPid'], died?.['sessions']], [victim, 1]);
  assert.equal(died?.['error'], 'it told nothing for 10 seconds');
  await lab.event('session-closed', { reason: 'worker-died' });
  await until('there is another worker', () => !pidsOf(lab).includes(victim));
  assert.equal(pidsOf(lab)[1], survivor);
  const left = new Set(lab.eventsOf('session-closed').map(({ session }) => session));
  for (const [index, pair] of pairs.entries()) {
    if (!left.has(index + 1)) await exchange(pair, 'NOOP', '200 Here.');
  }
});

test('clients wait for a worker where all have died', async (t) => {
  const lab = await Lab.start(t, { workers: '2', 'connect-timeout': '20s' });
  for (const pid of pidsOf(lab)) process.kill(pid, 'SIGKILL');
  await until('both deaths are told', () => diedLines(lab).length === 2);
  await lab.login();
});

test('where no worker comes in time a client hears that', async (t) => {
  const lab = await Lab.start(t, { workers: '2', 'connect-timeout': '100ms' });
  for (const pid of pidsOf(lab)) process.kill(pid, 'SIGKILL');
  await until('both deaths are told', () => diedLines(lab).length === 2);
  await (await lab.dial(lab.relay)).expect(`${replies.workerDied}\r\n`);
  await lab.event('session-refused', { reason: 'worker-died' });
});

test('a reload reaches every worker, and sessions that are there keep what they began with', async (t) => {
  const lab = await Lab.start(t, { workers: '2' });
  const old = [await lab.login(), await lab.login()];
  await lab.daemon.reload(lab.configWith({ workers: '2', 'public-address': '192.0.2.1' }));
  const told = async (pair: ControlPair): Promise<string> => {
    pair.client.send('PASV\r\n');
    await pair.server.expect('PASV\r\n');
    pair.server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
    return pair.client.line();
  };
  for (const pair of old)
    assert.match(await told(pair), new RegExp(`\\(${hosts.relay.replaceAll('.', ',')},`));
  for (let n = 0; n < 4; n++) assert.match(await told(await lab.login()), /\(192,0,2,1,/);
  await assert.rejects(lab.daemon.reload(lab.configWith({ workers: '3' })), /^Error: workers: cannot change/);
});

test('at the end transfers of all workers finish within the grace', async (t) => {
  const lab = await Lab.start(t, { workers: '2', grace: '20s' });
  const pairs = [await lab.login(), await lab.login()];
  const channels = await downloads(lab, pairs);
  const idle = await lab.login();
  const closed = lab.daemon.close();
  await idle.client.expect(`${replies.shutdown}\r\n`);
  for (const [index, { client, server }] of pairs.entries()) {
    const data = channels[index] ?? assert.fail();
    server.send('226 Done.\r\n');
    data.server.end('whole');
    assert.equal(await data.client.rest(), 'whole');
    data.client.end();
    await client.expect(`226 Done.\r\n${replies.shutdown}\r\n`);
    client.end();
  }
  idle.client.end();
  await closed;
  assert.equal(lab.eventsOf('transfer-ended').filter(({ cause }) => cause === 'complete').length, 2);
  assert.equal(lab.eventsOf('session-closed').length, 3);
});
