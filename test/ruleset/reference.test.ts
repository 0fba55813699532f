/** rules/ is what `pinhole rules` prints; UPDATE_RULES=1 writes it anew. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import yargs from 'yargs';
import { rulesCommand } from '../../src/commands/rules.ts';
import { root } from '../support/project.ts';
import { references } from '../support/reference-rules.ts';

const folder = join(root, 'rules');
const updates = process.env['UPDATE_RULES'] === '1';

for (const { name, flags } of references) {
  test(`rules/${name} is what pinhole rules prints`, async () => {
    const made = updates ? join(folder, name) : mkdtempSync(join(tmpdir(), 'pinhole-rules-'));
    try {
      if (updates) rmSync(made, { recursive: true, force: true });
      await yargs(['--for', 'all', ...flags.split(' '), '--out', made])
        .command({ command: '$0', ...rulesCommand })
        .parseAsync();
      const expected = filesIn(made);
      assert.ok(expected.length > 5);
      const kept = join(folder, name);
      assert.deepEqual(filesIn(kept), expected, 'UPDATE_RULES=1 writes rules/ anew');
      for (const file of expected) {
        assert.equal(readFileSync(join(kept, file), 'utf8'), readFileSync(join(made, file), 'utf8'), file);
      }
    } finally {
      if (!updates) rmSync(made, { recursive: true, force: true });
    }
  });
}

test('rules/ holds nothing else, and its README names each deployment with its command', () => {
  const names = references.map(({ name }) => name);
  const others = ['README.md', 'fail2ban', 'grafana', 'prometheus'];
  assert.deepEqual(readdirSync(folder).sort(), [...others, ...names].sort());
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const { name, what, flags } of references) {
    assert.ok(readme.includes(`| [${name}](${name}) | ${what} | \`${flags}\` |`), name);
  }
});

test('every way back outlives the terminal, and is one of each file', () => {
  const files = filesIn(join(folder, 'server-alone')).map((file) =>
    readFileSync(join(folder, 'server-alone', file), 'utf8'),
  );
  const lines = files
    .flatMap((text) => text.split('\n'))
    .filter((line) => /sleep 60|--on-active=60/.test(line));
  // nftables, two of redhat, firewalld, ufw, pf; iptables-apply waits by itself.
  assert.equal(lines.length, 6);
  for (const line of lines)
    assert.match(line, /\bnohup sh -c 'sleep 60; [^']+' &|systemd-run .*--on-active=60/);
  const saved = lines.flatMap((line) => /-save > (\S+);/.exec(line)?.[1] ?? []);
  assert.equal(new Set(saved).size, 2);
});

function filesIn(place: string): string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(place, file)).isFile())
    .map((file) => relative('.', file))
    .sort();
}
