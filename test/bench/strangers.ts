import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { debianPython } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { sourceFolder } from '../support/project.ts';
import { inPairs, median, orLeaveOut, printRatio } from './report.ts';

const { public: outside, server: inside, stranger } = addresses[4];
const floodingPort = 2100;
const size = 64 * 1024 ** 2;
const greetings = 100;
/** They stand for other hosts, with processors of their own: what they use is not to be missing here. */
const ofOthers = ['nice', '-n', '19', debianPython];
const goals = { median: 50, worst: 250, memory: 250, transfer: 0.5 } as const;

/** What attackers do. */
type Flood = { readonly words: string } & (
  | {
      readonly kind: 'lines';
      /** Sent again and again; an empty one leaves the talking to their server. */
      readonly line: string;
      readonly isLoggedIn?: boolean;
    }
  | {
      readonly kind: 'connections';
      /** Whether each begins a handshake. */
      readonly isTls: boolean;
    }
);

const floods: readonly Flood[] = [
  { words: 'AUTH and LF without a log in', kind: 'lines', line: 'AUTH\n' },
  { words: 'PORT with 8 KiB of control characters', kind: 'lines', line: `PORT ${'\x01'.repeat(8000)}\r\n` },
  { words: 'NOOP without a log in', kind: 'lines', line: 'NOOP\r\n' },
  { words: 'NOOP, logged in', kind: 'lines', line: 'NOOP\r\n', isLoggedIn: true },
  { words: 'replies of a server', kind: 'lines', line: '' },
  { words: 'connections', kind: 'connections', isTls: false },
  { words: 'TLS handshakes', kind: 'connections', isTls: true },
];

interface Measured {
  readonly greetings: readonly number[];
  /** MiB a second. */
  readonly speed: number;
}

/** What another client has of the relay while strangers flood it, beside what it has without them. */
export async function measureStrangers(pairs: number): Promise<void> {
  const network = await createNetwork({ forwarding: true });
  try {
    // All sessions come to it from the relay's address.
    const server = await startServer(network, 'vsftpd', { extra: ['max_per_ip=0'] });
    server.put('big.bin', Buffer.alloc(0));
    truncateSync(join(server.root, 'big.bin'), size);
    const serverScript = join(sourceFolder(import.meta.dirname), 'strangers-server.py');
    const flooding = network.spawn('server', [...ofOthers, serverScript, String(floodingPort)]);
    await flooding.waitForPort(floodingPort);
    const tls = ['--tls', 'terminate', ...(await certificate(network))];
    // The relay serves both: the one that is named, and the one that the strangers mean.
    await network.must('gateway', ['nft', '-f', '-'], { input: redirect });
    for (const flood of floods) {
      for (const count of [1, 50]) {
        const label = `${flood.words}, ${count === 1 ? 'one attacker' : `${count} attackers`}`;
        await orLeaveOut(label, () => measureOne(network, server, flood, count, label, pairs, tls));
      }
    }
  } finally {
    await network.dispose();
  }
}

/** RSA, as many still have: its signature is the dearest step of a handshake. */
async function certificate(network: Network): Promise<string[]> {
  const [cert, key] = [join(network.folder, 'rsa.pem'), join(network.folder, 'rsa.key')];
  const making = [
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=ftp.example.test',
  ];
  await network.must('gateway', [...making, '-keyout', key, '-out', cert]);
  return ['--tls-cert', cert, '--tls-key', key];
}

const redirect = `table ip strangers {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip saddr ${stranger} tcp dport ${floodingPort} redirect to :21
  }
}
`;

async function measureOne(
  network: Network,
  server: LabServer,
  flood: Flood,
  count: number,
  label: string,
  pairs: number,
  tls: readonly string[],
): Promise<void> {
  const relay = await startRelay(network, { flags: ['--intercept', ...tls] });
  try {
    // V8 compiles what runs often: a gateway has been running for a while.
    for (let n = 0; n < 3; n++) await measure(network, server);
    const without: number[] = [];
    const under: number[] = [];
    const speeds = await inPairs(
      pairs,
      async () => {
        const attack = await begin(network, server, relay, flood, count);
        try {
          const { greetings: waited, speed } = await measure(network, server);
          under.push(...waited);
          return speed;
        } finally {
          await attack.stop('SIGKILL');
        }
      },
      async () => {
        const { greetings: waited, speed } = await measure(network, server);
        without.push(...waited);
        return speed;
      },
    );
    printAtMost(`${label}: greeting, median`, 'ms', median(under), goals.median, median(without));
    printAtMost(`${label}: greeting, worst`, 'ms', Math.max(...under), goals.worst, Math.max(...without));
    printRatio(`${label}: 64 MiB down, under attack / without`, 'MiB/s', speeds, { atLeast: goals.transfer });
    printAtMost(`${label}: memory at its peak`, 'MiB', peakOf(relay), goals.memory);
  } finally {
    await relay.stop();
  }
}

async function begin(
  network: Network,
  { user, password }: LabServer,
  relay: LabRelay,
  flood: Flood,
  count: number,
): Promise<ReturnType<Network['spawn']>> {
  if (flood.kind === 'connections') {
    const script = join(sourceFolder(import.meta.dirname), 'strangers-connections.py');
    const words = [outside, '21', String(count), ...(flood.isTls ? ['tls'] : [])];
    const attack = network.spawn('stranger', [...ofOthers, script, ...words]);
    await attack.waitForOutput(/^flooding$/m, 30_000);
    return attack;
  }
  const { line, isLoggedIn } = flood;
  const script = join(sourceFolder(import.meta.dirname), 'strangers-flood.py');
  const [host, port] = line === '' ? [inside, floodingPort] : [outside, 21];
  const words = [host, String(port), String(count), JSON.stringify(line)];
  const login = isLoggedIn === true ? [user, password] : [];
  const attack = network.spawn('stranger', [...ofOthers, script, ...words, ...login]);
  await attack.waitForOutput(/^flooding$/m, 30_000);
  // Of those without a log in the log has ten, and counts the others.
  const written = isLoggedIn === true ? count : Math.min(count, 10);
  const isTheirs = (value: unknown): boolean => String(value).startsWith(`${stranger}:`);
  await relay.waitForLog(({ msg, client }) => msg === 'session opened' && isTheirs(client), { nth: written });
  return attack;
}

/** Greetings one after the other, then a download. */
async function measure(network: Network, { user, password }: LabServer): Promise<Measured> {
  const script = join(sourceFolder(import.meta.dirname), 'strangers-greetings.py');
  const waiting = [debianPython, script, outside, '21', String(greetings)];
  const waited = await network.must('client', waiting, { timeout: 120_000 });
  const url = `ftp://${outside}/big.bin`;
  const argv = [
    'curl',
    '-sS',
    '--user',
    `${user}:${password}`,
    '-o',
    '/dev/null',
    '-w',
    '%{speed_download}',
    url,
  ];
  const speed = await network.must('client', argv, { timeout: 120_000 });
  return { greetings: JSON.parse(waited) as number[], speed: Number(speed) / 1024 ** 2 };
}

/** MiB. */
function peakOf({ pid }: LabRelay): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

function printAtMost(label: string, unit: string, value: number, goal: number, without?: number): void {
  const beside = without === undefined ? '' : ` (without: ${without.toFixed(1)})`;
  const judged = value <= goal ? 'met' : 'missed';
  process.stdout.write(`${label}: ${value.toFixed(1)} ${unit}${beside}, goal at most ${goal}: ${judged}\n`);
}
