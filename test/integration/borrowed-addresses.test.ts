/**
 * `--keep-client-address` and `--intercept` on both planes, with real clients and real servers: who sees whose address,
 * and what nftables has to hold for that.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { compareDialogues } from '../support/dialogue/compare.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import { capability, modes, type ClientName, type Mode } from '../support/lab/clients.ts';
import { addresses, createNetwork, type Family, type Host, type Network } from '../support/lab/network.ts';
import { passage as passes } from '../support/lab/passage.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli, startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { noElementIsLeft } from '../support/lab/table.ts';

const missing = await requirements();
const families: readonly Family[] = [4, 6];
const planes = ['relay', 'kernel'] as const;
/** Strict about the address in a 227, blind to it, and one that believes it. */
const clients: readonly ClientName[] = ['tnftp', 'curl', 'ftplib'];
const content = randomBytes(200_000);
/** Nothing is forwarded but what bears the mark; nothing comes in but that, sessions, and the relay plane's own ports. */
const firewall = `table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established accept
    ct mark 0x2121 accept
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established accept
    ct mark 0x2121 accept
    meta l4proto { icmp, ipv6-icmp } accept
    iif lo accept
    tcp dport { 21, 2121, 50000-50999 } accept
    iifname inside0 tcp dport 51000-51999 accept
  }
}
`;
/** Clients on the public side mean the server, and are led to the relay. */
const redirect = `table inet intercepted {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname public0 tcp dport 21 redirect to :2121
  }
}
`;

let network: Network;
const servers = new Map<Family, LabServer>();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  for (const family of families) {
    const server = await startServer(network, 'vsftpd', { family });
    server.put('file', content);
    servers.set(family, server);
  }
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function serverOf(family: Family): LabServer {
  return servers.get(family) ?? assert.fail('no server');
}

function onGateway(argv: readonly string[], input?: string): Promise<string> {
  return network.must('gateway', argv, input === undefined ? {} : { input });
}

function passage(
  family: Family,
  client: ClientName,
  mode: Mode,
  to: { readonly address: string; readonly port: number },
  relay?: LabRelay,
): Promise<void> {
  const context = (): string => relay?.output() ?? '';
  return passes(network, client, { ...to, mode }, serverOf(family), content, context);
}

/** Who the server has seen log in since it was asked last. */
function loginsOf(server: LabServer, before: string): string[] {
  const said = server.log().slice(before.length);
  return [...said.matchAll(/OK LOGIN: Client "(?:::ffff:)?([^"]+)"/g)].map(([, who = '']) => who);
}

