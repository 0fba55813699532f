import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { plantFiles } from '../../src/demo/file-tree.ts';
import { startFtpServer, type FtpServer } from '../../src/demo/ftp-server.ts';
import { RawClient } from './raw-client.ts';

const files = { '/readme.txt': 'one\ntwo\n', '/pub/a.bin': Buffer.from([0, 1, 2, 3]), '/empty/': '' };

async function start(t: TestContext): Promise<FtpServer> {
  const server = await startFtpServer('127.0.0.2', plantFiles(files));
  t.after(() => server.close());
  return server;
}

/** Sends each line and compares the reply's code. */
async function codes(client: RawClient, dialogue: readonly (readonly [string, number])[]): Promise<void> {
  for (const [line, code] of dialogue) assert.equal(await client.code(line), code, line);
}

test('serves before login only what a client needs to log in', async (t) => {
  const client = await RawClient.connect(await start(t));
  await codes(client, [
    ['NOOP', 200],
    ['SYST', 215],
    ['FEAT', 211],
    ['HELP', 214],
    ['OPTS UTF8 ON', 200],
    ['AUTH TLS', 502],
    ['PBSZ 0', 502],
    ['FOO', 500],
    ['PASS x', 503],
  ]);
  const others =
    'ALLO REST REIN STAT TYPE MODE STRU PASV EPSV PORT EPRT CWD CDUP PWD MKD RMD DELE RNFR RNTO SIZE';
  for (const verb of `${others} MDTM MLST MLSD LIST NLST RETR STOR APPE ABOR XPWD`.split(' ')) {
    assert.equal(await client.code(`${verb} x`), 530, verb);
  }
  assert.equal(await client.code('QUIT'), 221);
  await client.close();
});

test('logs in the guest with any password and a user with the right one', async (t) => {
  const client = await RawClient.connect(await start(t));
  await codes(client, [
    ['USER', 501],
    ['USER demo', 331],
    ['PASS wrong', 530],
    ['PASS demo', 503],
    ['USER nobody', 331],
    ['PASS', 530],
    ['USER demo', 331],
    ['PASS demo', 230],
    ['PASS demo', 503],
    ['PWD', 257],
    ['USER anonymous', 331],
    ['PWD', 530],
    ['PASS', 230],
    ['REIN', 220],
    ['PWD', 530],
  ]);
});

test('answers the parameter commands with the codes of the RFC', async (t) => {
  const client = await RawClient.login(await start(t));
  await codes(client, [
    ['TYPE', 501],
    ['TYPE A', 200],
    ['type a n', 200],
    ['TYPE I', 200],
    ['TYPE L 8', 200],
    ['TYPE L 7', 504],
    ['TYPE A T', 504],
    ['TYPE E', 504],
    ['TYPE X', 501],
    ['MODE S', 200],
    ['MODE B', 504],
    ['MODE X', 501],
    ['STRU F', 200],
    ['STRU R', 504],
    ['STRU X', 501],
    ['ALLO 10', 202],
    ['ALLO 10 R 5', 202],
    ['ALLO x', 501],
    ['REST 0', 350],
    ['REST -1', 501],
    ['REST', 501],
    ['HELP RETR', 214],
    ['HELP FOO', 501],
    ['OPTS UTF8 OFF', 501],
    ['OPTS', 501],
    ['NOOP x', 501],
    ['PASV x', 501],
    ['ABOR', 226],
    ['LANG en', 502],
    ['SITE HELP', 502],
    ['ACCT x', 502],
    ['STOU', 502],
  ]);
});

test('lists its features, and the facts of a file', async (t) => {
  const client = await RawClient.login(await start(t));
  const features = [
    'EPRT',
    'EPSV',
    'MDTM',
    'MLST type*;size*;modify*;perm*;unique*;',
    'REST STREAM',
    'SIZE',
    'TVFS',
    'UTF8',
  ];
  const feat = await client.command('FEAT');
  assert.deepEqual(feat.split('\r\n'), ['211-Features:', ...features.map((line) => ` ${line}`), '211 End']);
  assert.match(
    await client.command('MLST readme.txt'),
    /\r\n type=file;size=8;modify=\d{14};perm=adfrw;unique=\d+; \/readme.txt\r\n250 End$/,
  );
});

