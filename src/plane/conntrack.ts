import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeOf, messageOf } from '../net/error.ts';
import { parseFlow, type Flow } from './conntrack-flow.ts';

/** Tells what becomes of the connections that bear a mark. */
export interface Conntrack {
  /** All that there are now, with what they have carried. */
  list(): Promise<Flow[]>;
  stop(): void;
}

interface ConntrackListener {
  event(flow: Flow): void;
  /** Events may have been missed: `list` says what is. */
  missed(): void;
}

/** Begins to follow; resolves when no event is missed any more. */
export type FollowConntrack = (mark: number, listener: ConntrackListener) => Promise<Conntrack>;

const run = promisify(execFile);
/** For a burst of events: what the kernel cannot put there is lost. */
const bufferSize = 8 * 1024 * 1024;
const restartDelay = 1000;

/**
 * conntrack(8), which follows the kernel's events, as a child that ends with this process whatever ends it.
 *
 * @throws where it is not installed or not allowed
 */
export const followConntrack: FollowConntrack = async (mark, listener) => {
  let stopped = false;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const filter = ['-p', 'tcp', '-m', String(mark), '-o', 'id'];
    const events = ['-E', '-e', 'NEW,UPDATES,DESTROY', '-b', String(bufferSize), ...filter];
    const started = spawn('setpriv', ['--pdeathsig', 'TERM', 'conntrack', ...events], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    let said = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-1000);
      // 'WARNING: We have hit ENOBUFS! We are losing events.'
      if (text.includes('ENOBUFS')) listener.missed();
    });
    createInterface({ input: started.stdout }).on('line', (line) => {
      const flow = parseFlow(line);
      if (flow && !stopped) listener.event(flow);
    });
    const ended = new Promise<Error>((resolve) => {
      started.once('error', resolve);
      started.once('close', () => {
        resolve(new Error(said.trim()));
      });
    });
    while (!isSubscribed(started.pid)) {
      const error = await Promise.race([ended, delay(2)]);
      if (error) throw explain(error);
    }
    void ended.then(() => {
      restart();
    });
  };
  const restart = (): void => {
    if (stopped) return;
    setTimeout(() => {
      if (stopped) return;
      start().then(() => {
        listener.missed();
      }, restart);
    }, restartDelay).unref();
  };
  await start();
  return {
    list: () => listFlows(mark),
    stop: () => {
      stopped = true;
      child?.kill();
    },
  };
};

async function listFlows(mark: number): Promise<Flow[]> {
  const args = ['-L', '-p', 'tcp', '-m', String(mark), '-o', 'id'];
  const families = ['ipv4', 'ipv6'].map(async (family) => {
    const { stdout } = await run('conntrack', [...args, '-f', family], { maxBuffer: 256 * 1024 * 1024 });
    return stdout.split('\n').map(parseFlow);
  });
  return (await Promise.all(families)).flat().filter((flow) => flow !== undefined);
}

/**
 * Whether a process has its events: netlink sockets are listed with their groups and their inodes.
 *
 *     sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
 *     00000000e699ccb5 12  2929570610 00000007 0        0        0     2        0        1776725
 */
function isSubscribed(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  const subscribed = new Set<string>();
  for (const line of readFileSync('/proc/net/netlink', 'latin1').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === '12' && parseInt(fields[3] ?? '', 16) > 0)
      subscribed.add(`socket:[${fields[9] ?? ''}]`);
  }
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((name) => subscribed.has(readlinkSync(`${folder}/${name}`)));
  } catch {
    // A descriptor, or the process, is gone again.
    return false;
  }
}

/** Whether conntrack(8) is there to be started. @throws where it is not, with what to install */
export async function requireConntrack(): Promise<void> {
  try {
    await run('setpriv', ['--pdeathsig', 'TERM', 'conntrack', '--version']);
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): Error {
  const words = messageOf(error);
  if (codeOf(error) === 'ENOENT') {
    return new Error('the kernel plane needs setpriv (Debian: apt install util-linux)', { cause: error });
  }
  if (words.includes('No such file')) {
    return new Error('the kernel plane needs conntrack (Debian: apt install conntrack)', { cause: error });
  }
  return new Error(`the kernel plane cannot follow connections: ${words}`, { cause: error });
}
