import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from './support/relay/command-line.ts';
import { hosts } from './support/relay/hosts.ts';
import { runProgram } from './support/relay/program.ts';

test('--help is short, and names the commands', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, ['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^npx pinhole COMMAND \[OPTIONS\]/);
  assert.match(stdout, /pinhole run /);
  assert.match(stdout, /pinhole demo /);
  assert.ok(stdout.split('\n').length < 25);
});

test('run --help groups the settings', async (t) => {
  const { code, stdout } = await runProgram(t, ['run', '--help']);
  assert.equal(code, 0);
  const headings = stdout.split('\n').filter((line) => /^[A-Z][a-z]+:$/.test(line));
  for (const group of ['Addresses:', 'Ports:', 'Access:', 'Limits:', 'Operation:'])
    assert.ok(headings.includes(group), group);
});

for (const [name, args, message] of [
  ['no command', [], /a command is missing; allowed: run, demo, rules, doctor/],
  ['an unknown command', ['walk'], /unknown command: walk; allowed: run, demo, rules, doctor/],
  ['an unknown flag', ['run', '--sever', 'x'], /sever \(see npx pinhole run --help\)/],
  [
    'a wrong value',
    ['run', '--max-sessions', 'many'],
    /max-sessions: "many" \(from flag --max-sessions\) is not allowed; allowed: a whole number from 1 to 1000000/,
  ],
] as const) {
  test(`${name} is one line on standard error and exit code 2`, async () => {
    const { code, stdout, stderr } = await runCommandLine(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^pinhole: [^\n]+\n$/);
    assert.match(stderr, message);
  });
}

test('a flag without its value is one line on standard error and exit code 2', async () => {
  const { code, stderr } = await runCommandLine(['run', '--server']);
  assert.match(stderr, /^pinhole: [^\n]*server[^\n]*\n$/);
  assert.equal(code, 2);
});

test('a wrong variable is one line that names it, and exit code 2', async (t) => {
  // The program itself: it ends with the code that is set.
  const { code, stderr } = await runProgram(t, ['run'], { PINHOLE_GRACE: 'soon' });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^pinhole: grace: "soon" \(from environment PINHOLE_GRACE\) is not allowed; [^\n]+\n$/,
  );
});

test('an address that can not be listened on is one line and exit code 1', async (t) => {
  const { code, stderr } = await runProgram(t, [
    'run',
    '--server',
    hosts.server,
    '--listen',
    '192.0.2.1:2121',
    '--log-format',
    'json',
  ]);
  assert.equal(code, 1);
  assert.equal(stderr, 'pinhole: listen 192.0.2.1:2121: no interface of this host has this address\n');
});
