/**
 * What happens when something breaks: a server, a client, a path, this host's descriptors, its disk, its nftables, its
 * clock, and the relay itself. On both planes, with a real server; what a client or a server takes for a whole file is
 * one, and nothing is left behind.
 *
 * TEST_SEED has the random moments of an earlier run again.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { runClient } from '../support/lab/clients.ts';
import { connectFrom, ControlConnection } from '../support/lab/control-connection.ts';
import {
  contentOf,
  leftovers,
  processesOf,
  startTransfers,
  whatStays,
  type Outcome,
  type TransferKind,
  type Transfers,
  type TransfersOptions,
} from '../support/lab/faults.ts';
import { addresses, createNetwork, isAlive, type Network } from '../support/lab/network.ts';
import type { LabProcess } from '../support/lab/process.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli, startRelay, type LabRelay, type RelayOptions } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

type Plane = 'relay' | 'kernel';
const planes: readonly Plane[] = ['relay', 'kernel'];
const missing = await requirements();
const seed = process.env['TEST_SEED'] ?? String(Date.now());
const kills = 4;

/** More than the systems on the way take in: in the middle of it, it is nowhere whole but where it comes from. */
const size = 2_000_000;
const smallBuffers = ['tcp_rmem', 'tcp_wmem'].map(
  (name) => `echo "4096 65536 131072" > /proc/sys/net/ipv4/${name}`,
);
/**
 * To the server all sessions come from the relay's address, and vsftpd allows 50 from one. While it waits for a data
 * connection it does not see that its session is over.
 */
const extra = ['max_per_ip=0', 'accept_timeout=3'];
/** As a gateway has one: with the last rule of NAT the kernel would forget to translate what is open. */
const ownTable = `table inet gateway {
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain input { type nat hook input priority 100; }
  chain output { type nat hook output priority -100; }
  chain postrouting { type nat hook postrouting priority srcnat; oifname "none" masquerade; }
}
`;
const both = (...kinds: readonly TransferKind[]): TransfersOptions['sessions'] =>
  kinds.flatMap((kind) => (['passive', 'active'] as const).map((mode) => [mode, kind] as const));

interface Spoiled {
  readonly t: TestContext;
  readonly network: Network;
  readonly pid: number;
  readonly onGateway: (argv: readonly string[], input?: string) => Promise<string>;
  readonly output: () => string;
}

/** Why nftables refuses -> what makes it, which returns what undoes that. */
const refusals: Readonly<Record<string, (spoiled: Spoiled) => Promise<() => Promise<unknown>>>> = {
  'a set is full': async ({ onGateway }) => {
    const others = Array.from({ length: 65_536 }, (_, n) => `192.0.2.1 . 10.0.${n >> 8}.${n & 255} . 1`);
    await onGateway(['nft', '-f', '-'], `add element inet pinhole expect4 { ${others.join(', ')} }\n`);
    return () => onGateway(['nft', 'flush', 'set', 'inet', 'pinhole', 'expect4']);
  },
  'another process owns the table': async ({ t, network, onGateway }) => {
    await onGateway(['nft', 'delete', 'table', 'inet', 'pinhole']);
    // A table with an owner is nobody else's to change, and is gone with its owner.
    const owner = network.spawn('gateway', ['nft', '-i'], { interactive: true });
    owner.write('add table inet pinhole { flags owner; }\nlist tables\n');
    await owner.waitForOutput(/^table inet pinhole/m);
    t.after(() => owner.stop());
    return () => owner.stop();
  },
  'the kernel has no buffer for what it is told (ENOBUFS)': async ({ t, network, pid }) => {
    const failing = ['sendto', 'sendmsg'].join();
    const inject = ['-e', `trace=${failing}`, '-e', `inject=${failing}:error=ENOBUFS`];
    const tracer = network.spawn('gateway', ['strace', '-p', String(pid), ...inject]);
    t.after(() => tracer.stop());
    await until(() => tracer.stderr().includes('attached'));
    return () => tracer.stop();
  },
  'the capability is gone': async ({ pid, output }) => {
    const turn = async (word: string): Promise<void> => {
      process.kill(pid, 'SIGUSR2');
      await until(() => output().includes(`CAP_NET_ADMIN ${word}\n`));
    };
    await turn('taken');
    return () => turn('given');
  },
};