for (const plane of planes) {
  describe(`on the ${plane} plane`, { concurrency: 1 }, () => {
    for (const family of families) {
      describe(`keep-client-address over IPv${family}`, { concurrency: 1 }, () => {
        let relay: LabRelay | undefined;
        before(async () => {
          if (missing.length > 0) return;
          await onGateway(['nft', '-f', '-'], firewall);
          relay = await startRelay(network, { family, flags: ['--plane', plane, '--keep-client-address'] });
        });
        after(async () => {
          if (missing.length > 0) return;
          await relay?.stop();
          await onGateway(['nft', 'delete', 'table', 'inet', 'filter']);
        });

        for (const client of clients) {
          for (const mode of modes) {
            if (capability(client, mode, family, 'download') !== true) continue;
            test(`the server sees the own address of ${client} in ${mode} mode, and says the same as without a relay`, async (t) => {
              if (skipOrFail(t, missing)) return;
              const server = serverOf(family);
              const { public: address } = addresses[family];
              await onGateway(['nft', 'flush', 'chain', 'inet', 'filter', 'forward']);
              await onGateway(['nft', 'add', 'rule', 'inet', 'filter', 'forward', 'accept']);
              const direct = await recordDialogue(network, () =>
                passage(family, client, mode, { address: server.address, port: 21 }),
              );
              await onGateway(['nft', 'delete', 'table', 'inet', 'filter']);
              await onGateway(['nft', '-f', '-'], firewall);
              const before = server.log();
              const relayed = await recordDialogue(network, () =>
                passage(family, client, mode, { address, port: 21 }, relay),
              );
              const difference = compareDialogues(direct.dialogue, relayed.dialogue);
              assert.equal(difference, '', `direct (-) and relayed (+) differ:\n${difference}`);
              const seen = loginsOf(server, before);
              assert.ok(seen.length > 0);
              assert.deepEqual([...new Set(seen)], [addresses[family].client]);
            });
          }
        }

        test('the server is told the address and port that the client named', async (t) => {
          if (skipOrFail(t, missing)) return;
          const mode = family === 4 ? 'active' : 'extended-active';
          const { result } = await lineAtServer(family, () =>
            passage(family, 'curl', mode, { address: addresses[family].public, port: 21 }, relay),
          );
          const told = result.filter((line) => /^(PORT|EPRT) /.test(line));
          const own = addresses[family].client;
          assert.ok(told.length > 0);
          for (const line of told) {
            assert.ok(line.includes(family === 4 ? own.replaceAll('.', ',') : `|2|${own}|`), line);
          }
        });

        test('the server sees data connections come from the client', async (t) => {
          if (skipOrFail(t, missing)) return;
          const watch = network.spawn('server', ['tcpdump', '-n', '-l', '-i', 'eth0', syn(family)]);
          await watch.waitForOutput(/listening on/);
          const { public: address, client, server } = addresses[family];
          await passage(family, 'curl', 'extended-passive', { address, port: 21 }, relay);
          // Of the listing, the upload and the download.
          await watch.waitForOutput(arrivals(3, client, server, '30\\d\\d\\d'));
          await watch.stop();
          assert.doesNotMatch(
            watch.stdout(),
            new RegExp(`IP6? ${dotted(addresses[family].inside)}\\.\\d+ >`),
          );
        });

        test('leaves no element behind', async (t) => {
          if (skipOrFail(t, missing)) return;
          await noElementIsLeft(network);
        });

        test('a stranger does not get in, neither at the pinhole nor at what it leads to', async (t) => {
          if (skipOrFail(t, missing)) return;
          const from = relay?.log().length ?? 0;
          const done = await network.exec('client', [debianPython, '-c', pendingPassive, ...loginOf(family)]);
          assert.equal(done.code, 0, done.stderr);
          const at = Number(done.stdout);
          const isClosed = (record: Readonly<Record<string, unknown>>): boolean =>
            record['msg'] === 'pinhole closed' && String(record['at']).endsWith(`:${at}`);
          await relay?.waitForLog(isClosed, { from });
          await noElementIsLeft(network);
          for (const host of ['stranger', 'client'] as const) {
            assert.notEqual(
              await connects(host, addresses[family].public, at),
              0,
              `${host} to the closed one`,
            );
          }
        });
      });

      describe(`intercept over IPv${family}`, { concurrency: 1 }, () => {
        let relay: LabRelay | undefined;
        const listen = family === 4 ? '0.0.0.0:2121' : '[::]:2121';
        before(async () => {
          if (missing.length > 0) return;
          await onGateway(['nft', '-f', '-'], firewall + redirect);
          const flags = ['--plane', plane, '--intercept'];
          relay = await startRelay(network, { family, listen, server: null, flags });
        });
        after(async () => {
          if (missing.length > 0) return;
          await relay?.stop();
          for (const table of ['filter', 'intercepted'])
            await onGateway(['nft', 'delete', 'table', 'inet', table]);
        });

        for (const client of clients) {
          for (const mode of modes) {
            if (capability(client, mode, family, 'download') !== true) continue;
            test(`${client} gets to the server that it meant in ${mode} mode, which sees the gateway`, async (t) => {
              if (skipOrFail(t, missing)) return;
              const server = serverOf(family);
              const before = server.log();
              await passage(family, client, mode, { address: server.address, port: 21 }, relay);
              const seen = loginsOf(server, before);
              assert.ok(seen.length > 0);
              assert.deepEqual([...new Set(seen)], [addresses[family].inside]);
            });
          }
        }

        test("the server is told the gateway's address in the place of the client's", async (t) => {
          if (skipOrFail(t, missing)) return;
          const mode = family === 4 ? 'active' : 'extended-active';
          const { result } = await lineAtServer(family, () =>
            passage(family, 'curl', mode, { address: serverOf(family).address, port: 21 }, relay),
          );
          const told = result.filter((line) => /^(PORT|EPRT) /.test(line));
          const gateway = addresses[family].inside;
          assert.ok(told.length > 0);
          for (const line of told) {
            assert.ok(line.includes(family === 4 ? gateway.replaceAll('.', ',') : `|2|${gateway}|`), line);
          }
        });

        test('the client sees active connections come from the server itself and its port 20', async (t) => {
          if (skipOrFail(t, missing)) return;
          const watch = network.spawn('client', ['tcpdump', '-n', '-l', '-i', 'eth0', syn(family)]);
          await watch.waitForOutput(/listening on/);
          const mode = family === 4 ? 'active' : 'extended-active';
          const { client, server } = addresses[family];
          await passage(family, 'curl', mode, { address: server, port: 21 }, relay);
          await watch.waitForOutput(
            new RegExp(`IP6? ${dotted(server)}\\.20 > ${dotted(client)}\\.\\d+: Flags \\[S\\]`),
          );
          await watch.stop();
        });

        test('leaves no element behind', async (t) => {
          if (skipOrFail(t, missing)) return;
          await noElementIsLeft(network);
        });

        test('who means the relay itself is refused, and nothing loops', async (t) => {
          if (skipOrFail(t, missing)) return;
          const { public: address } = addresses[family];
          assert.match(
            await greeting(address, 2121),
            /^421 Service not available: the destination is the relay itself\./,
          );
          await relay?.waitForLog(({ msg, reason }) => msg === 'session refused' && reason === 'loop');
        });
      });
    }
  });
}

