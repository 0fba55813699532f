import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { columnsOf } from '../../../src/net/columns.ts';
import { ladderSvg } from '../../../src/commands/operate/ladder-svg.ts';
import { ladderText } from '../../../src/commands/operate/ladder-text.ts';
import { PathMask } from '../../../src/commands/operate/mask-paths.ts';
import { ladderLines, type LadderEvent } from '../../../src/demo/ladder.ts';
import { AdminStand, folderFor } from '../../admin/stand.ts';
import { runCommandLine } from '../../support/relay/command-line.ts';
import { Program } from '../../support/relay/program.ts';
import { noTerminal, onTerminal } from '../../support/relay/terminal.ts';

const long = { type: 'command', received: `RETR ${'/pub/a long name'.repeat(5)}`, sent: 'RETR x' } as const;
const opened = {
  type: 'pinhole-opened',
  peer: '198.51.100.7',
  at: '203.0.113.1:50000',
  to: '10.0.0.2:40000',
} as const;

test('folds what is wider than its side, and keeps every character', () => {
  for (const width of [200, 80, 60, 40, 20]) {
    for (const event of [long, opened]) {
      const lines = ladderLines(event).flatMap((line) => ladderText(line, width, (text) => text));
      for (const line of lines) assert.ok(columnsOf(line) <= width, `${width}: ${line}`);
      const text = lines.join('').replace(/[ >-]/g, '');
      const all = event.type === 'command' ? [long.sent] : [opened.to];
      for (const part of all) assert.ok(width < 80 || text.includes(part.replace(/[ >-]/g, '')), text);
    }
  }
});

/** What a dialogue becomes, the commands and replies in turn. */
function masked(...texts: string[]): string[] {
  const mask = new PathMask();
  return texts.map((text) => {
    const isReply = /^(?:\d{3}[ -]| )/.test(text) || text.startsWith('-rw');
    const event: LadderEvent = isReply
      ? { type: 'reply', received: text, sent: text }
      : { type: 'command', received: text, sent: text };
    const shown = mask.event(event);
    return shown.type === 'reply' || shown.type === 'command' ? String(shown.sent) : '';
  });
}

test('replaces names of files in commands and in replies, each always by the same', () => {
  assert.deepEqual(
    masked(
      ...['USER anne', 'CWD /customers/acme', '250 Directory changed to /customers/acme', 'PWD'],
      ...['257 "/customers/acme" is the current directory', 'RETR bill 7.pdf'],
      ...[
        '150 Opening BINARY mode data connection for bill 7.pdf (133 bytes).',
        'LIST -la bill 7.pdf',
        'LIST -a',
      ],
      ...['MFMT 20261128020000 bill 7.pdf', 'SITE CHMOD 644 secret', '550 /home/x/secret: no such file'],
      ...[
        '150 FILE: new-name',
        '-rw-r--r-- 1 0 0 133 Nov 28 02:00 hidden.txt',
        ' type=file;size=3; /a/b c',
        '226 Done.',
      ],
    ),
    [
      ...['USER anne', 'CWD path-1', '250 Directory changed to path-1', 'PWD'],
      ...['257 "path-1" is the current directory', 'RETR path-2'],
      ...['150 Opening BINARY mode data connection for path-2 (133 bytes).', 'LIST -la path-2', 'LIST -a'],
      ...['MFMT 20261128020000 path-2', 'SITE CHMOD 644 path-3', '550 path-4: no such file'],
      ...[
        '150 FILE: path-5',
        '-rw-r--r-- 1 0 0 133 Nov 28 02:00 path-6',
        ' type=file;size=3; path-7',
        '226 Done.',
      ],
    ],
  );
});