test('answers the file commands with the codes of the RFC', async (t) => {
  const client = await RawClient.login(await start(t));
  await codes(client, [
    ['CWD none', 550],
    ['CWD readme.txt', 550],
    ['CWD pub', 250],
    ['CDUP', 250],
    ['CDUP', 250],
    ['MKD pub', 550],
    ['MKD none/x', 550],
    ['MKD d', 257],
    ['RMD pub', 550],
    ['RMD d', 250],
    ['RMD d', 550],
    ['DELE pub', 550],
    ['DELE none', 550],
    ['SIZE pub', 550],
    ['SIZE none', 550],
    ['MDTM none', 550],
    ['MDTM readme.txt', 213],
    ['MLST none', 550],
    ['RNTO x', 503],
    ['RNFR none', 550],
    ['RNFR readme.txt', 350],
    ['NOOP', 200],
    ['RNTO x', 503],
    ['RNFR readme.txt', 350],
    ['RNTO none/x', 553],
    ['RNFR readme.txt', 350],
    ['RNTO pub/x', 250],
    ['SIZE pub/x', 213],
    ['DELE pub/x', 250],
    ['STAT none', 450],
    ['RETR none', 550],
    ['RETR pub', 550],
    ['STOR pub', 553],
    ['STOR none/x', 553],
    ['LIST none', 450],
    ['NLST none', 450],
    ['MLSD none', 550],
    ['MLSD pub/a.bin', 501],
    ['RETR pub/a.bin', 425],
    ['STOR x', 425],
    ['LIST', 425],
  ]);
});

test('keeps names byte for byte, and doubles quotes and FF in replies', async (t) => {
  const client = await RawClient.login(await start(t));
  assert.equal(await client.command('MKD a"b \xc3\xa9\xff\xff '), '257 "/a""b \xc3\xa9\xff\xff " created');
  assert.equal(await client.code('CWD a"b \xc3\xa9\xff\xff '), 250);
  assert.equal(await client.command('PWD'), '257 "/a""b \xc3\xa9\xff\xff " is the current directory');
  const { bytes } = await client.fetch('NLST /');
  assert.equal(bytes.toString('latin1'), '/a"b \xc3\xa9\xff \r\n/empty\r\n/pub\r\n/readme.txt\r\n');
});

test('lists in all its forms, and passes over the flags of ls', async (t) => {
  const client = await RawClient.login(await start(t));
  const text = async (line: string): Promise<string> => (await client.fetch(line)).bytes.toString();
  assert.match(await text('LIST -la pub'), /^-rw-r--r-- +1 ftp +ftp +4 \w{3} \d\d \d\d:\d\d a\.bin\r\n$/);
  assert.match(await text('LIST'), /^drwx.* empty\r\ndrwx.* pub\r\n-rw.* readme.txt\r\n$/);
  assert.equal(await text('LIST empty'), '');
  assert.equal(await text('NLST'), 'empty\r\npub\r\nreadme.txt\r\n');
  assert.equal(await text('NLST -a'), 'empty\r\npub\r\nreadme.txt\r\n');
  assert.equal(await text('NLST pub'), 'pub/a.bin\r\n');
  assert.equal(await text('NLST readme.txt'), 'readme.txt\r\n');
  assert.match(await text('MLSD'), /^type=dir;modify=\d{14};perm=cdeflmp;unique=\d+; empty\r\n/);
  assert.match(await text('MLSD pub'), /^type=file;size=4;modify=\d{14};perm=adfrw;unique=\d+; a.bin\r\n$/);
  assert.match(await client.command('STAT pub'), /^212-.*\r\n-rw.* a\.bin\r\n212 /);
  assert.match(await client.command('STAT readme.txt'), /^213-.*\r\n-rw.* readme.txt\r\n213 /);
  assert.match(await client.command('STAT'), /^211-.*\r\n[^]*No transfer in progress\r\n211 /);
});

test('answers pipelined commands in order, however they are cut', async (t) => {
  const server = await start(t);
  const pipeline =
    'USER demo\r\nPASS demo\r\nTYPE I\r\nSIZE readme.txt\r\nFOO\r\nMKD x\r\nCWD x\r\nPWD\r\nQUIT\r\n';
  for (const pieces of [[pipeline], pipeline.split('')]) {
    const client = await RawClient.connect(server);
    for (const piece of pieces) client.send(piece);
    const replies = [];
    for (let count = 0; count < 9; count++) replies.push((await client.reply()).slice(0, 3));
    const mkd = pieces.length === 1 ? '257' : '550';
    assert.deepEqual(replies, ['331', '230', '200', '213', '500', mkd, '250', '257', '221']);
    await client.close();
  }
});

test('answers everything that came before a half-close', async (t) => {
  const client = await RawClient.connect(await start(t));
  client.socket.end('USER demo\r\nPASS demo\r\nPWD\r\n');
  for (const code of ['331', '230', '257']) assert.equal((await client.reply()).slice(0, 3), code);
  await assert.rejects(client.reply(), /connection ended after ""/);
});

test('answers a line that is too long, NUL and what is no command with 500, and goes on', async (t) => {
  const client = await RawClient.connect(await start(t));
  await codes(client, [
    ['x'.repeat(1 << 20), 500],
    ['NOOP\0', 500],
    ['CWD a\rb', 500],
    ['123', 500],
    ['', 500],
    ['GET / HTTP/1.1', 500],
    ['NOOP', 200],
  ]);
});