describe('with intercept', { concurrency: 1 }, () => {
  before(async () => {
    if (missing.length === 0) await onGateway(['nft', '-f', '-'], firewall + redirect);
  });
  after(async () => {
    if (missing.length > 0) return;
    for (const table of ['filter', 'intercepted']) await onGateway(['nft', 'delete', 'table', 'inet', table]);
  });

  test('a server outside of intercept-networks is refused', async (t) => {
    if (skipOrFail(t, missing)) return;
    const flags = ['--intercept', '--intercept-networks', '192.0.2.0/24,10.77.0.3'];
    const relay = await startRelay(network, { listen: '0.0.0.0:2121', server: null, flags });
    assert.match(
      await greeting(addresses[4].server, 21),
      /^421 Service not available: this server is not allowed\./,
    );
    await relay.waitForLog(({ reason }) => reason === 'destination-not-allowed');
    await relay.stop();
  });

  test('who means the relay itself gets to the server that is named too, where one is', async (t) => {
    if (skipOrFail(t, missing)) return;
    const relay = await startRelay(network, { listen: '0.0.0.0:2121', flags: ['--intercept'] });
    await passage(4, 'tnftp', 'passive', { address: addresses[4].public, port: 21 }, relay);
    await passage(4, 'tnftp', 'passive', { address: addresses[4].server, port: 21 }, relay);
    await relay.stop();
  });

  test('a rule that leads the own connections of the relay back to it makes no loop', async (t) => {
    if (skipOrFail(t, missing)) return;
    const table = `table inet trap {
  chain output {
    type nat hook output priority -100;
    tcp dport 21 redirect to :2121
  }
}
`;
    await onGateway(['nft', '-f', '-'], table);
    const relay = await startRelay(network, { listen: '0.0.0.0:2121', server: null, flags: ['--intercept'] });
    await greeting(addresses[4].server, 21);
    await relay.waitForLog(({ msg, reason }) => msg === 'session refused' && reason === 'loop');
    // While this one is served, a loop would go on hundreds of times.
    await greeting(addresses[4].server, 21);
    assert.deepEqual(await relay.stop(), { code: 0, signal: null });
    const count = (what: string): number => relay.log().filter(({ msg }) => msg === what).length;
    assert.ok(count('session opened') <= 4 && count('session refused') <= 4, relay.output());
    await onGateway(['nft', 'delete', 'table', 'inet', 'trap']);
  });
});

