import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'basic-ftp';
import { plantFiles } from '../../src/demo/file-tree.ts';
import { startFtpServer } from '../../src/demo/ftp-server.ts';
import { RawClient } from './raw-client.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));
const files = { '/pub/größe.bin': content };

function sink(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

test('basic-ftp lists, uploads, resumes, renames and removes', async (t) => {
  const server = await startFtpServer('127.0.0.2', plantFiles(files));
  t.after(() => server.close());
  const client = new Client(10_000);
  t.after(() => {
    client.close();
  });
  await client.access({ host: server.address, port: server.port, user: 'demo', password: 'demo' });
  assert.deepEqual(
    (await client.list('/pub')).map(({ name, size }) => [name, size]),
    [['größe.bin', content.length]],
  );
  const whole = sink();
  await client.downloadTo(whole.stream, '/pub/größe.bin');
  assert.ok(whole.bytes().equals(content));
  const rest = sink();
  await client.downloadTo(rest.stream, '/pub/größe.bin', 100_000);
  assert.ok(rest.bytes().equals(content.subarray(100_000)));

  await client.ensureDir('/new/deep');
  assert.equal(await client.pwd(), '/new/deep');
  await client.uploadFrom(Readable.from([content.subarray(0, 1000)]), 'x');
  await client.appendFrom(Readable.from([content.subarray(1000)]), 'x');
  await client.rename('x', 'y');
  assert.equal(await client.size('y'), content.length);
  assert.ok(Math.abs((await client.lastMod('y')).getTime() - Date.now()) < 60_000);
  const back = sink();
  await client.downloadTo(back.stream, 'y');
  assert.ok(back.bytes().equals(content));
  await client.removeDir('/new');
  assert.deepEqual(
    (await client.list('/')).map(({ name }) => name),
    ['pub'],
  );
});

const curl = spawnSync('curl', ['--version']).status === 0;

test('curl transfers in each of its modes', { skip: !curl && 'curl is not installed' }, async (t) => {
  const server = await startFtpServer('127.0.0.2', plantFiles(files));
  t.after(() => server.close());
  const url = `ftp://127.0.0.2:${server.port}`;
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('curl', ['-sS', '--max-time', '20', ...args], { encoding: 'latin1' })).stdout;
  const name = encodeURIComponent('größe.bin');
  for (const mode of [[], ['--disable-epsv'], ['-P', '-'], ['-P', '-', '--disable-eprt']]) {
    assert.equal(await run(...mode, `${url}/pub/${name}`), content.toString('latin1'), mode.join(' '));
    assert.equal(
      await run(...mode, '-C', '299000', `${url}/pub/${name}`),
      content.toString('latin1', 299_000),
    );
    assert.match(await run(...mode, `${url}/pub/`), /300000 .* gr/);
    assert.equal(await run(...mode, '-T', 'package.json', '--ftp-create-dirs', `${url}/up/load/p`), '');
  }
  assert.match(await run('-l', `${url}/up/load/`), /^p\r?\n$/);
  assert.match(await run('-I', `${url}/up/load/p`), /Content-Length: \d+/);
});

/** A listener that has said 'close' leaves the event loop at the end of the turn after. */
async function handles(): Promise<string[]> {
  await turn();
  await turn();
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^TCP|^Timeout/.test(name))
    .sort();
}

test('close cuts everything and leaves no handle', async () => {
  const before = await handles();
  const server = await startFtpServer('127.0.0.2', plantFiles({ '/large': Buffer.alloc(32 << 20) }));
  const [idle, waiting, loading] = [
    await RawClient.login(server),
    await RawClient.login(server),
    await RawClient.login(server),
  ];
  await waiting.command('EPSV');
  waiting.send('LIST\r\n');
  const data = await loading.passive();
  assert.equal(await loading.code('RETR large'), 150);
  const closed = [idle.socket, waiting.socket, loading.socket].map((socket) => once(socket, 'close'));
  await server.close();
  await Promise.all(closed);
  data.destroy();
  await once(data, 'close');
  assert.deepEqual(await handles(), before);
  await assert.rejects(RawClient.connect(server), /ECONNREFUSED/);
});

test('rejects when it cannot listen, or when the files make no tree', async () => {
  await assert.rejects(startFtpServer('192.0.2.1', plantFiles({})), /EADDRNOTAVAIL/);
  assert.throws(() => plantFiles({ '/a': '', '/a/b': '' }), /\/a: /);
});
