import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataAnswer, SessionAnswer } from '../../../src/admin/answers.ts';
import type { StatusAnswer } from '../../../src/admin/status-answer.ts';
import { columnsOf } from '../../../src/net/columns.ts';
import { Watch, type Seen, type Snapshot } from '../../../src/commands/operate/top-state.ts';
import { renderTop, type TopView } from '../../../src/commands/operate/top-view.ts';
import { AdminStand } from '../../admin/stand.ts';
import { runCommandLine } from '../../support/relay/command-line.ts';
import { noTerminal, onTerminal } from '../../support/relay/terminal.ts';

const use = { now: 3, most: 100 };
const status: StatusAnswer = {
  ...{ version: '0.1.0', node: 'v20', pid: 1, since: '', seconds: 11_520, plane: 'relay' },
  ...{ listening: ['203.0.113.1:21'], server: '10.0.0.2:21', draining: false, logLevel: 'info' },
  ...{ sessions: 20, expectations: 3, dataConnections: 2, uploaded: 0, downloaded: 0, memory: 0 },
  limits: { sessions: use, sessionsPerClient: use, passivePorts: use, activePorts: use, descriptors: use },
  certificates: [],
  eventLoopDelay: { median: 0, p99: 0, worst: 0 },
  workers: [],
};

function data(id: number, more: Partial<DataAnswer> = {}): DataAnswer {
  return {
    ...{
      id,
      session: id,
      client: `198.51.100.${id}`,
      user: 'anne',
      plane: 'relay',
      mode: 'passive',
      from: null,
    },
    ...{
      at: '',
      to: '',
      command: 'RETR',
      direction: 'download',
      path: `/pub/${'folder/'.repeat(6)}${id}.bin`,
    },
    ...{ relative: false, size: 1_000_000, uploaded: 0, downloaded: 250_000, seconds: 61, rate: 0, ...more },
  };
}

function session(id: number): SessionAnswer {
  return {
    ...{
      id,
      client: `198.51.100.${id}:4000`,
      reached: '',
      server: '',
      user: '中文 name',
      loggedIn: id % 2 === 0,
    },
    ...{
      opaque: false,
      tls: { client: null, server: null },
      since: '',
      seconds: 5,
      command: null,
      path: null,
    },
    ...{ uploaded: 0, downloaded: 0, rate: 0, planes: [], transfers: 0, dataConnections: 0, refusals: 1 },
  };
}

function snapshot(at: number, more: Partial<Snapshot> = {}): Snapshot {
  const sessions = Array.from({ length: 20 }, (_, index) => session(index + 1));
  return { at, status, draining: [], sessions, data: [data(1), data(2)], counters: {}, ...more };
}

test('keeps apart what has one number in two processes', () => {
  const watch = new Watch();
  const beside = { ...status, pid: status.pid + 1, sessions: 1, uploaded: 7_000_000 };
  const old = { ...session(1), process: beside.pid };
  const both = (bytes: number): Partial<Snapshot> => ({
    draining: [{ ...beside, uploaded: beside.uploaded + bytes }],
    sessions: [session(1), session(3), old],
    data: [data(1), { ...data(1, { downloaded: 250_000 + bytes }), process: beside.pid }],
  });
  watch.add(snapshot(0));
  watch.add(snapshot(1000, both(0)));
  const seen = watch.add(snapshot(2000, both(500_000)));
  assert.deepEqual(
    seen.transfers.map(({ rate }) => rate),
    [0, 500_000],
  );
  assert.equal(seen.upload, 500_000);
  assert.deepEqual(
    seen.idle.map(({ id }) => id),
    [3],
  );
  const text = renderTop(view(seen), 100, 24).join('\n');
  assert.match(text, new RegExp(`process ${beside.pid} drains: sessions 1`));
  assert.match(text, new RegExp(`^ *${beside.pid}:1 `, 'm'));
});

function view(seen: Seen | undefined, more: Partial<TopView> = {}): TopView {
  const plain = { isReversed: false, isPaused: false, isHelp: false, bottom: undefined };
  return { seen, sorting: 'rate', ...plain, ...more };
}

test('rates are differences between two looks, and what nobody counts has none', () => {
  const watch = new Watch();
  const first = watch.add(snapshot(0));
  assert.deepEqual([first.upload, first.transfers[0]?.rate], [undefined, undefined]);
  const second = watch.add(
    snapshot(2000, {
      status: { ...status, uploaded: 4000, downloaded: 600_000 },
      data: [data(1, { downloaded: 750_000 }), data(3), data(2, { uploaded: null, downloaded: null })],
    }),
  );
  assert.deepEqual([second.upload, second.download], [2000, 300_000]);
  assert.deepEqual(
    second.transfers.map(({ rate }) => rate),
    [250_000, 125_000, undefined],
  );
  assert.equal(second.idle.length, 17);
});

test('counts refusals by reason, in the last minute and since the start', () => {
  const watch = new Watch();
  const counted = (at: number, stranger: number): Seen =>
    watch.add(
      snapshot(at, {
        counters: {
          ...{ 'pinhole-refused stranger': stranger, 'command-refused syntax': 5, 'session-refused loop': 1 },
          ...{ 'command-refused stranger': 1, 'transfer-ended complete download relay': 7 },
        },
      }),
    );
  counted(0, 10);
  assert.equal(counted(30_000, 12).recentSeconds, 30);
  const { refusals, recentSeconds } = counted(75_000, 15);
  assert.equal(recentSeconds, 60);
  assert.deepEqual(refusals, [
    { reason: 'stranger', total: 16, recent: 5 },
    { reason: 'syntax', total: 5, recent: 0 },
    { reason: 'loop', total: 1, recent: 0 },
  ]);
});

