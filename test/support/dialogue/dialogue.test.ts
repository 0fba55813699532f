import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compareDialogues, normalise } from './compare.ts';
import { readDialogue, render } from './dialogue.ts';
import type { Dialogue } from './dialogue.ts';
import { capture, segment, wire } from './made-segments.ts';
import type { Segment } from './pcap.ts';

const client = '198.51.100.10';
const control = { address: client, port: 40_000 };

type Loose = Omit<Segment, 'at'>;

/** A control channel of `>` commands and `<` replies; each string is one segment, `\n` stands for CRLF. */
function talk(server: string, parts: readonly (string | readonly Loose[])[]): Dialogue {
  const tcp = wire(control, { address: server, port: 21 });
  const opening = tcp.open();
  const segments = parts.flatMap((part) => {
    if (typeof part !== 'string') return part;
    const text = part.slice(1).replaceAll('\n', '\r\n');
    return [part.startsWith('>') ? tcp.opener(text) : tcp.acceptor(text)];
  });
  return readDialogue(capture(...opening, ...segments));
}

function download(from: string, to: string, fromPort: number, toPort: number, content: string): Loose[] {
  const tcp = wire({ address: from, port: fromPort }, { address: to, port: toPort });
  const clientOpens = from === client;
  const [sender, receiver] = clientOpens
    ? (['acceptor', 'opener'] as const)
    : (['opener', 'acceptor'] as const);
  return [...tcp.open(), tcp[sender](content, 'fin'), tcp[receiver]('', 'fin')];
}

const direct = '10.77.0.2';
const relay = '198.51.100.1';

function passive(server: string, numbers: string, port: number, content = 'hello'): Dialogue {
  return talk(server, [
    '<220 Welcome to 10.77.0.2\n',
    '>PASV\n',
    `<227 Entering Passive Mode (${numbers}).\n`,
    '>RETR a\n',
    download(client, server, 41_000, port, content),
    '<150 Here it comes.\n',
    '<226 Done.\n',
  ]);
}

test('pairs commands with replies and puts the data channel where its transfer is', () => {
  assert.deepEqual(render(passive(direct, '10,77,0,2,117,48', 30_000)), [
    'control channel 1',
    '< 220 Welcome to 10.77.0.2',
    '> PASV',
    '< 227 Entering Passive Mode (10,77,0,2,117,48).',
    '> RETR a',
    '  data channel by PASV, client opened, established, server sent 5 bytes 2cf24dba5fb0a30e, server FIN client FIN',
    '< 150 Here it comes.',
    '< 226 Done.',
  ]);
});

test('finds nothing between dialogues that differ in addresses and ports', () => {
  const relayed = passive(relay, '198,51,100,1,195,80', 50_000);
  assert.equal(compareDialogues(passive(direct, '10,77,0,2,117,48', 30_000), relayed), '');
});

test('shows other content as a diff of the lines around it', () => {
  const difference = compareDialogues(
    passive(direct, '10,77,0,2,117,48', 30_000),
    passive(relay, '198,51,100,1,195,80', 50_000, 'jello'),
  );
  assert.match(difference, /^ > RETR a\n- {2}data channel by PASV.*\n\+ {2}data channel by PASV/m);
  assert.doesNotMatch(difference, /220/);
});

test("finds nothing in Pure-FTPd's whims", () => {
  const whim = '150-The computer is your friend. Trust the computer\n';
  const said = (line: string): Dialogue =>
    talk(direct, [
      '<220 Hi\n',
      '>RETR a\n',
      `<150-Accepted data connection\n${line}150 5 bytes\n226 Done.\n`,
    ]);
  assert.equal(compareDialogues(said(whim), said('')), '');
  assert.notEqual(compareDialogues(said('150-Another line\n'), said('')), '');
});

test('shows a reset in the place of a FIN', () => {
  const ended = (flag: 'fin' | 'rst'): Dialogue => {
    const tcp = wire({ address: client, port: 41_000 }, { address: direct, port: 30_000 });
    const data = [...tcp.open(), tcp.acceptor('hel', flag), tcp.opener('', 'fin')];
    return talk(direct, ['<220 Hi\n', '>EPSV\n', '<229 Ok (|||30000|)\n', '>RETR a\n', data, '<226 Done.\n']);
  };
  assert.match(
    compareDialogues(ended('fin'), ended('rst')),
    /server FIN client FIN\n.*server RST client FIN/,
  );
});

