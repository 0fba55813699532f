/**
 * The docs say what the code does. Parts of them are made from it: where this fails after a change,
 *
 *     UPDATE_DOCS=1 npm run unit -- docs.test
 *
 * rewrites them.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../src/config/load.ts';
import { settings } from '../src/config/table.ts';
import {
  commandReasons,
  pinholeReasons,
  replyReasons,
  sessionReasons,
  transferCauses,
} from '../src/events.ts';
import { verdictOf } from '../src/doctor/finding.ts';
import { examineHost } from '../src/doctor/host.ts';
import { nodeParts } from '../src/node-internals/check.ts';
import { replies } from '../src/helper/replies.ts';
import { setups, setupSources } from './doctor/setups.ts';
import { decisionNames, decisionOf } from './support/differential/decisions.ts';
import { drawLayers } from './support/layers.ts';
import { differences } from './support/relay/plane.ts';

const pages = ['README.md', 'rules/README.md', ...namesIn('docs', '.md')];

test('docs/architecture.md draws the layers as the imports have them', () => {
  assertPart('docs/architecture.md', 'layers', `\`\`\`text\n${drawLayers()}\n\`\`\``);
});

test('docs/configuration.md lists every setting, its variable, its default and what is allowed', () => {
  const groups = [...new Set(settings.map(({ group }) => group))];
  for (const group of groups) {
    const rows = settings
      .filter((setting) => setting.group === group)
      .map(({ key, variable, defaultText, allowed }) =>
        row([`\`${key}\``, `\`${variable}\``, defaultText === '' ? 'none' : `\`${defaultText}\``, allowed]),
      );
    const heading = [row(['key', 'variable', 'default', 'allowed']), row(['---', '---', '---', '---'])];
    assertPart('docs/configuration.md', group, [...heading, ...rows].join('\n'));
  }
});

test('docs/configuration.md explains every setting, and no other', () => {
  const told = [...read('docs/configuration.md').matchAll(/^- `([a-z0-9-]+)`/gm)].map(([, key]) => key);
  assert.deepEqual(
    told,
    settings.map(({ key }) => key),
  );
});

test("docs/doctor.md counts the setups of the doctor's tests, and what is said of each", () => {
  const servers = ['vsftpd', 'ProFTPD', 'Pure-FTPd', 'Pinhole'];
  const groupOf = (what: string): string =>
    servers.find((server) => what.startsWith(`${server}: `)) ?? 'firewall and forwarding';
  const rows = ['firewall and forwarding', ...servers].map((name) => {
    const members = setups.filter(({ what }) => groupOf(what) === name);
    const said = members.map(({ broken, faults, unseen = [] }) => {
      const findings = examineHost(setupSources(broken));
      const ids = (level: string): string =>
        findings
          .flatMap((finding) => (finding.level === level ? [finding.id] : []))
          .sort()
          .join();
      const isRight =
        ids('fault') === [...faults].sort().join() && ids('unseen') === [...unseen].sort().join();
      return isRight ? verdictOf(findings) : 'wrong';
    });
    const twins = members.map(({ twin }) => verdictOf(examineHost(setupSources(twin))));
    const count = (words: readonly string[], word: string): string =>
      String(words.filter((one) => one === word).length);
    const wrong = said.filter((one) => one === 'wrong' || one === 'healthy').length;
    assert.equal(wrong, 0, name);
    return row([
      ...[name, String(members.length), count(said, 'fault'), count(said, 'as-far-as-seen'), String(wrong)],
      `${count(twins, 'healthy')} of ${twins.length}`,
    ]);
  });
  const heading = [
    'what is wrong',
    'tried',
    'named right',
    'not known, and said so',
    'wrong',
    'healthy twins without a finding',
  ];
  assertPart('docs/doctor.md', 'setups', [row(heading), row(heading.map(() => '---')), ...rows].join('\n'));
});

test('docs/what-it-does.md explains each reason that there is, in its place', () => {
  const told = read('docs/what-it-does.md');
  const lists = {
    CommandReason: commandReasons,
    ReplyReason: replyReasons,
    PinholeReason: pinholeReasons,
    SessionReason: sessionReasons,
    TransferCause: transferCauses,
  };
  const types = [...read('src/events.ts').matchAll(/^export type (\w+Reason|\w+Cause) =/gm)];
  assert.deepEqual(
    types.map(([, name]) => name),
    Object.keys(lists),
  );
  for (const [type, reasons] of Object.entries(lists)) {
    const rows = [...partOf(told, type).matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, reason]) => reason);
    assert.deepEqual(rows.sort(), [...reasons].sort(), type);
  }
});

test('docs/what-it-does.md quotes every reply that the relay gives of its own, and no other', () => {
  const told = read('docs/what-it-does.md');
  const quoted = [...told.matchAll(/`([245]\d\d [A-Z][^`]*)`/g)].map(([, reply = '']) =>
    // A bar has to be escaped in a table.
    reply.replaceAll('\\|', '|'),
  );
  const shapes = Object.values(replies).map((reply) => ({
    reply: typeof reply === 'string' ? reply : reply('*'),
    shape: shapeOf(reply),
  }));
  for (const { reply, shape } of shapes) {
    assert.ok(
      quoted.some((text) => shape.test(text)),
      `nowhere told: ${reply}`,
    );
  }
  for (const text of quoted) {
    assert.ok(
      shapes.some(({ shape }) => shape.test(text)),
      `never given: ${text}`,
    );
  }
});

test('docs/compared-with-the-kernel.md lists each difference that the tests check', () => {
  const rows = decisionNames.map((name) => {
    const { number, helper, pinhole } = decisionOf(name);
    return row([`${number}: ${name}`, helper.replaceAll('|', '\\|'), pinhole]);
  });
  const heading = [row(['decision', "the kernel's helper", 'Pinhole']), row(['---', '---', '---'])];
  assertPart('docs/compared-with-the-kernel.md', 'decisions', [...heading, ...rows].join('\n'));
});

test('docs/dependencies.md explains each package in package.json, and no other', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'optionalDependencies' | 'devDependencies',
    Record<string, string>
  >;
  const told = read('docs/dependencies.md');
  for (const [part, wanted] of Object.entries({ dependencies, optionalDependencies, devDependencies })) {
    const rows = [...partOf(told, part).matchAll(/^- `([^`]+)`: \S/gm)].map(([, name]) => name);
    assert.deepEqual(rows, Object.keys(wanted), part);
  }
});

test('docs/dependencies.md tells of each part of Node that is used and not documented', () => {
  const rows = nodeParts.map(({ name, without, isNeeded }) =>
    row([`\`${name}\``, without, isNeeded ? 'does not start' : 'warns']),
  );
  const heading = [row(['part', 'without it', 'Pinhole']), row(['---', '---', '---'])];
  assertPart('docs/dependencies.md', 'node-parts', [...heading, ...rows].join('\n'));
});

test('docs/kernel-plane.md explains each difference for which a test is left out on that plane', () => {
  const [, told = ''] = read('docs/kernel-plane.md').split('## What differs from the relay plane\n');
  const points = [...told.matchAll(/^- ([^:]+):/gm)].map(([, point]) => point);
  for (const difference of differences) assert.ok(points.includes(difference), difference);
});

test('every configuration file that the docs show is a valid one', () => {
  let shown = 0;
  for (const page of pages) {
    for (const [, text = ''] of read(page).matchAll(/^```toml\n([\s\S]*?)^```/gm)) {
      shown++;
      loadConfig({ flags: { config: page }, env: {}, readFile: () => text });
    }
  }
  assert.ok(shown > 0, 'the README shows one');
});

test('every npm script and every flag of pinhole that the docs name is there', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  const flags = [...settings.map(({ key }) => key), 'config', 'check', 'print-config', 'help', 'version'];
  for (const page of pages) {
    const code = [...read(page).matchAll(/^```(?:sh|ini)\n([\s\S]*?)^```|`([^`\n]+)`/gm)]
      .map(([, block, inline]) => block ?? inline ?? '')
      .join('\n');
    for (const [, script = ''] of code.matchAll(/npm run ([a-z]+)/g)) {
      assert.ok(scripts.includes(script), `${page}: npm run ${script}`);
    }
    for (const [, words = ''] of code.matchAll(/(?:pinhole|cli\.js) (?:run|demo)(.*)|npm start -- (.*)/g)) {
      for (const [, flag = ''] of words.matchAll(/--([a-z0-9-]+)/g)) {
        assert.ok(flags.includes(flag), `${page}: --${flag}`);
      }
    }
  }
});

test('every link of the docs leads somewhere', () => {
  // Written by the measurements and by the matrix of clients and servers.
  const generated = ['docs/compatibility.md', 'docs/performance.md'];
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(file) || generated.includes(file), `${page} links ${target}`);
      if (anchor !== undefined) assert.ok(anchorsOf(file).includes(anchor), `${page} links ${target}`);
    }
  }
});

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function namesIn(folder: string, end: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .sort()
    .map((name) => join(folder, name));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
function partOf(page: string, name: string): string {
  const [, part] = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(page) ?? [];
  assert.ok(part !== undefined, `the part ${name} is marked`);
  return part;
}

/** Compares a part of a page with what it is made from, or rewrites it. */
function assertPart(path: string, name: string, made: string): void {
  const page = read(path);
  const part = partOf(page, name);
  if (process.env['UPDATE_DOCS'] === '1') {
    const marked = (text: string): string => `<!-- ${name} -->\n${text}<!-- /${name} -->`;
    writeFileSync(
      path,
      page.replace(marked(part), () => marked(`${made}\n`)),
    );
    return;
  }
  assert.equal(part, `${made}\n`, `${path} is out of date: UPDATE_DOCS=1 npm run unit -- docs.test`);
}

/** A reply of the table as a pattern: the part that varies may be any word. */
function shapeOf(reply: (typeof replies)[keyof typeof replies]): RegExp {
  const parts = typeof reply === 'string' ? [reply] : reply('\0').split('\0');
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('\\S+')}$`);
}

/** The anchors of a page's headings, as GitHub and most others make them. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
