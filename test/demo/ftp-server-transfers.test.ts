import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { plantFiles, type FileTree } from '../../src/demo/file-tree.ts';
import { startFtpServer, type FtpServer } from '../../src/demo/ftp-server.ts';
import { dial, RawClient, readAll } from './raw-client.ts';

/** More than the kernel's buffers take, so that a transfer whose client does not read stays under way. */
const large = Buffer.alloc(32 * 1024 * 1024, 'large ');
const files = { '/readme.txt': 'one\ntwo\n', '/ten': '0123456789', '/large': large };

async function start(t: TestContext, tree: FileTree = plantFiles(files)): Promise<FtpServer> {
  const server = await startFtpServer('127.0.0.2', tree);
  t.after(() => server.close());
  return server;
}

async function login(t: TestContext, tree?: FileTree): Promise<RawClient> {
  const client = await RawClient.login(await start(t, tree));
  await client.command('TYPE I');
  return client;
}

/** A listener of the client's own, from the address that its control connection has. */
async function listen(
  t: TestContext,
  client: RawClient,
): Promise<{ port: number; accepted: Promise<Socket> }> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen({ host: client.socket.localAddress ?? '', port: 0 });
  await once(listener, 'listening');
  t.after(() => listener.close());
  const accepted = once(listener, 'connection', { signal: AbortSignal.timeout(10_000) });
  accepted.catch(() => undefined);
  const { port } = listener.address() as AddressInfo;
  return { port, accepted: accepted.then(([socket]: Socket[]) => socket ?? assert.fail()) };
}

const hostPort = (port: number): string => `127,0,0,1,${port >> 8},${port & 255}`;

test('sends and takes files byte for byte in TYPE I', async (t) => {
  const client = await login(t);
  const { bytes, code } = await client.fetch('RETR large');
  assert.equal(code, 226);
  assert.ok(bytes.equals(large));
  assert.equal(await client.put('STOR copy', large), 226);
  assert.ok((await client.fetch('RETR copy')).bytes.equals(large));
});

test('converts line ends in TYPE A both ways, and SIZE tells the bytes on the wire', async (t) => {
  const client = await login(t);
  assert.equal(await client.command('SIZE readme.txt'), '213 8');
  await client.command('TYPE A');
  assert.equal(await client.command('SIZE readme.txt'), '213 10');
  assert.equal((await client.fetch('RETR readme.txt')).bytes.toString(), 'one\r\ntwo\r\n');
  assert.equal(await client.put('STOR x', 'a\r\nb\rc\r'), 226);
  await client.command('REST 4');
  assert.equal((await client.fetch('RETR readme.txt')).bytes.toString(), '\ntwo\r\n');
  assert.equal(await client.code('REST 1'), 350);
  assert.equal(await client.code('STOR x'), 554);
  await client.command('TYPE I');
  assert.equal((await client.fetch('RETR x')).bytes.toString(), 'a\nb\rc\r');
});

test('resumes downloads and uploads where REST says, once', async (t) => {
  const client = await login(t);
  assert.equal(await client.code('REST 7'), 350);
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '789');
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '0123456789');
  assert.equal(await client.code('REST 10'), 350);
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '');
  assert.equal(await client.code('REST 11'), 350);
  assert.equal(await client.code('RETR ten'), 554);
  assert.equal(await client.code('REST 11'), 350);
  assert.equal(await client.code('STOR ten'), 554);
  await client.command('REST 4');
  assert.equal(await client.put('STOR ten', 'abc'), 226);
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '0123abc');
  await client.command('REST 4');
  await client.command('PWD');
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '0123abc');
});

test('appends to a file, and makes it when there is none', async (t) => {
  const client = await login(t);
  assert.equal(await client.put('APPE new', 'ab'), 226);
  assert.equal(await client.put('APPE new', 'cd'), 226);
  assert.equal((await client.fetch('RETR new')).bytes.toString(), 'abcd');
});

test('dials where PORT and EPRT say, from its own address', async (t) => {
  const client = await login(t);
  for (const form of [
    (port: number) => `PORT ${hostPort(port)}`,
    (port: number) => `EPRT |1|127.0.0.1|${port}|`,
  ]) {
    const { port, accepted } = await listen(t, client);
    assert.equal(await client.code(form(port)), 200);
    assert.equal(await client.code('RETR ten'), 150);
    const data = await accepted;
    assert.equal(data.remoteAddress, '127.0.0.2');
    assert.equal((await readAll(data)).toString(), '0123456789');
    assert.match(await client.reply(), /^226 /);
    assert.equal(await client.code('RETR ten'), 425);
  }
});

test('answers 425 when nobody listens where PORT said', async (t) => {
  const client = await login(t);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  assert.equal(await client.code(`PORT ${hostPort(port)}`), 200);
  assert.equal(await client.code('RETR ten'), 425);
});