test('finds nothing in a reset when both sides have said FIN, and something in one before', () => {
  const ended = (...resets: ('between' | 'behind')[]): Dialogue => {
    const tcp = wire({ address: client, port: 41_000 }, { address: direct, port: 30_000 });
    const reset = (when: 'between' | 'behind'): Loose[] =>
      resets.includes(when) ? [tcp.acceptor('', 'rst')] : [];
    const fins = [tcp.acceptor('hello', 'fin'), ...reset('between'), tcp.opener('', 'fin')];
    const data = [...tcp.open(), ...fins, ...reset('behind')];
    return talk(direct, ['<220 Hi\n', '>EPSV\n', '<229 Ok (|||30000|)\n', '>RETR a\n', data, '<226 Done.\n']);
  };
  assert.equal(compareDialogues(ended(), ended('behind')), '');
  assert.notEqual(compareDialogues(ended(), ended('between')), '');
});

for (const [command, mode] of [
  ['PORT 198,51,100,10,163,40', 'PORT'],
  ['EPRT |1|198.51.100.10|41768|', 'EPRT'],
] as const) {
  test(`follows a data channel that the server opened after ${mode}`, () => {
    const data = download(direct, client, 20, 41_768, 'hello');
    const dialogue = talk(direct, [
      '<220 Hi\n',
      `>${command}\n`,
      '<200 Ok\n',
      '>RETR a\n',
      data,
      '<226 Done.\n',
    ]);
    const [channel] = dialogue.controls.flatMap(({ exchanges }) => exchanges.flatMap((each) => each.data));
    assert.equal(channel?.mode, mode);
    assert.equal(channel.openedBy, 'server');
    assert.deepEqual(dialogue.strays, []);
  });
}

test('reports a refused data connection, and a connection without an announcement', () => {
  const from = { address: client, port: 41_000 };
  const to = { address: direct, port: 30_000 };
  const refused = [segment(from, to, 1, ['syn']), segment(to, from, 0, ['rst', 'ack'])];
  const stray = download(client, direct, 41_001, 30_001, 'x');
  const dialogue = talk(direct, ['<220 Hi\n', '>EPSV\n', '<229 Ok (|||30000|)\n', [...refused, ...stray]]);
  assert.match(render(dialogue).join('\n'), /by EPSV, client opened, refused, nothing sent, server RST/);
  assert.equal(dialogue.strays[0]?.mode, 'unannounced');
});

test('pairs pipelined commands with their replies, however they overlapped', () => {
  const together = talk(direct, ['<220 Hi\n', '>TYPE I\nSIZE a\nNOOP\n', '<200 Type\n213 5\n200 Noop\n']);
  const apart = talk(direct, [
    '<220 Hi\n',
    '>TYPE I\n',
    '<200 Type\n',
    '>SIZE a\n',
    '<213 5\n',
    '>NOOP\n',
    '<200 Noop\n',
  ]);
  assert.equal(compareDialogues(together, apart), '');
  assert.equal(together.controls[0]?.exchanges[2]?.replies[0]?.text, '213 5');
});

test('reads a reply of several lines whole, also with lines that look like replies', () => {
  const dialogue = talk(direct, [
    '<220-Hello\n',
    '<227 not yours\n 220 indented\n220 Ready\n',
    '>NOOP\n',
    '<200 Ok\n',
  ]);
  const [greeting, noop] = dialogue.controls[0]?.exchanges ?? [];
  assert.equal(greeting?.replies.length, 4);
  assert.deepEqual(
    noop?.replies.map(({ text }) => text),
    ['200 Ok'],
  );
});

test('remembers endings, and whether a line came in one segment', () => {
  const tcp = wire(control, { address: direct, port: 21 });
  const segments = [
    ...tcp.open(),
    tcp.acceptor('220 H'),
    tcp.acceptor('i\r\n'),
    tcp.opener('NOOP\n'),
    tcp.opener('QUI'),
  ];
  const lines = readDialogue(capture(...segments)).controls[0]?.lines ?? [];
  assert.deepEqual(
    lines.map(({ text, ending, whole }) => ({ text, ending, whole })),
    [
      { text: '220 Hi', ending: 'CRLF', whole: false },
      { text: 'NOOP', ending: 'LF', whole: true },
      { text: 'QUI', ending: 'none', whole: false },
    ],
  );
});

test('a reply that comes out of the blue stays with the exchange before it', () => {
  const dialogue = talk(direct, ['<220 Hi\n', '>NOOP\n', '<200 Ok\n', '<421 Timeout.\n']);
  assert.deepEqual(
    dialogue.controls[0]?.exchanges.map(({ replies }) => replies.length),
    [1, 2],
  );
});

test('stops reading lines where TLS begins', () => {
  const dialogue = talk(direct, [
    '<220 Hi\n',
    '>AUTH TLS\n',
    '<234 Go\n',
    '>\x16\x03\x01\n',
    '<\x16\x03\x03\n',
  ]);
  assert.equal(dialogue.controls[0]?.tls, true);
  assert.equal(dialogue.controls[0].lines.length, 3);
});

