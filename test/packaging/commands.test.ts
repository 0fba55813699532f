import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { describeCommands } from '../../src/packaging/commands.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../src/packaging/completions.ts';
import { manPages } from '../../src/packaging/man.ts';
import { settings } from '../../src/config/table.ts';
import { program } from '../support/project.ts';

const [node = '', ...cli] = program;
const commands = await describeCommands();
const edition = { version: '1.2.3', date: '2026-11-28' };

test('knows every command and every flag that --help lists, and no other', () => {
  assert.ok(commands.length >= 5);
  for (const { name, flags } of commands) {
    const { stdout } = spawnSync(node, [...cli, name, '--help'], { encoding: 'utf8' });
    const listed = [...stdout.matchAll(/^ +(?:-h, )?--([a-z0-9-]+) /gm)].map(([, flag]) => flag);
    assert.deepEqual(
      flags.map((flag) => flag.name).sort(),
      [...new Set(listed)].filter((flag) => flag !== 'version').sort(),
      name,
    );
  }
});

test('a page describes each flag of its command, and pinhole.toml(5) each setting', () => {
  const pages = manPages(commands, edition);
  for (const { name, flags } of commands) {
    const page = pages.get(`pinhole-${name}.1`) ?? '';
    for (const flag of flags)
      assert.ok(page.includes(`\n.B \\-\\-${flag.name.replaceAll('-', '\\-')}`), `${name} --${flag.name}`);
    assert.ok(pages.get('pinhole.1')?.includes(`.BR pinhole\\-${name.replaceAll('-', '\\-')} (1)`));
  }
  const file = pages.get('pinhole.toml.5') ?? '';
  for (const { key } of settings) assert.ok(file.includes(`.B ${key.replaceAll('-', '\\-')}\n`), key);
});

test('no line of a page begins like a request by accident', () => {
  for (const [name, page] of manPages(commands, edition)) {
    for (const line of page.split('\n'))
      assert.match(line, /^(?:\.(?:TH|SH|SS|TP|PP|BR?|I|RI|br|nf|fi)(?: |$)|[^.'\n]|$)/, name);
  }
});

test('bash completes commands, flags and the words of a value', (t) => {
  if (spawnSync('bash', ['--version']).error) {
    t.skip('bash is missing');
    return;
  }
  const complete = (...words: string[]): string[] => {
    const script = `${bashCompletion(commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pinhole; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'pinhole', ...words], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  assert.deepEqual(complete('ru'), ['run', 'rules']);
  assert.deepEqual(complete('run', '--tls-c'), ['--tls-cert', '--tls-client-ca', '--tls-ccc']);
  assert.deepEqual(complete('run', '--plane', ''), ['relay', 'kernel']);
  assert.ok(complete('rules', '--for', '').includes('nftables'));
});

for (const [shell, text] of [
  ['zsh', zshCompletion(commands)],
  ['fish', fishCompletion(commands)],
] as const) {
  test(`${shell} can read its completions`, (t) => {
    for (const { name, flags } of commands) {
      assert.ok(text.includes(name));
      for (const flag of flags) assert.match(text, new RegExp(`(?:--|-l )${flag.name}\\b`));
    }
    const { error, status, stderr } = spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' });
    if (error) t.skip(`${shell} is missing: its syntax is not checked`);
    else assert.equal(status, 0, stderr);
  });
}