test('refuses a PORT or EPRT that names another host, a low port or nonsense', async (t) => {
  const client = await login(t);
  const refused: [string, number][] = [
    ['PORT 127,0,0,3,200,1', 500],
    ['PORT 127,0,0,1,3,255', 500],
    ['PORT 127,0,0,1,0,0', 501],
    ['PORT 127,0,0,1,256,1', 501],
    ['PORT 127,0,0,1,200', 501],
    ['PORT 127,0,0,1,200,1,1', 501],
    ['PORT', 501],
    ['EPRT |1|127.0.0.3|6000|', 500],
    ['EPRT |1|127.0.0.1|1023|', 500],
    ['EPRT |1|127.0.0.1||', 501],
    ['EPRT |2|::1|6000|', 522],
    ['EPRT |3|127.0.0.1|6000|', 522],
    ['EPRT', 501],
  ];
  for (const [line, code] of refused) {
    assert.equal(await client.code(line), code, line);
    assert.equal(await client.code('RETR ten'), 425, line);
  }
});

test('answers EPSV for its own protocol, and after EPSV ALL serves nothing else', async (t) => {
  const client = await login(t);
  assert.match(await client.command('EPSV'), /^229 .*\(\|\|\|\d+\|\)$/);
  assert.equal(await client.code('EPSV 1'), 229);
  assert.equal(await client.command('EPSV 2'), '522 Network protocol not supported, use (1)');
  assert.equal(await client.code('EPSV 9'), 522);
  assert.equal(await client.code('EPSV x'), 501);
  assert.equal(await client.code('EPSV ALL'), 200);
  for (const line of ['PASV', 'PORT 127,0,0,1,200,1', 'EPRT |1|127.0.0.1|6000|']) {
    assert.equal(await client.code(line), 501, line);
  }
  assert.equal((await client.fetch('RETR ten')).code, 226);
});

test('announces in 227 the address that the client reached', async (t) => {
  const client = await login(t);
  const [, high, low] = /^227 .*\(127,0,0,2,(\d+),(\d+)\)$/.exec(await client.command('PASV')) ?? [];
  const data = await dial({ host: '127.0.0.2', port: Number(high) * 256 + Number(low), allowHalfOpen: true });
  assert.equal(await client.code('RETR ten'), 150);
  assert.equal((await readAll(data)).toString(), '0123456789');
  assert.match(await client.reply(), /^226 /);
});

test('serves IPv6 with EPSV and EPRT, and refuses PASV there', async (t) => {
  const server = await startFtpServer('::1', plantFiles(files));
  t.after(() => server.close());
  const client = await RawClient.login(server);
  assert.equal(await client.code('PASV'), 425);
  assert.equal(await client.code('EPSV 1'), 522);
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '0123456789');
  const { port, accepted } = await listen(t, client);
  assert.equal(await client.code(`EPRT |1|127.0.0.1|${port}|`), 522);
  assert.equal(await client.code(`EPRT |2|0:0::1|${port}|`), 200);
  assert.equal(await client.code('RETR ten'), 150);
  assert.equal((await readAll(await accepted)).toString(), '0123456789');
  assert.match(await client.reply(), /^226 /);
});

test('lets no stranger take a data connection, and waits on for its client', async (t) => {
  const client = await login(t);
  const [, port] = /(\d+)\|\)$/.exec(await client.command('EPSV')) ?? [];
  client.send('RETR ten\r\n');
  // The reset may come before the stranger's program has heard of its connection.
  const stranger = dial({ host: '127.0.0.2', port: Number(port), localAddress: '127.0.0.3' }).then(readAll);
  await assert.rejects(stranger, /reset/i);
  const data = await dial({ host: '127.0.0.2', port: Number(port), allowHalfOpen: true });
  const bytes = readAll(data);
  assert.match(await client.reply(), /^150 /);
  assert.equal((await bytes).toString(), '0123456789');
  assert.match(await client.reply(), /^226 /);
  await assert.rejects(dial({ host: '127.0.0.2', port: Number(port) }), /ECONNREFUSED/);
});

test('closes a waiting data connection when its transfer is refused, replaced or given up', async (t) => {
  const client = await login(t);
  for (const line of ['RETR none', 'STOR none/x', 'LIST none', 'EPSV', 'ABOR', 'REIN']) {
    const bytes = readAll(await client.passive());
    await client.command(line);
    assert.equal((await bytes).length, 0, line);
  }
});

test('ABOR cuts a download: 426, then 226, and a reset on the data connection', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('RETR large'), 150);
  client.send('NOOP\r\n\xff\xf4\xff\xf2ABOR\r\n');
  const replies = [await client.reply(), await client.reply(), await client.reply()];
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 3)),
    ['426', '200', '226'],
  );
  await assert.rejects(readAll(data), /reset/);
  assert.equal((await client.fetch('RETR ten')).code, 226);
});

