/**
 * The kernel plane behind an administrator's own firewall: a forward chain that drops, one rule for what is
 * established and the one for Pinhole's mark, as docs/kernel-plane.md shows them. What pinholes let in passes, and
 * nothing else.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { capability, modes, runClient } from '../support/lab/clients.ts';
import { connectFrom, connectUntil, ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Family, type Host, type Network } from '../support/lab/network.ts';
import { mustRun } from '../support/lab/process.ts';
import { debianPython, requirements, skipOrFail, type Missing } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const missing = await requirements();
const content = randomBytes(300_000);

interface Firewall {
  readonly name: string;
  /** For `sh`, in the gateway. The last rule of each family counts what the policy then drops. */
  readonly rules: string;
  /** Prints that rule, with `counter packets N` or N alone in front. */
  readonly count: (family: Family) => readonly string[];
}

const nftables: Firewall = {
  name: 'nftables',
  rules: `nft -f - <<'END'
table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established accept
    ct mark 0x2121 accept
    meta nfproto ipv4 counter comment "dropped4"
    meta nfproto ipv6 counter comment "dropped6"
  }
}
END`,
  count: (family) => [
    'sh',
    '-c',
    `nft list chain inet filter forward | sed -n 's/.* packets \\([0-9]*\\) .*"dropped${family}".*/\\1/p'`,
  ],
};

function iptables(back: 'nft' | 'legacy'): Firewall {
  const command = (family: Family): string => `${family === 4 ? 'iptables' : 'ip6tables'}-${back}`;
  return {
    name: `iptables (${back})`,
    rules: ([4, 6] as const)
      .map(
        (family) => `${command(family)} -P FORWARD DROP
${command(family)} -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
${command(family)} -A FORWARD -m connmark --mark 0x2121 -j ACCEPT
${command(family)} -A FORWARD`,
      )
      .join('\n'),
    count: (family) => [command(family), '-n', '-v', '-x', '-L', 'FORWARD', '3'],
  };
}

describe('the kernel plane', { concurrency: 2 }, () => {
  for (const firewall of [nftables, iptables('nft'), iptables('legacy')]) {
    // Inside, tests share a network: one at a time.
    describe(`behind ${firewall.name}`, { concurrency: 1 }, () => {
      behind(firewall);
    });
  }
});

function behind(firewall: Firewall): void {
  let network: Network;
  let lacking: readonly Missing[] = missing;
  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork({ forwarding: true });
    try {
      await mustRun(['ip', 'netns', 'exec', network.namespace('gateway'), 'sh', '-ec', firewall.rules]);
    } catch (error) {
      // A kernel may have been built without one of the two that iptables has.
      lacking = [{ what: firewall.name, reason: String(error) }];
    }
  });
  after(() => (missing.length > 0 ? undefined : network.dispose()));

  for (const family of [4, 6] as const) {
    describe(`over IPv${family}`, { concurrency: 1 }, () => {
      const home = addresses[family];
      let server: LabServer;
      let relay: LabRelay;
      before(async () => {
        if (lacking.length > 0) return;
        server = await startServer(network, 'vsftpd', { family });
        server.put('file', content);
        relay = await startRelay(network, { family, flags: ['--plane', 'kernel'] });
      });
      after(() => (lacking.length > 0 ? undefined : relay.stop()));

      const dropped = async (): Promise<number> => {
        const { stdout } = await network.exec('gateway', firewall.count(family));
        const [count] = /\d+/.exec(stdout) ?? assert.fail(`no counter in ${stdout}`);
        return Number(count);
      };
      /** The forward chain's policy meets it, and no answer comes. */
      const isDropped = async (host: Host, address: string, port: number): Promise<void> => {
        const before = await dropped();
        await connectUntil(network, host, address, port, async () => (await dropped()) > before);
      };
      /** The gateway itself answers, and the forward chain sees nothing of it. */
      const isRefused = async (host: Host, address: string, port: number): Promise<void> => {
        const before = await dropped();
        assert.match(await connectFrom(network, host, address, port), /refused/);
        assert.equal(await dropped(), before);
      };

      for (const mode of modes.filter((each) => capability('curl', each, family, 'download') === true)) {
        test(`a client uploads and downloads in ${mode} mode`, async (t) => {
          if (skipOrFail(t, lacking)) return;
          const local = join(network.folder, 'local');
          const from = relay.log().length;
          rmSync(join(server.root, 'up'), { force: true });
          for (const operation of ['upload', 'download'] as const) {
            if (operation === 'upload') writeFileSync(local, content);
            else rmSync(local, { force: true });
            const { user, password } = server;
            const remote = operation === 'upload' ? 'up' : 'file';
            const run = { address: home.public, user, password, mode, operation, remote, local };
            const { ok, output } = await runClient(network, 'curl', run);
            assert.ok(ok, `${operation}: ${output}\n${relay.output()}`);
          }
          assert.ok(server.read('up').equals(content));
          assert.ok(readFileSync(local).equals(content));
          for (const last of ['transfer', 'session closed']) {
            await relay.waitForLog(({ msg }) => msg === last, { from, nth: 2 });
          }
          assert.equal(await dropped(), 0);
        });
      }

      test('nothing but what a pinhole lets in passes, while one is pending', async (t) => {
        if (skipOrFail(t, lacking)) return;
        const from = relay.log().length;
        const control = await ControlConnection.login(network, server, { family });
        const port = await control.extendedPassive();
        const opened = await relay.waitForLog(
          ({ msg, at }) => msg === 'pinhole opened' && String(at).endsWith(`:${port}`),
          { from },
        );
        const behind = Number(/\d+$/.exec(String(opened['to']))?.[0]);

        await isDropped('client', home.server, 21);
        await isDropped('client', home.server, behind);
        await isDropped('stranger', home.server, 21);
        await isDropped('stranger', home.server, behind);
        // A pinhole is for its client, at its address and port.
        await isRefused('stranger', home.public, port);
        await isRefused('client', home.public, port === 50_000 ? 50_001 : port - 1);
        await isRefused('client', home.inside, port);
        // From inside, only what an active pinhole leads out.
        const listener = network.spawn('client', [debianPython, '-u', '-c', listening, home.client]);
        const [, outside] = await listener.waitForOutput(/^(\d+)\n/);
        await isDropped('server', home.client, Number(outside));
        await isRefused('server', home.inside, port);
        await isRefused('server', home.inside, 51_000);
        await listener.stop();

        // Of all that, nothing has used the pinhole up.
        assert.match(await connectFrom(network, 'client', home.public, port), /connected/);
        await control.quit();
        assert.match(server.log(), /CONNECT/);
        const others = [...server.log().matchAll(/CONNECT: Client "([^"]+)"/g)].filter(
          ([, from]) => from?.replace('::ffff:', '') !== home.inside,
        );
        assert.deepEqual(others, []);
      });
    });
  }
}

/** Listens without taking anybody, and prints its port. */
const listening = `
import socket, sys, time
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
server = socket.socket(family)
server.bind((sys.argv[1], 0))
server.listen()
print(server.getsockname()[1])
time.sleep(600)
`;
