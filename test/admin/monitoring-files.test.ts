/** The alerts and the dashboard ask for what /metrics serves, and say what to do. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { root } from '../support/project.ts';
import { selfSigned } from '../support/certificates.ts';
import { dashboard, expressionsOf, panelsOf } from '../support/dashboard.ts';
import { ask, AdminStand, folderFor } from './stand.ts';

const alerts = readFileSync(join(root, 'rules/prometheus/alerts.yml'), 'utf8');

/** Metrics that Prometheus makes itself. */
const own: readonly string[] = ['up'];

async function familiesOf(t: TestContext): Promise<Map<string, string>> {
  const folder = folderFor(t);
  const { cert, key } = selfSigned();
  for (const [name, content] of Object.entries({ cert, key }))
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  const stand = new AdminStand(t, [
    '--tls',
    'terminate',
    '--tls-cert',
    join(folder, 'cert'),
    '--tls-key',
    join(folder, 'key'),
  ]);
  await stand.program.relay();
  const { body } = await ask(stand.path, '/metrics');
  return new Map(
    [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

/** The metrics that an expression reads: names that are no function, label or word of the language. */
function metricsIn(expression: string): string[] {
  const outside = expression
    .replaceAll(/\{[^}]*\}/g, '{}')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  const names = [...outside.matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/gi)].map(([name]) => name);
  return names.filter((name) => !['and', 'or', 'unless', 'sum', 'by'].includes(name));
}

function assertServed(expression: string, families: ReadonlyMap<string, string>): void {
  const metrics = metricsIn(expression).filter((name) => !own.includes(name));
  assert.ok(metrics.length > 0 || expression.includes('up{'), expression);
  for (const name of metrics) {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    assert.ok(
      families.has(name) || families.get(base) === 'histogram',
      `${name} is not served: ${expression}`,
    );
    const isRated = new RegExp(`(?:rate|increase)\\(${name}\\b`).test(expression);
    const isCounter = families.get(name) === 'counter' || name.endsWith('_bucket');
    assert.equal(isRated, isCounter, `a counter is read as a rate, a gauge is not: ${expression}`);
  }
}

test('the dashboard is whole: each panel has a title, words, a unit and what it reads is served', async (t) => {
  const families = await familiesOf(t);
  const ids = new Set<number>();
  for (const panel of panelsOf(dashboard())) {
    assert.ok(panel.title !== '' && panel.description !== '', `panel ${panel.id}`);
    assert.ok((panel.fieldConfig.defaults.unit ?? '') !== '', `${panel.title} has a unit`);
    assert.ok(!ids.has(panel.id), `${panel.title} has a number of its own`);
    ids.add(panel.id);
    const { x, w } = panel.gridPos;
    assert.ok(x + w <= 24, `${panel.title} is within the grid`);
    for (const expression of expressionsOf(panel)) {
      assert.match(expression, /instance=~"\$instance"/, panel.title);
      assertServed(expression, families);
    }
  }
  assert.ok(ids.size >= 20, `${ids.size} panels`);
});

test('no panel of the dashboard lies on another', () => {
  const taken = new Set<string>();
  for (const { title, gridPos } of panelsOf(dashboard())) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), title);
        taken.add(`${x} ${y}`);
      }
    }
  }
});

test('each alert reads what is served, has words, and a place in the docs', async (t) => {
  const families = await familiesOf(t);
  const page = readFileSync(join(root, 'docs/operate.md'), 'utf8');
  const tests = readFileSync(join(root, 'rules/prometheus/alerts.test.yml'), 'utf8');
  const rules = alerts.split(/^ {6}- alert: /m).slice(1);
  assert.ok(rules.length > 15);
  for (const rule of rules) {
    const [, name = ''] = /^(\w+)\n/.exec(rule) ?? [];
    const [, expression = ''] = /expr: >-\n((?: {10}.*\n)+)/.exec(rule) ?? [];
    assertServed(expression.replaceAll(/\s+/g, ' ').trim(), families);
    for (const part of ['severity: ', 'summary: ', 'description: ']) assert.ok(rule.includes(part), name);
    assert.ok(rule.includes(`runbook: docs/operate.md#${name.toLowerCase()}\n`), name);
    assert.ok(page.includes(`\n#### ${name}\n`), `docs/operate.md explains ${name}`);
    assert.ok(tests.includes(`alertname="${name}"`), `${name} is tested`);
  }
  assert.equal([...page.matchAll(/^#### Pinholes?[A-Z]\w+$/gm)].length, rules.length);
});

test('rules/prometheus and rules/grafana hold nothing else', () => {
  assert.deepEqual(readdirSync(join(root, 'rules/prometheus')).sort(), [
    ...['alerts.test.yml', 'alerts.yml', 'prometheus.yml'],
  ]);
  assert.deepEqual(readdirSync(join(root, 'rules/grafana')), ['pinhole.json']);
});
