/**
 * Debian's Prometheus reads a live relay while clients transfer, with the alerts of rules/prometheus, and answers the queries of
 * the dashboard in rules/grafana. promtool judges the metrics and the alerts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { dashboard, expressionsOf, panelsOf } from '../support/dashboard.ts';
import { makeCertificates } from '../support/lab/certificates.ts';
import { runClient, type Operation } from '../support/lab/clients.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { mustRun, type LabProcess } from '../support/lab/process.ts';
import { monitoringRequirements, skipOrFail, unpackedServer } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { root } from '../support/project.ts';

const missing = await monitoringRequirements();
const rules = join(root, 'rules/prometheus');
const metricsAt = '127.0.0.1:9121';
const prometheusAt = '127.0.0.1:9090';
const size = 300_000;
const { public: outside } = addresses[4];

function promtool(): string {
  return join(unpackedServer('prometheus').folder, 'usr/bin/promtool');
}

test('promtool finds nothing wrong with the alerts, and their tests pass', async (t) => {
  if (skipOrFail(t, missing)) return;
  assert.match(
    await mustRun([promtool(), 'check', 'rules', join(rules, 'alerts.yml')]),
    /SUCCESS: \d+ rules/,
  );
  assert.match(await mustRun([promtool(), 'test', 'rules', join(rules, 'alerts.test.yml')]), /SUCCESS/);
  const config = join(rules, 'prometheus.yml');
  assert.match(await mustRun([promtool(), 'check', 'config', config]), /SUCCESS/);
});

describe('Prometheus and a live relay', { concurrency: 1 }, () => {
  let network: Network;
  let server: LabServer;
  let relay: LabRelay;
  let prometheus: LabProcess;

  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork();
    server = await startServer(network, 'vsftpd');
    server.put('small.bin', randomBytes(size));
    server.put('large.bin', Buffer.alloc(20_000_000, 'x'));
    const { cert, key } = (await makeCertificates(network.folder)).server;
    const tls = ['--tls', 'terminate', '--tls-cert', cert, '--tls-key', key];
    relay = await startRelay(network, { flags: ['--admin-listen', metricsAt, ...tls] });
    prometheus = await startPrometheus(network);
  });
  after(async () => {
    if (missing.length > 0) return;
    await prometheus.stop();
    await relay.stop();
    await network.dispose();
  });

  const get = async <T>(path: string): Promise<T> => {
    const body = await network.must('gateway', ['curl', '-sS', `http://${prometheusAt}${path}`]);
    const { status, data, error } = JSON.parse(body) as { status: string; data: T; error?: string };
    assert.equal(status, 'success', `${path}: ${error ?? ''}`);
    return data;
  };
  const query = async (expression: string): Promise<Series[]> => {
    const { result } = await get<{ result: Series[] }>(
      `/api/v1/query?query=${encodeURIComponent(expression)}`,
    );
    return result;
  };
  /** The one value of an expression; undefined: there is none. */
  const valueOf = async (expression: string): Promise<number | undefined> => {
    const [first] = await query(expression);
    return first && Number(first.value[1]);
  };
  /** Prometheus sees it at its next scrape, and a rate at the one after it. */
  const becomes = async (expression: string, isRight: (value: number) => boolean): Promise<void> => {
    const end = Date.now() + 15_000;
    for (;;) {
      const value = await valueOf(expression);
      if (value !== undefined && isRight(value)) return;
      if (Date.now() > end) assert.fail(`${expression} is ${String(value)}\n${relay.output()}`);
      await delay(200);
    }
  };
  const transfer = async (operation: Operation, password = server.password): Promise<boolean> => {
    const local = join(network.folder, `local-${operation}`);
    writeFileSync(local, operation === 'upload' ? randomBytes(size) : '');
    const remote = operation === 'upload' ? 'up.bin' : 'small.bin';
    const { user } = server;
    const run = {
      address: outside,
      user,
      password,
      mode: 'extended-passive',
      operation,
      remote,
      local,
    } as const;
    return (await runClient(network, 'curl', run)).ok;
  };

  test('promtool finds nothing wrong with the metrics', async (t) => {
    if (skipOrFail(t, missing)) return;
    const metrics = await network.must('gateway', ['curl', '-sS', `http://${metricsAt}/metrics`]);
    const { code, stdout, stderr } = await network.exec('gateway', [promtool(), 'check', 'metrics'], {
      input: metrics,
    });
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  test('counts logins, transfers, bytes and pinholes as they were', async (t) => {
    if (skipOrFail(t, missing)) return;
    await becomes('up{job="pinhole"}', (value) => value === 1);
    for (const operation of ['download', 'upload', 'download', 'list'] as const)
      assert.ok(await transfer(operation), operation);
    assert.ok(!(await transfer('download', 'wrong')));
    const exactly = (expression: string, wanted: number): Promise<void> =>
      becomes(expression, (value) => value === wanted);
    const complete = (direction: string): string =>
      `sum(pinhole_transfers_total{cause="complete", direction="${direction}"})`;
    await exactly(complete('download'), 3);
    await exactly(complete('upload'), 1);
    await exactly('sum(pinhole_transfers_total)', 4);
    await exactly('pinhole_transfer_bytes_total{direction="upload", plane="relay"}', size);
    const bytes = 'pinhole_transfer_bytes_total{direction="download", plane="relay"}';
    await becomes(bytes, (value) => value > 2 * size && value < 2 * size + 1000);
    await exactly('pinhole_logins_total', 4);
    await exactly('pinhole_login_failures_total', 1);
    await exactly('pinhole_sessions_opened_total', 5);
    await exactly('sum(pinhole_sessions_closed_total)', 5);
    await exactly('pinhole_pinholes_opened_total{mode="passive", plane="relay"}', 4);
    await exactly('pinhole_pinholes_taken_total{mode="passive", plane="relay"}', 4);
    await exactly('sum(pinhole_pinholes_closed_total)', 0);
    await exactly('sum(pinhole_pinhole_open_seconds_count)', 4);
    await exactly('pinhole_first_byte_seconds_count', 4);
    await exactly('pinhole_sessions', 0);
    await becomes('pinhole_sessions_limit', (value) => value > 0);
    await becomes('pinhole_certificate_not_after_timestamp_seconds - time()', (value) => value > 0);
  });

  test('sees a transfer and its bytes while it lasts', async (t) => {
    if (skipOrFail(t, missing)) return;
    const before = (await valueOf('sum(pinhole_transfer_bytes_total)')) ?? NaN;
    const who = ['-u', `${server.user}:${server.password}`];
    const flags = ['-sS', ...who, '--disable-epsv', '--limit-rate', '2M', '-o', '/dev/null'];
    const download = network.spawn('client', ['curl', ...flags, `ftp://${outside}/large.bin`]);
    await becomes('pinhole_data_connections', (value) => value === 1);
    await becomes('sum(pinhole_transfer_bytes_total)', (value) => value > before);
    await becomes('sum(rate(pinhole_transfer_bytes_total[5s]))', (value) => value > 0);
    assert.equal(await valueOf('sum(pinhole_transfers_total)'), 4);
    assert.equal((await download.exited).code, 0, download.stderr());
    await becomes('sum(pinhole_transfers_total{cause="complete"})', (value) => value === 5);
    await becomes('sum(pinhole_transfer_bytes_total)', (value) => value === before + 20_000_000);
  });

  test('answers each query of the dashboard', async (t) => {
    if (skipOrFail(t, missing)) return;
    const labels = await get<string[]>('/api/v1/label/__name__/values');
    assert.ok(labels.includes('pinhole_build_info'));
    for (const panel of panelsOf(dashboard())) {
      for (const expression of expressionsOf(panel)) {
        const asked = expression.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');
        const found = await query(asked);
        // What is compared with 0 shows only what has happened.
        if (!expression.endsWith('> 0')) assert.ok(found.length > 0, `${panel.title}: ${asked}`);
      }
    }
  });

  test('has loaded all alerts; none fires at a relay that is well, and one waits when it is gone', async (t) => {
    if (skipOrFail(t, missing)) return;
    const read = async (): Promise<Rule[]> => {
      const { groups } = await get<{ groups: { rules: Rule[] }[] }>('/api/v1/rules');
      return groups.flatMap((group) => group.rules);
    };
    const names = [...readFileSync(join(rules, 'alerts.yml'), 'utf8').matchAll(/- alert: (\w+)/g)];
    const loaded = await read();
    assert.deepEqual(
      loaded.map(({ name }) => name),
      names.map(([, name]) => name),
    );
    for (const { name, health, state, lastError } of loaded)
      assert.deepEqual([name, health, state], [name, 'ok', 'inactive'], lastError);
    await relay.stop();
    await becomes('count(ALERTS{alertname="PinholeDown", alertstate="pending"})', (value) => value === 1);
  });
});

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
}

/** With the example of rules/prometheus, but for the intervals: a test does not wait 15 s. */
async function startPrometheus(network: Network): Promise<LabProcess> {
  const example = readFileSync(join(rules, 'prometheus.yml'), 'utf8');
  assert.ok(example.includes(metricsAt));
  const config = join(network.folder, 'prometheus.yml');
  writeFileSync(config, example.replaceAll('interval: 15s', 'interval: 250ms'));
  copyFileSync(join(rules, 'alerts.yml'), join(network.folder, 'alerts.yml'));
  const flags = {
    'config.file': config,
    'storage.tsdb.path': join(network.folder, 'prometheus'),
    'web.listen-address': prometheusAt,
    'log.level': 'warn',
  };
  const argv = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const prometheus = network.spawn('gateway', [unpackedServer('prometheus').program, ...argv]);
  await prometheus.waitForPort(9090, 30_000);
  return prometheus;
}
