import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { commandReasons, sessionReasons, transferCauses } from '../../src/events.ts';
import { ask, AdminStand } from './stand.ts';

/** `name{labels}` and its value, of each line that is no comment. */
function samplesOf(body: string): Map<string, number> {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\S+) (\S+)$/.exec(line) ?? [];
      assert.ok(Number.isFinite(Number(value)), line);
      return [name, Number(value)];
    }),
  );
}

async function scrape(stand: AdminStand): Promise<Map<string, number>> {
  const { status, headers, body } = await ask(stand.path, '/metrics');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  return samplesOf(body);
}

/** Scrapes until there is what is looked for. */
async function scrapedOnce<T>(
  stand: AdminStand,
  look: (samples: Map<string, number>) => T | undefined,
): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const found = look(await scrape(stand));
    if (found !== undefined) return found;
    await delay(50);
  }
  throw new Error('the metrics did not come to that');
}

test('serves every reason of the closed lists with 0 before anything has happened', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const samples = await scrape(stand);
  for (const reason of commandReasons)
    assert.equal(samples.get(`pinhole_commands_refused_total{reason="${reason}"}`), 0, reason);
  for (const reason of sessionReasons) {
    assert.equal(samples.get(`pinhole_sessions_closed_total{reason="${reason}"}`), 0, reason);
    assert.equal(samples.get(`pinhole_sessions_refused_total{reason="${reason}"}`), 0, reason);
  }
  for (const cause of transferCauses) {
    const labels = `{cause="${cause}",direction="upload",plane="relay"}`;
    assert.equal(samples.get(`pinhole_transfers_total${labels}`), 0, cause);
  }
  for (const name of ['pinhole_log_lines_lost_total', 'pinhole_login_failures_total'])
    assert.equal(samples.get(name), 0, name);
  const open = samples.get('process_open_fds') ?? NaN;
  assert.ok(open > 5 && open < (samples.get('process_max_fds') ?? NaN), `${open} descriptors`);
});

test('has one series for each line, and as many after sessions, transfers and refusals as before', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const before = await scrape(stand);
  const control = await stand.login();
  await control.ask('PORT 1,2,3,4,5,6', 500);
  await stand.stalled(control);
  await stand.announced(await stand.login());
  const after = await scrapedOnce(stand, (samples) =>
    samples.get('pinhole_sessions') === 2 && samples.get('pinhole_expectations') === 1 ? samples : undefined,
  );
  assert.deepEqual([...after.keys()], [...before.keys()]);
  assert.equal(after.get('pinhole_commands_refused_total{reason="not-the-peer"}'), 1);
  assert.equal(after.get('pinhole_pinholes_opened_total{mode="passive",plane="relay"}'), 2);
  assert.equal(after.get('pinhole_pinhole_open_seconds_count{plane="relay"}'), 2);
  assert.ok(Number(after.get('pinhole_transfer_bytes_total{direction="download",plane="relay"}')) > 0);
});

test('bytes never fall when a transfer is cut short', async (t) => {
  const stand = new AdminStand(t);
  const data = await stand.stalled(await stand.login());
  const bytes = 'pinhole_transfer_bytes_total{direction="download",plane="relay"}';
  const during = (await scrape(stand)).get(bytes) ?? NaN;
  data.resetAndDestroy();
  const after = await scrapedOnce(stand, (samples) =>
    samples.get('pinhole_data_connections') === 0 ? samples.get(bytes) : undefined,
  );
  assert.ok(during > 0 && after >= during, `${after} after ${during}`);
});