test('throws where the capture lost bytes', () => {
  const tcp = wire(control, { address: direct, port: 21 });
  const lost = segment(control, { address: direct, port: 21 }, 1_100, ['ack'], 'x');
  assert.throws(() => readDialogue(capture(...tcp.open(), lost)), /lost bytes/);
});

const sameButForRun: readonly (readonly [string, string, string])[] = [
  ['PORT', '>PORT 198,51,100,10,163,40\n<200 Ok\n', '>PORT 198,51,100,10,1,2\n<200 Ok\n'],
  ['EPRT of IPv6', '>EPRT |2|2001:db8::1|1024|\n<200 Ok\n', '>EPRT |2|2001:db8:51::10|65535|\n<200 Ok\n'],
  ['227 without parentheses', '>PASV\n<227 =10,77,0,2,1,2\n', '>PASV\n<227 =198,51,100,1,200,2\n'],
  ['229 with another delimiter', '>EPSV\n<229 Ok (!!!1024!)\n', '>EPSV\n<229 Ok (!!!65535!)\n'],
  ['an address in a greeting', '>NOOP\n<200 lab [::ffff:10.77.0.2]\n', '>NOOP\n<200 lab [fd77::2]\n'],
  [
    'a listing date',
    '>STAT\n<213-f\n-rw-r--r-- 1 u g 5 Nov 22 22:55 a\n213 End\n',
    '>STAT\n<213-f\n-rw-r--r-- 1 u g 5 Jan  2  2020 a\n213 End\n',
  ],
  ['a file date', '>MDTM a\n<213 20261122225547\n', '>MDTM a\n<213 20200102030405\n'],
  [
    'a duration',
    '>NOOP\n<226 0.001 seconds (measured here), 1.23 Mbytes per second\n',
    '>NOOP\n<226 12.5 seconds (measured here), 9 Kbytes per second\n',
  ],
  [
    'a user count',
    '>NOOP\n<200 You are user number 1 of 50 allowed.\n',
    '>NOOP\n<200 You are user number 7 of 50 allowed.\n',
  ],
  [
    'pyftpdlib 125 and 150',
    '>RETR a\n<125 Data connection already open. Transfer starting.\n226 Done\n',
    '>RETR a\n<150 File status okay. About to open data connection.\n226 Done\n',
  ],
];

for (const [what, one, other] of sameButForRun) {
  test(`takes for equal what differs from run to run: ${what}`, () => {
    const [first, second] = [one, other].map((text) => {
      const [command = '', reply = ''] = text.split('<');
      return talk(direct, ['<220 Hi\n', command, `<${reply}`]);
    });
    assert.ok(first && second);
    assert.equal(compareDialogues(first, second), '');
  });
}

const different: readonly (readonly [string, string, string])[] = [
  ['a size', '>SIZE a\n<213 5\n', '>SIZE a\n<213 6\n'],
  ['a reply code', '>PASV\n<227 Ok (10,77,0,2,1,2)\n', '>PASV\n<425 No port\n'],
  ['the text of a 227', '>PASV\n<227 Ok (10,77,0,2,1,2)\n', '>PASV\n<227 Entering (10,77,0,2,1,2)\n'],
  ['the family of an EPRT', '>EPRT |1|10.0.0.1|1024|\n<200 Ok\n', '>EPRT |2|fd77::2|1024|\n<200 Ok\n'],
  ['a byte of a name', '>RETR \xe9\n<550 No\n', '>RETR \xc3\xa9\n<550 No\n'],
];

for (const [what, one, other] of different) {
  test(`tells apart ${what}`, () => {
    const [first, second] = [one, other].map((text) => {
      const [command = '', reply = ''] = text.split('<');
      return talk(direct, ['<220 Hi\n', command, `<${reply}`]);
    });
    assert.ok(first && second);
    assert.notEqual(compareDialogues(first, second), '');
  });
}

test('takes listings for equal that differ in dates alone', () => {
  const listed = (content: string): Dialogue => {
    const data = download(client, direct, 41_000, 30_000, content);
    return talk(direct, ['<220 Hi\n', '>EPSV\n', '<229 Ok (|||30000|)\n', '>LIST\n', data, '<226 Done.\n']);
  };
  const [one, two] = [listed('-rw 5 Nov 22 22:55 a\r\n'), listed('-rw 5 Nov 22 22:56 a\r\n')];
  assert.equal(compareDialogues(one, two), '');
  assert.notEqual(compareDialogues(one, listed('-rw 6 Nov 22 22:55 a\r\n')), '');
});

test('a dialogue that is normalised twice stays the same', () => {
  const once = normalise(passive(direct, '10,77,0,2,117,48', 30_000));
  assert.deepEqual(render(normalise(once)), render(once));
});