test('ABOR cuts an upload, and what was there before stays', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('STOR ten'), 150);
  data.write('abc');
  assert.match(await client.command('ABOR'), /^426 /);
  assert.match(await client.reply(), /^226 /);
  assert.equal((await client.fetch('RETR ten')).bytes.toString(), '0123456789');
});

test('ABOR ends the wait for a data connection', async (t) => {
  const client = await login(t);
  await client.command('EPSV');
  client.send('RETR ten\r\nABOR\r\n');
  assert.match(await client.reply(), /^426 /);
  assert.match(await client.reply(), /^226 /);
});

test('STAT is answered in the middle of a transfer, other commands after it', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('RETR large'), 150);
  assert.match(await client.command('STAT'), /\r\n RETR in progress: \d+ bytes\r\n211 /);
  assert.equal(await client.code('STAT ten'), 213);
  client.send('NOOP\r\nSTAT\r\n');
  assert.equal((await readAll(data)).length, large.length);
  const replies = [await client.reply(), await client.reply(), await client.reply()];
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 3)),
    ['226', '200', '211'],
  );
  assert.match(replies[2] ?? '', /No transfer in progress/);
});

test('QUIT in the middle of a transfer lets it finish', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('RETR large'), 150);
  client.socket.end('QUIT\r\n');
  assert.equal((await readAll(data)).length, large.length);
  assert.match(await client.reply(), /^226 /);
  assert.match(await client.reply(), /^221 /);
});

test('a control connection that ends without QUIT aborts its transfer', async (t) => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const server = await start(t);
    const client = await RawClient.login(server);
    const data = await client.passive();
    assert.equal(await client.code('STOR x'), 150);
    data.write('abc');
    client.socket[end]();
    await assert.rejects(readAll(data), /reset/);
    assert.equal(await (await RawClient.login(server)).code('SIZE x'), 550);
  }
});

test('a reset of an upload is answered with 426 and leaves no file', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('STOR x'), 150);
  data.write('abc', () => data.resetAndDestroy());
  assert.match(await client.reply(), /^426 /);
  assert.equal(await client.code('SIZE x'), 550);
});

test('a reset of a download is answered with 426', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  assert.equal(await client.code('RETR large'), 150);
  data.resetAndDestroy();
  assert.match(await client.reply(), /^426 /);
});

test('goes on with a download after the client has half-closed its side', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  data.end();
  assert.equal(await client.code('RETR large'), 150);
  assert.equal((await readAll(data)).length, large.length);
  assert.match(await client.reply(), /^226 /);
});

test('takes an upload whose bytes and end came before its command', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  data.end('early');
  await once(data, 'finish');
  data.resume();
  assert.equal(await client.code('STOR x'), 150);
  assert.match(await client.reply(), /^226 /);
  assert.equal((await client.fetch('RETR x')).bytes.toString(), 'early');
});

test('runs pipelined transfers in order', async (t) => {
  const client = await login(t);
  const data = await client.passive();
  client.send('RETR ten\r\nSIZE ten\r\nEPSV\r\nSTOR x\r\n');
  assert.equal((await readAll(data)).toString(), '0123456789');
  const replies = [await client.reply(), await client.reply(), await client.reply(), await client.reply()];
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 3)),
    ['150', '226', '213', '229'],
  );
  const [, port] = /(\d+)\|\)$/.exec(replies[3] ?? '') ?? [];
  const upload = await dial({ host: '127.0.0.2', port: Number(port) });
  upload.end('x');
  assert.match(await client.reply(), /^150 /);
  assert.match(await client.reply(), /^226 /);
});

test('keeps under its cap: 552 for what does not fit, 452 when nothing does', async (t) => {
  const client = await login(t, plantFiles({ '/a': '12345678' }, 16));
  assert.equal(await client.put('STOR b', 'x'.repeat(9)), 552);
  assert.equal(await client.code('SIZE b'), 550);
  assert.equal(await client.put('STOR b', 'x'.repeat(8)), 226);
  const data = await client.passive();
  assert.equal(await client.code('STOR c'), 452);
  data.destroy();
  assert.equal(await client.code('DELE a'), 250);
  assert.equal(await client.put('STOR c', 'x'.repeat(8)), 226);
});

test('answers 550 when the directory of an upload goes away meanwhile', async (t) => {
  const server = await start(t);
  const [client, other] = [await RawClient.login(server), await RawClient.login(server)];
  await client.command('MKD d');
  const data = await client.passive();
  assert.equal(await client.code('STOR d/x'), 150);
  assert.equal(await other.code('RMD d'), 250);
  data.end('x');
  assert.match(await client.reply(), /^550 /);
});

test('sends the version of a file with which a download began', async (t) => {
  const server = await start(t);
  const [client, other] = [await RawClient.login(server), await RawClient.login(server)];
  await client.command('TYPE I');
  const data = await client.passive();
  assert.equal(await client.code('RETR large'), 150);
  assert.equal(await other.put('STOR large', 'short'), 226);
  assert.ok((await readAll(data)).equals(large));
});