describe('with keep-client-address', { concurrency: 1 }, () => {
  test('a server whose default route leads elsewhere is named, by --check and by the log', async (t) => {
    if (skipOrFail(t, missing)) return;
    const { server, inside, public: address } = addresses[4];
    const route = async (what: string): Promise<void> => {
      const { code, stderr } = await network.exec('server', ['ip', 'route', what, 'default', 'via', inside]);
      assert.equal(code, 0, stderr);
    };
    const check = (): ReturnType<Network['exec']> =>
      network.exec('gateway', [
        ...[process.execPath, cli, 'run', '--check=config', '--server', server, '--keep-client-address'],
        ...['--connect-timeout', '1s'],
      ]);
    const fine = await check();
    assert.deepEqual([fine.code, fine.stdout, fine.stderr], [0, 'The configuration is valid.\n', '']);
    await route('del');
    try {
      const { code, stdout } = await check();
      assert.equal(code, 0);
      assert.match(stdout, /^keep-client-address: the server answers this host, but not .*default route/m);
      const words = ['run', '--check=config', '--server', server, '--keep-client-address'];
      const interrupted = network.spawn('gateway', [process.execPath, cli, ...words]);
      await tableIsThere(/^table inet pinhole_check_\d+$/m, true);
      await interrupted.stop('SIGINT');
      await tableIsThere(/^table inet pinhole_check_\d+$/m, false);
      const relay = await startRelay(network, {
        flags: ['--keep-client-address', '--connect-timeout', '1s'],
      });
      assert.match(await greeting(address, 21), /^421 Service not available: the server cannot be reached\./);
      await relay.waitForLog(
        ({ msg, error }) => msg === 'session refused' && /default route/.test(String(error)),
      );
      await relay.waitForLog(({ msg, level }) => level === 'warn' && /default route/.test(String(msg)));
      await relay.stop();
    } finally {
      await route('add');
    }
  });

  test('a server on the same host sees the own address of the client too', async (t) => {
    if (skipOrFail(t, missing)) return;
    const server = await startServer(network, 'vsftpd', { host: 'gateway', port: 2100 });
    server.put('file', content);
    servers.set(4, server);
    for (const plane of planes) {
      const flags = ['--plane', plane, '--keep-client-address'];
      const relay = await startRelay(network, { server: `${server.address}:${server.port}`, flags });
      const before = server.log();
      for (const mode of modes) {
        await passage(4, 'curl', mode, { address: addresses[4].public, port: 21 }, relay);
      }
      assert.deepEqual([...new Set(loginsOf(server, before))], [addresses[4].client], plane);
      await relay.stop();
    }
    await server.stop();
  });

  test('a name of the server that has no address of the family of the client is refused with a reason', async (t) => {
    if (skipOrFail(t, missing)) return;
    const flags = ['--keep-client-address'];
    const relay = await startRelay(network, { listen: `[${addresses[6].public}]:21`, flags });
    assert.match(
      await greeting(addresses[6].public, 21),
      /^421 Service not available: the server cannot be reached\./,
    );
    await relay.waitForLog(({ error }) => /has no IPv6 address, so it cannot be reached/.test(String(error)));
    await relay.stop();
  });
});

/** Waits until a table is there, or is not. */
async function tableIsThere(table: RegExp, wanted: boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (table.test(await onGateway(['nft', 'list', 'tables'])) !== wanted) {
    assert.ok(Date.now() < end, `${String(table)} is ${wanted ? 'not ' : ''}there`);
    await delay(20);
  }
}

/** The commands that came to the server in the meantime. */
async function lineAtServer(
  family: Family,
  work: () => Promise<unknown>,
): Promise<{ result: readonly string[] }> {
  const server = serverOf(family);
  const before = server.log();
  await work();
  const said = server.log().slice(before.length);
  return {
    result: [...said.matchAll(/FTP command: Client "[^"]*", "([^"]*)"/g)].map(([, line = '']) => line),
  };
}

function loginOf(family: Family): string[] {
  const { user, password } = serverOf(family);
  return [addresses[family].public, user, password];
}

/** Asks for a passive data connection, takes none, and prints the port when it has quit. */
const pendingPassive = `
import ftplib, sys
ftp = ftplib.FTP(sys.argv[1], sys.argv[2], sys.argv[3], timeout=10)
host, port = ftp.makepasv()
ftp.quit()
print(port)
`;

/** The exit code of trying to connect: not 0 where that is refused, or unanswered for a second. */
async function connects(host: Host, address: string, port: number): Promise<number | null> {
  const script = `exec 3<>/dev/tcp/${address}/${port}`;
  const { code } = await network.exec(host, ['timeout', '1', 'bash', '-c', script]);
  return code;
}

/** What the client is greeted with. */
async function greeting(address: string, port: number): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/${port}; head -n 1 <&3`;
  const { stdout } = await network.exec('client', ['timeout', '10', 'bash', '-c', script]);
  return stdout;
}

/** A capture filter for the first packets of connections. */
function syn(family: Family): string {
  return family === 4 ? 'tcp[tcpflags] == tcp-syn' : 'ip6[6] == 6 and ip6[53] == 2';
}

/** So many lines of tcpdump, with any others between them. */
function arrivals(count: number, from: string, to: string, port: string): RegExp {
  const one = `IP6? ${dotted(from)}\\.\\d+ > ${dotted(to)}\\.${port}: Flags \\[S\\]`;
  return new RegExp(`(?:${one}[^]*?){${count}}`);
}

function dotted(address: string): string {
  return address.replaceAll('.', '\\.');
}