/** The flag of Node that runs a module before the program. */
function preload(source: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

/** A clock that goes by what a file says, read at SIGUSR2: ms before or behind the true time. */
function clock(file: string): string {
  return `
import { readFileSync } from 'node:fs';
const { now } = Date;
let shift = 0;
Date.now = () => now() + shift;
process.on('SIGUSR2', () => {
  shift = Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
  process.stderr.write('clock shifted ' + shift + '\\n');
});
`;
}

/** Takes CAP_NET_ADMIN from the thread that asks nftables, at SIGUSR2, and gives it back at the next. */
const capabilities = `
import { createRequire } from 'node:module';
const libc = createRequire(${JSON.stringify(import.meta.url)})('koffi').load('libc.so.6');
const get = libc.func('int capget(void *, void *)');
const set = libc.func('int capset(void *, const void *)');
// linux/capability.h: version 3, this thread; then effective, permitted, inheritable, twice.
const header = Buffer.alloc(8);
header.writeUInt32LE(0x20080522);
const netAdmin = 1 << 12;
let isTaken = false;
process.on('SIGUSR2', () => {
  const data = Buffer.alloc(24);
  get(header, data);
  isTaken = !isTaken;
  const effective = data.readUInt32LE(0);
  data.writeUInt32LE((isTaken ? effective & ~netAdmin : effective | netAdmin) >>> 0);
  if (set(header, data) === 0) process.stderr.write('CAP_NET_ADMIN ' + (isTaken ? 'taken' : 'given') + '\\n');
});
`;

/** Sixty sessions, one after the other, of which those that get in stay until a line comes. */
const manySessions = `
import json, socket, sys
host, user, password = sys.argv[1:]

class Ended(Exception):
    pass

def reply(stream):
    while True:
        line = stream.readline()
        if not line:
            raise Ended
        if line[:3].isdigit() and line[3:4] == b' ':
            return line[:3].decode()

def say(stream, line):
    stream.write(line.encode() + b'\\r\\n')
    stream.flush()
    return reply(stream)

inside = []
def begin():
    try:
        connection = socket.create_connection((host, 21), 30)
        stream = connection.makefile('rwb')
        for code in (reply(stream), say(stream, 'USER ' + user), say(stream, 'PASS ' + password)):
            if code[0] not in '23':
                return code
        inside.append((connection, stream))
        return 'in'
    except TimeoutError:
        return 'silent'
    except (OSError, Ended):
        return 'refused'

print('came', json.dumps([begin() for _ in range(60)]))
print('said', json.dumps([[say(stream, 'NOOP'), say(stream, 'PASV')] for _, stream in inside[:5]]))
sys.stdin.readline()
`;

describe('when something breaks', { concurrency: planes.length }, () => {
  for (const plane of planes) {
    describe(`on the ${plane} plane`, { concurrency: 1 }, () => {
      withFaults(plane);
    });
  }
});

function withFaults(plane: Plane): void {
  let made: Network | undefined;
  let running: LabServer | undefined;
  let relay: LabRelay | undefined;
  let begun: Transfers[] = [];
  const network = (): Network => made ?? assert.fail('no network');
  const server = (): LabServer => running ?? assert.fail('no server');

  before(async () => {
    if (missing.length > 0) return;
    made = await createNetwork({ forwarding: true, paths: ['public', 'inside'] });
    for (const host of ['client', 'stranger', 'gateway', 'server'] as const) {
      await made.must(host, ['sh', '-ec', smallBuffers.join('\n')]);
    }
    await onGateway(['nft', '-f', '-'], ownTable);
    running = await startServer(made, 'vsftpd', { extra });
  });
  afterEach(async () => {
    // What a test that failed has left is not to be the next one's.
    await Promise.all([...begun.map((each) => each.stop()), relay?.stop('SIGKILL')]);
    begun = [];
    relay = undefined;
    for (const which of ['public', 'inside'] as const) await made?.setPath(which, {});
  });
  after(() => made?.dispose());

  const start = async (options: RelayOptions = {}): Promise<LabRelay> => {
    const flags = ['--plane', plane, ...(options.flags ?? [])];
    relay = await startRelay(network(), { ...options, flags });
    return relay;
  };
  const transfers = (options: Partial<TransfersOptions> & Pick<TransfersOptions, 'name'>): Transfers => {
    const all = { size, sessions: both('download', 'upload'), ...options };
    const started = startTransfers(network(), server(), all);
    begun.push(started);
    return started;
  };
  const nothingIsLeft = async (options: Parameters<typeof whatStays>[1] = {}): Promise<void> => {
    const left = await whatStays(network(), options);
    assert.equal(left.length, 0, `${left.join('\n')}\n${(relay?.output() ?? '').slice(-4000)}`);
  };
  const onGateway = (argv: readonly string[], input?: string): Promise<string> =>
    network().must('gateway', argv, input === undefined ? {} : { input });
  /** But the gateway's own. */
  const tables = async (): Promise<string> =>
    (await onGateway(['nft', 'list', 'tables'])).replace(/^table inet gateway\n/m, '').trim();
  const login = (): Promise<ControlConnection> => ControlConnection.login(network(), server());

  /** Downloads with curl in both modes. */
  const serves = async (): Promise<void> => {
    const { user, password } = server();
    const remote = 'served-100000';
    server().put(remote, contentOf(remote));
    for (const mode of ['passive', 'active'] as const) {
      const local = join(network().folder, `served-${mode}`);
      writeFileSync(local, '');
      const to = { address: addresses[4].public, user, password, mode };
      const { ok, output } = await runClient(network(), 'curl', {
        ...to,
        operation: 'download',
        remote,
        local,
      });
      assert.ok(ok, output + (relay?.output() ?? ''));
      assert.ok(readFileSync(local).equals(contentOf(remote)));
    }
  };
  /** Ends it as a service manager does. */
  const endsWell = async (): Promise<void> => {
    assert.deepEqual(await relay?.stop(), { code: 0, signal: null });
    assert.equal(await tables(), '');
  };
  const isWhole = (outcome: Outcome): void => {
    const words = JSON.stringify(outcome);
    assert.equal(outcome.reply, '226', words);
    if (outcome.kind === 'download') assert.ok(outcome.same && outcome.data === 'fin', words);
    else assert.ok(server().read(outcome.name).equals(contentOf(outcome.name)), words);
  };

  test('of a server that is killed in the middle of transfers no client hears that they are complete, and the next one is served', async (t) => {
    if (skipOrFail(t, missing)) return;
    await start();
    const disturbed = transfers({ name: 'server-killed' });
    await disturbed.half();
    for (const pid of await processesOf(network(), 'server')) process.kill(pid, 'SIGKILL');
    disturbed.goOn();
    const outcomes = await disturbed.ended();
    assert.equal(outcomes.length, 4);
    for (const outcome of outcomes)
      assert.ok(['fin', 'reset', '421'].includes(outcome.reply), JSON.stringify(outcome));
    await nothingIsLeft({ serverProcesses: 0 });
    running = await startServer(network(), 'vsftpd', { extra });
    await serves();
    await endsWell();
  });

  test('a client that is killed in the middle leaves nothing behind, the server has what was sent, and others go on', async (t) => {
    if (skipOrFail(t, missing)) return;
    await start();
    const from = server().log().length;
    const disturbed = transfers({ name: 'client-killed' });
    const others = transfers({ name: 'others' });
    await Promise.all([disturbed.half(), others.half()]);
    await disturbed.stop('SIGKILL');
    others.goOn();
    const outcomes = await others.ended();
    assert.equal(outcomes.length, 4);
    for (const outcome of outcomes) isWhole(outcome);
    await nothingIsLeft();
    const log = server().log().slice(from);
    assert.equal(named(log, /FAIL DOWNLOAD: .*"\/down-/g).length, 2, log);
    const uploads = named(log, /STOR (client-killed-[\d-]+)/g);
    assert.equal(uploads.length, 2);
    for (const [, name = ''] of uploads) {
      const stored = server().read(name);
      // The system of a killed client sends what that had handed over, and FIN.
      assert.ok(stored.length >= size / 2 && stored.length < size, `${stored.length} bytes`);
      assert.ok(stored.equals(contentOf(name).subarray(0, stored.length)));
    }
    await endsWell();
  });

  test('the server does not take an upload that its client resets for complete', async (t) => {
    if (skipOrFail(t, missing)) return;
    await start();
    const disturbed = transfers({ name: 'reset', sessions: both('reset') });
    await disturbed.half();
    disturbed.goOn();
    assert.equal((await disturbed.ended()).filter(({ reply }) => reply === '226').length, 0);
    await nothingIsLeft();
    const log = server().log();
    assert.equal(named(log, /FAIL UPLOAD: .*"\/reset-/g).length, 2, log);
    assert.doesNotMatch(log, /OK UPLOAD: .*"\/reset-/);
    await endsWell();
  });

  for (const which of ['public', 'inside'] as const) {
    test(`transfers are whole after the ${which} path was cut in their middle`, async (t) => {
      if (skipOrFail(t, missing)) return;
      await start();
      const disturbed = transfers({ name: `cut-${which}` });
      await disturbed.half();
      await network().setPath(which, { down: true });
      disturbed.goOn();
      // So long that each has something to say again.
      await delay(1000);
      assert.deepEqual(disturbed.outcomes(), []);
      await network().setPath(which, {});
      const outcomes = await disturbed.ended();
      assert.equal(outcomes.length, 4);
      for (const outcome of outcomes) isWhole(outcome);
      await nothingIsLeft();
      await endsWell();
    });
  }

  test('without descriptors each new session has an answer or a refusal, those that are there go on, and later ones are served', async (t) => {
    if (skipOrFail(t, missing)) return;
    const { pid } = await start({ through: ['prlimit', '--nofile=128:128'] });
    const others = transfers({ name: 'few-descriptors' });
    await others.half();
    const { user, password } = server();
    const crowd = network().spawn(
      'client',
      [debianPython, '-u', '-c', manySessions, addresses[4].public, user, password],
      { interactive: true },
    );
    t.after(() => crowd.stop('SIGKILL'));
    const [, text = ''] = await crowd.waitForOutput(/^came (.*)$/m, 60_000);
    const answers = JSON.parse(text) as string[];
    const of = (...kinds: readonly string[]): number => answers.filter((each) => kinds.includes(each)).length;
    assert.ok(of('in') > 0 && of('421', 'refused') > 0, text);
    assert.equal(of('in', '421', 'refused'), answers.length, text);
    const [, said = ''] = await crowd.waitForOutput(/^said (.*)$/m, 60_000);
    for (const [noop, pasv] of JSON.parse(said) as string[][]) {
      assert.equal(noop, '200', said);
      assert.match(pasv ?? '', /^(227|4\d\d)$/, said);
    }
    others.goOn();
    const outcomes = await others.ended();
    assert.equal(outcomes.length, 4);
    for (const outcome of outcomes) isWhole(outcome);
    crowd.write('leave\n');
    await crowd.exited;
    await nothingIsLeft();
    assert.ok(isAlive(pid));
    await serves();
    await endsWell();
  });

  test('serves on where the disk of its log is full, and ends well', async (t) => {
    if (skipOrFail(t, missing)) return;
    const logging = await startLogging('/dev/full');
    await serves();
    assert.ok(isAlive(logging.pid), logging.stderr());
    assert.deepEqual(await logging.stop(), { code: 0, signal: null }, logging.stderr());
    assert.equal(await tables(), '');
    await nothingIsLeft();
  });

  test('its log goes on where the disk has room again', async (t) => {
    if (skipOrFail(t, missing)) return;
    const folder = join(network().folder, 'small-disk');
    mkdirSync(folder, { recursive: true });
    const log = join(folder, 'log');
    const mount = `mount -t tmpfs -o size=16k tmpfs ${folder}\n`;
    const logging = await startLogging(log, mount);
    // In its own mount namespace.
    const seen = join(`/proc/${logging.pid}/root`, log);
    const isFull = (): boolean => {
      const { length } = readFileSync(seen);
      return length === 16_384;
    };
    for (let n = 0; n < 20 && !isFull(); n++) await serves();
    assert.ok(isFull(), 'the disk did not become full');
    await serves();
    truncateSync(seen, 0);
    const end = Date.now() + 30_000;
    do {
      await serves();
    } while (!/"msg":"transfer"/.test(readFileSync(seen, 'utf8')) && Date.now() < end);
    assert.match(readFileSync(seen, 'utf8'), /"msg":"transfer"/);
    assert.deepEqual(await logging.stop(), { code: 0, signal: null }, logging.stderr());
  });

  /** Starts it with its log in a file on the gateway. */
  const startLogging = async (file: string, before = ''): Promise<LabProcess> => {
    const named = ['--server', addresses[4].server, '--listen', `${addresses[4].public}:21`];
    const flags = [...named, '--plane', plane, '--log-format', 'json', '--log-level', 'trace'];
    const script = `${before}file="$1"; shift; exec "$@" >> "$file"`;
    const argv = ['sh', '-ec', script, 'sh', file, process.execPath, cli, 'run', '--admin', 'off', ...flags];
    const logging = network().spawn('gateway', argv);
    await logging.waitForPort(21);
    return logging;
  };

  for (const [why, spoil] of Object.entries(refusals)) {
    test(`where nftables refuses because ${why}, the client gets 425, its session goes on, and all is well later`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const flags = plane === 'relay' ? ['--keep-client-address'] : [];
      const { pid } = await start({ flags, nodeFlags: [preload(capabilities)] });
      const session = await login();
      t.after(() => session.end());
      const restore = await spoil({
        t,
        network: network(),
        pid,
        onGateway,
        output: () => relay?.output() ?? '',
      });
      const port = `PORT ${addresses[4].client.replaceAll('.', ',')},200,1`;
      // The relay plane needs nftables for where the client waits alone.
      const commands = plane === 'relay' ? [port] : [port, 'PASV'];
      for (const [count, command] of commands.entries()) {
        session.send(command);
        await session.expect(new RegExp(`(^425 [^]*){${count + 1}}`, 'm'));
      }
      session.send('SYST');
      await session.expect(/^215 /m);
      await restore();
      await serves();
      session.send(port);
      await session.expect(/^200 PORT/m);
      await session.quit();
      await nothingIsLeft();
      await endsWell();
    });
  }

  test('a pinhole lives on where the clock goes an hour forth', async (t) => {
    if (skipOrFail(t, missing)) return;
    const shift = await startWithClock();
    const name = 'clock-100000';
    server().put(name, contentOf(name));
    const session = await login();
    t.after(() => session.end());
    const port = await session.passive();
    await shift(3600);
    // Who looks for those that have expired does so every second or two.
    await delay(2500);
    session.send(`RETR ${name}`);
    const local = join(network().folder, 'clock');
    writeFileSync(local, '');
    const reading = `cat < /dev/tcp/${addresses[4].public}/${port} > ${local}`;
    const { stderr } = await network().exec('client', ['timeout', '20', 'bash', '-c', reading]);
    assert.ok(readFileSync(local).equals(contentOf(name)), stderr + (relay?.output() ?? ''));
    await session.expect(/^226 /m);
    await session.quit();
    await nothingIsLeft();
  });

  test('a pinhole expires where the clock goes an hour back', async (t) => {
    if (skipOrFail(t, missing)) return;
    const shift = await startWithClock(['--expect-timeout', '2']);
    const session = await login();
    t.after(() => session.end());
    const port = await session.passive();
    await shift(-3600);
    const isExpired = (record: Readonly<Record<string, unknown>>): boolean =>
      record['msg'] === 'pinhole closed' && record['reason'] === 'expired';
    await relay?.waitForLog(isExpired, { limit: 20_000 });
    assert.match(await connectFrom(network(), 'client', addresses[4].public, port), /refused/);
    await session.passive();
    await session.quit();
    await nothingIsLeft();
  });

  /** Starts it with a clock that can be set; returns what sets it, in seconds from the true time. */
  const startWithClock = async (
    flags: readonly string[] = [],
  ): Promise<(seconds: number) => Promise<void>> => {
    const file = join(network().folder, 'clock-shift');
    const timed = await start({ flags, nodeFlags: [preload(clock(file))] });
    return async (seconds) => {
      writeFileSync(file, String(seconds * 1000));
      process.kill(timed.pid, 'SIGUSR2');
      await until(() => timed.output().includes(`clock shifted ${seconds * 1000}\n`));
    };
  };

  for (let n = 1; n <= kills; n++) {
    test(`kill -9 of the relay at a random moment makes no file look whole that is not (${n} of ${kills})`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const moment = Math.round(100 + 1200 * random(`${plane} ${n}`));
      t.diagnostic(`TEST_SEED=${seed}: killed ${moment} ms after the last login`);
      await start();
      const name = `killed-${n}`;
      const fifty = Array.from({ length: 13 }, () => both('download', 'upload'))
        .flat()
        .slice(0, 50);
      const disturbed = transfers({ name, size: 300_000, sessions: fifty, pause: 0.03, host: 'stranger' });
      await disturbed.ready();
      // From here on some of them are always in the middle of one.
      await until(() => disturbed.outcomes().length > 0);
      await delay(moment);
      assert.deepEqual(await relay?.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
      const outcomes = await disturbed.ended();
      await nothingIsLeft({ table: 'none' });

      const cut = outcomes.filter(({ reply }) => reply !== '226');
      assert.ok(cut.length > 0, 'nothing was under way');
      for (const outcome of outcomes) {
        if (outcome.reply === '226') isWhole(outcome);
        // A client that looks at the data connection alone takes FIN for the end of the file.
        if (outcome.data === 'fin') assert.ok(outcome.same, JSON.stringify(outcome));
        // The kernel carries on what it had begun.
        if (plane === 'kernel' && outcome.kind === 'download')
          assert.equal(outcome.data, 'fin', JSON.stringify(outcome));
      }
      const complete = named(server().log(), new RegExp(`OK UPLOAD: .*"/(${name}-[^"]+)", \\d+ bytes`, 'g'));
      const wrong = complete.filter(([, each = '']) => !server().read(each).equals(contentOf(each)));
      assert.deepEqual(
        wrong.map(([line]) => line),
        [],
      );
      if (plane === 'kernel') {
        const known = complete.map(([, each]) => each);
        const lost = outcomes.filter(({ kind, name: each }) => kind === 'upload' && !known.includes(each));
        assert.deepEqual(lost, []);
      }

      await start();
      assert.equal(await tables(), plane === 'kernel' ? 'table inet pinhole' : '');
      assert.deepEqual(await leftovers(network()), []);
      await serves();
      await endsWell();
    });
  }
}

function named(text: string, pattern: RegExp): RegExpExecArray[] {
  return [...text.matchAll(pattern)];
}

/** From 0 to 1, the same for the same seed. */
function random(what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE() / 2 ** 32;
}

/** Fails after 10 s. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < end, 'waited in vain');
    await delay(10);
  }
}