test('the screen is filled, and no line is wider than it, at every size', () => {
  const watch = new Watch();
  watch.add(snapshot(0));
  const many = Array.from({ length: 40 }, (_, index) =>
    data(index + 100, { path: `/中文/${index}`, size: null }),
  );
  const seens = [
    undefined,
    watch.add(snapshot(1000)),
    watch.add(snapshot(2000, { data: many })),
    watch.add(snapshot(3000, { data: [], sessions: [], counters: { 'command-refused syntax': 5 } })),
  ];
  for (const [columns, rows] of [
    ...[
      [80, 24],
      [40, 15],
      [200, 50],
      [20, 5],
      [1, 1],
      [132, 3],
    ],
  ] as [number, number][]) {
    for (const seen of seens) {
      for (const more of [{}, { isHelp: true }, { isPaused: true }, { bottom: 'x'.repeat(300) }]) {
        const lines = renderTop(view(seen, more), columns, rows);
        assert.equal(lines.length, rows);
        for (const line of lines) assert.ok(columnsOf(line) <= columns, `${columns}x${rows}: ${line}`);
      }
    }
  }
});

test('shows progress against the size, sorts, and says how many there is no room for', () => {
  const watch = new Watch();
  const size = { size: 1000, uploaded: 0 };
  const transfers = [
    data(1, { ...size, downloaded: 500 }),
    data(2, { ...size, downloaded: 900 }),
    data(3, { size: null }),
  ];
  const seen = watch.add(snapshot(0, { data: transfers }));
  const ids = (more: Partial<TopView>): string => {
    const lines = renderTop(view(seen, more), 100, 24);
    return lines.flatMap((line) => /^ ?(\d) {2}198\.51\.100\.\d {2}anne/.exec(line)?.[1] ?? []).join('');
  };
  assert.equal(ids({ sorting: 'bytes' }), '321');
  assert.equal(ids({ sorting: 'client' }), '123');
  assert.equal(ids({ sorting: 'client', isReversed: true }), '321');
  const lines = renderTop(view(seen), 100, 24);
  assert.match(lines.join('\n'), / RETR {5}\[#####\.{5}\] {2}50 % /);
  assert.match(lines.join('\n'), /^\.\.\. \d+ more sessions$/m);
  assert.match(
    lines[0] ?? '',
    /^Pinhole serving at 203\.0\.113\.1:21 {2}for 10\.0\.0\.2:21 {2}up 3 h 12 min$/,
  );
});

test('a name with escape sequences comes to no screen', () => {
  const seen = new Watch().add(snapshot(0, { data: [data(1, { path: '/a\x1b[31m', user: '\u009b2J' })] }));
  assert.doesNotMatch(renderTop(view(seen), 200, 24).join(''), /\p{Cc}/u);
});

test('without a terminal it names list', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const { code, stderr } = await runCommandLine(['top', '--admin', stand.path]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^pinhole: top: standard input and output have to be a terminal; without one: npx pinhole list[^\n]*\n$/,
  );
});

const shows = '\x1b[?1049h';
const leaves = /\x1b\[\?7h\x1b\[\?25h\x1b\[\?1049l(?:pinhole: the relay has ended\r\n)?$/;

for (const [what, steps, code] of [
  ['q', [['PATH', 'q']], 0],
  ['Ctrl-C', [['PATH', '\x03']], 0],
  ['SIGTERM', [['PATH', '@SIGTERM']], 143],
  ['SIGHUP', [['PATH', '@SIGHUP']], 129],
] as const) {
  test(`leaves the terminal as it was after ${what}`, { skip: noTerminal }, async (t) => {
    const stand = new AdminStand(t);
    await stand.stalled(await stand.login());
    const ended = await onTerminal(['top', '--admin', stand.path], [80, 24], steps);
    assert.deepEqual([ended.code, ended.isAsBefore, ended.left], [code, true, []]);
    assert.ok(ended.text.startsWith(shows));
    assert.match(ended.text, leaves);
  });
}

test(
  'leaves the terminal as it was after the end of the relay, and says so',
  { skip: noTerminal },
  async (t) => {
    const stand = new AdminStand(t);
    await stand.stalled(await stand.login());
    setTimeout(() => {
      stand.program.signal('SIGKILL');
    }, 2500).unref();
    const ended = await onTerminal(['top', '--admin', stand.path], [80, 24]);
    assert.deepEqual([ended.code, ended.isAsBefore], [1, true]);
    assert.match(ended.text, leaves);
    assert.match(ended.text, /pinhole: the relay has ended\r\n$/);
  },
);

test(
  'ends a session after its number and a y, sorts, pauses, helps and follows the size',
  { skip: noTerminal },
  async (t) => {
    const stand = new AdminStand(t);
    await stand.login();
    await stand.login();
    const { text, code, left } = await onTerminal(
      ['top', '--admin', stand.path],
      [100, 24],
      [
        ['IDLE CLIENT', 's'],
        ['sort: bytes', 'r'],
        ['(reversed)', '?'],
        ['reverse the order', '?'],
        ['IDLE CLIENT', 'p'],
        ['PAUSED', 'p'],
        ['(reversed)', 'k'],
        ['which session', '2\r'],
        ['end session 2, 127.0.0.1:', 'n'],
        ['session 2 goes on', 'k2\r'],
        ['end session 2, 127.0.0.1:', 'y'],
        ['closed session 2', '@size 60 10'],
        // Any key: what the last one has done has been read.
        ['\x1b[H', 'x'],
        ['by bytes', 'q'],
      ],
    );
    assert.deepEqual([code, left], [0, []]);
    const last = text.split('\x1b[H').at(-1)?.split('\x1b[?7h')[0] ?? '';
    assert.ok(last.split('\r\n').length <= 10);
  },
);