test('a picture has its text escaped, and loads nothing', () => {
  const svg = ladderSvg('session 1 <&>', [
    { kind: 'heading', text: 'session 1: "anne"' },
    ...ladderLines({ type: 'command', received: 'RETR <script>', sent: undefined }),
    ...ladderLines({ type: 'reply', received: undefined, sent: '500 a & b' }),
    ...ladderLines(opened),
  ]);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  assert.match(svg, /RETR &lt;script&gt;/);
  assert.match(svg, /500 a &amp; b/);
  assert.match(svg, /session 1: &quot;anne&quot;/);
  assert.doesNotMatch(
    svg.replace('http://www.w3.org/2000/svg', ''),
    /<script|https?:|href|@import|url\((?!#)/,
  );
});

test('draws the dialogue of a session until it ends, with a picture and masked paths', async (t) => {
  const stand = new AdminStand(t);
  const control = await stand.login();
  const other = await stand.login();
  const svg = join(folderFor(t), 'ticket.svg');
  const one = new Program(t, ['trace', '1', '--mask-paths', '--svg', svg, '--admin', stand.path]);
  const all = new Program(t, ['trace', '--client', '127.0.0.1', '--admin', stand.path]);
  while (!one.stdout.includes('NOOP') || !all.stdout.includes('NOOP')) {
    await control.ask('NOOP', 200);
    await other.ask('NOOP', 200);
  }
  // Its reply, and those to what comes behind it, wait for a transfer under way.
  (await stand.stalled(control)).resume();
  await control.expect(226);
  await control.ask('PORT 10,0,0,1,1,1', 500);
  await control.ask('USER demo', 331);
  await control.ask('PASS demo', 230);
  await control.ask('QUIT', 221);
  const { code, stdout, stderr } = await one.finished();
  assert.deepEqual([code, stderr], [0, `pinhole: wrote ${svg}\n`]);
  assert.match(stdout, /^client +relay +server\n\nsession 1: 127\.0\.0\.1:\d+, demo, to 127\.0\.0\.2:\d+\n/);
  assert.match(stdout, /^RETR path-\d +--> RETR path-\d$/m);
  assert.match(stdout, /^ +\* {2}pinhole opened: 127\.0\.0\.1 -> /m);
  assert.match(stdout, /^PORT 10,0,0,1,1,1 +-->\n500 .* <-- \(the relay: not-the-peer\)$/m);
  assert.match(stdout, /^PASS \*{4} +--> PASS \*{4}$/m);
  assert.match(stdout, /session closed: quit\n$/);
  assert.doesNotMatch(stdout, /zeros|\/pub|PASS demo|session 2/);
  assert.match(readFileSync(svg, 'utf8'), /PORT 10,0,0,1,1,1/);
  all.signal('SIGINT');
  const both = await all.finished();
  assert.equal(both.code, 0);
  assert.match(both.stdout, /^session 1: .*\n[^]*^session 2: /m);
});

test('what cannot be traced is said at once', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  for (const [words, code, message] of [
    [['trace'], 2, /nothing to trace; allowed: trace SESSION/],
    [['trace', '1', '--client', '127.0.0.1'], 2, /SESSION and --client were both given/],
    [
      ['trace', '--client', 'here'],
      2,
      /flag --client: "here" is not allowed; allowed: an IPv4 or IPv6 address/,
    ],
    [['trace', '7'], 1, /there is no session 7/],
    [['trace', '7', '--svg', '/nowhere/t.svg'], 2, /flag --svg: /],
  ] as const) {
    const answer = await runCommandLine([...words, '--admin', stand.path]);
    assert.equal(answer.code, code, words.join(' '));
    assert.match(answer.stderr, message);
  }
});

test('a ladder fits the terminal', { skip: noTerminal }, async (t) => {
  const stand = new AdminStand(t);
  const control = await stand.login();
  const asking = setInterval(
    () => void control.ask(`CWD /${'long '.repeat(20)}`, 550).catch(() => undefined),
    200,
  );
  t.after(() => {
    clearInterval(asking);
  });
  const { text, code } = await onTerminal(['trace', '1', '--admin', stand.path], [60, 24], [['550', '\x03']]);
  assert.equal(code, 0);
  for (const line of text.split('\r\n')) assert.ok(line.length <= 60, line);
});
