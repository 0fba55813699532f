/** The page, in a real browser, of a relay with real transfers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { startBrowser, type Browser } from '../support/browser.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import type { LabProcess } from '../support/lab/process.ts';
import { browserProgram, browserRequirements, debianPython, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const missing = await browserRequirements();
const page = 'http://127.0.0.1:2180/';
const hostile = '<img src=x onerror=document.title=1>';
/** Shown as it is, it would read `safe exe.txt`. */
const turned = 'safe\u202etxt.exe';
const longName = `<b onclick=alert(1)>${'n'.repeat(480)}`;

let network: Network;
let server: LabServer;
let relay: LabRelay;
let browser: Browser;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork();
  server = await startServer(network, 'vsftpd');
  for (const name of [hostile, turned]) server.put(name, Buffer.alloc(40_000_000));
  relay = await start();
  browser = await startBrowser(browserProgram(), ['ip', 'netns', 'exec', network.namespace('gateway')]);
  await browser.emulate({ width: 1400, height: 900 });
});

after(async () => {
  if (missing.length > 0) return;
  await browser.close();
  await network.dispose();
});

function start(): Promise<LabRelay> {
  const flags = ['--passive-ports', '50000-50009', '--max-sessions', '8', '--admin-listen', '127.0.0.1:2180'];
  return startRelay(network, { flags });
}

/** Sends each line that it is given, and prints the reply. */
const dialogue = `
import socket, sys
s = socket.create_connection((sys.argv[1], 21)); f = s.makefile('rb')
def reply():
    while True:
        line = f.readline()
        if line[3:4] == b' ': return line.decode()
print(reply(), flush=True)
for line in sys.stdin:
    s.sendall(line.strip().encode() + b'\\r\\n')
    print(reply(), flush=True)
`;

/** A control connection of the client's; `said` waits for that reply to the last of the lines. */
async function connect(lines: readonly string[], last: RegExp): Promise<LabProcess> {
  const argv = [debianPython, '-c', dialogue, addresses[4].public];
  const client = network.spawn('client', argv, { interactive: true });
  await client.waitForOutput(/220 /);
  client.write(lines.map((line) => `${line}\n`).join(''));
  await client.waitForOutput(last);
  return client;
}

function transfer(name: string, rate: string): LabProcess {
  const who = `${server.user}:${server.password}`;
  const url = `ftp://${addresses[4].public}/${encodeURIComponent(name)}`;
  return network.spawn('client', ['curl', '-s', '--limit-rate', rate, '-o', '/dev/null', '-u', who, url]);
}

const login = (): string[] => [`USER ${server.user}`, `PASS ${server.password}`];
const text = (selector: string): Promise<string> =>
  browser.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? 'not there'`);

/** What the console says of a relay that is gone is no mistake of the page's. */
function mistakes(): string[] {
  return browser.errors().filter((each) => !/ERR_(CONNECTION|EMPTY_RESPONSE|INCOMPLETE_CHUNKED)/.test(each));
}

test('shows who is connected, what flows, how near the limits are and what was refused', async (t) => {
  if (skipOrFail(t, missing)) return;
  transfer(hostile, '300k');
  transfer(turned, '1M');
  await connect([...login(), 'PORT 10,0,0,1,200,1', 'PORT 10,0,0,1,200,1'], /500 [^]*500 /);
  await connect([...login(), 'EPSV'], /229 /);
  await connect([`USER ${longName}`, 'PASS wrong'], /530 /);
  await browser.navigate(page);

  await browser.waitFor(`document.querySelectorAll('#transfers tbody tr').length === 2`);
  assert.equal(await text('#state'), 'Serving');
  assert.match(await text('#facts'), /10\.77\.0\.2:21/);
  assert.match(await text('#figure-sessions'), /5 of 8/);
  assert.match(await text('#figure-passive'), /1 of 10/);
  assert.match(await text('#figure-transfers'), /2 down, 0 up/);
  await connect(login(), /230 /);
  await connect(login(), /230 /);
  await browser.waitFor(`document.querySelector('#figure-sessions').innerText.includes('Near the limit')`);

  // The rate is what flows now, from what it was before.
  await browser.waitFor(`/\\d [KM]iB\\/s/.test(document.querySelector('#transfers').innerText)`);
  const transfers = await text('#transfers tbody');
  assert.match(transfers, /\d+ % · [\d.]+ [KM]iB of 38\.1 MiB/);
  assert.ok(transfers.includes(`/${hostile}`), transfers);
  assert.ok(transfers.includes('/safe\\u202etxt.exe'), transfers);
  assert.match(await text('#sessions'), /<b onclick=alert\(1\)>nnn/);
  assert.match(await text('#reasons'), /2\s+not-the-peer command\s+The address in PORT or EPRT is not/);
  assert.match(await text('#reasons'), /1\s+login-failed login\s+The server refused the login\./);
  assert.equal(await browser.evaluate(`document.querySelectorAll('img, main b[onclick]').length`), 0);
  assert.match(await browser.evaluate('document.title'), /^7 sessions/);
  assert.deepEqual(browser.errors(), []);
});

test('is read without overflow and with AA contrast, narrow and wide, light and dark', async (t) => {
  if (skipOrFail(t, missing)) return;
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [360, 800, 1400]) {
      await browser.emulate({ width, height: 800, scheme, isMotionReduced: true });
      const wide = await browser.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} of ${width}`);
      assert.deepEqual(await browser.evaluate<string[]>(faint), [], `${scheme} ${width}`);
    }
    const ground = await browser.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.equal(ground, scheme === 'light' ? 'rgb(244, 246, 247)' : 'rgb(15, 21, 25)');
  }
  await browser.emulate({ width: 1400, height: 900 });
});

test('is used by keyboard: sorting, filter, plots and the dialogue of a session as it happens', async (t) => {
  if (skipOrFail(t, missing)) return;
  const focused = (): Promise<string> =>
    browser.evaluate(`document.activeElement.innerText || document.activeElement.id`);
  const tabTo = async (expression: string): Promise<void> => {
    for (let count = 0; count < 80; count++) {
      await browser.press('Tab');
      if (await browser.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(expression)})`))
        return;
    }
    assert.fail(`Tab does not lead to ${expression}`);
  };
  const client = await connect(login(), /230 /);
  const id = await browser.evaluate<number>(
    `fetch('v1/sessions').then((answer) => answer.json()).then(({ sessions }) => sessions.at(-1).id)`,
  );
  await browser.waitFor(`document.querySelector('#sessions a[href="#session=${id}"]')`);
  await browser.navigate(page);
  await browser.waitFor(`document.querySelector('#sessions a[href="#session=${id}"]')`);
  await browser.press('Tab');
  assert.equal(await focused(), 'Skip to the content');

  await tabTo('#sessions-filter');
  for (const key of 'onclick') await browser.press(key);
  await browser.waitFor(`document.querySelectorAll('#sessions tbody tr').length === 1`);
  await browser.press('Escape');
  await browser.waitFor(`document.querySelectorAll('#sessions tbody tr').length > 1`);
  await tabTo('#sessions th:nth-child(3) button');
  const sorted = `document.querySelector('#sessions th:nth-child(3)').getAttribute('aria-sort')`;
  await browser.press('Enter');
  assert.equal(await browser.evaluate(sorted), 'ascending');
  await browser.press('Enter');
  assert.equal(await browser.evaluate(sorted), 'descending');

  await tabTo(`#sessions a[href="#session=${id}"]`);
  await browser.press('Enter');
  await browser.waitFor(
    `document.querySelector('#ladder-state').innerText.startsWith('Session ${id}, from the moment')`,
  );
  assert.equal(await browser.evaluate(`document.activeElement.matches('.scroll')`), true);
  client.write('PASS a secret\nPASV\nPORT 10,0,0,1,200,1\n');
  await browser.waitFor(`document.querySelector('.rungs').innerText.includes('refused: not-the-peer')`);
  const ladder = await text('.rungs');
  assert.match(ladder, /PASS \*\*\*\*/);
  assert.doesNotMatch(ladder, /a secret/);
  assert.match(ladder, /227 Entering Passive Mode \(198,51,100,1,\S+\s+←\s+227 Entering [^\n]*\(10,77,0,2,/);
  assert.match(ladder, /pinhole opened: 198\.51\.100\.10 → 198\.51\.100\.1:500\d\d ⇒ 10\.77\.0\.2:/);

  await tabTo('#plot-throughput, #choose');
  await browser.evaluate(`document.querySelector('#plot-throughput').focus()`);
  const said = `document.querySelector('#plot-throughput').getAttribute('aria-valuetext')`;
  assert.match(await browser.evaluate<string>(said), /^Now: Down [\d.]+ (?:[KM]i)?B\/s, Up /);
  await browser.press('Home');
  assert.match(await browser.evaluate<string>(said), /^\d\d:\d\d:\d\d: not known yet$/);
  await browser.press('Escape');
  assert.match(await browser.evaluate<string>(said), /^Now/);
  assert.match(await text('#plot-ports-summary'), /^Ports: at most \d+, at \d\d:\d\d\.$/);
  client.write('QUIT\n');
  await browser.waitFor(`document.querySelector('#ladder-state').innerText === 'Session ${id} has ended.'`);
  assert.deepEqual(browser.errors(), []);
});

test('keeps the newest 500 lines of a dialogue, and does not scroll away from what is read', async (t) => {
  if (skipOrFail(t, missing)) return;
  const client = await connect(login(), /230 /);
  await browser.evaluate(`fetch('v1/sessions').then((answer) => answer.json())
    .then(({ sessions }) => { location.hash = '#session=' + sessions.at(-1).id })`);
  await browser.waitFor(`document.querySelector('#ladder-state').innerText.includes('from the moment')`);
  client.write(`${'NOOP\n'.repeat(300)}SYST\n`);
  await browser.waitFor(`document.querySelector('.rungs').lastElementChild?.innerText.includes('215 ')`);
  assert.equal(await browser.evaluate(`document.querySelectorAll('.rung:not(.head)').length`), 500);
  const scroll = `document.querySelector('.scroll')`;
  await browser.waitFor(
    `Math.abs(${scroll}.scrollHeight - ${scroll}.clientHeight - ${scroll}.scrollTop) < 2`,
  );
  await browser.evaluate(`${scroll}.scrollTop = 0`);
  await delay(100);
  client.write('NOOP\n');
  await browser.waitFor(`document.querySelector('.newest').innerText.includes('2 new')`);
  assert.ok((await browser.evaluate<number>(`${scroll}.scrollTop`)) < 100);
});

test('asks nothing while nobody sees it, and nothing of anybody else', async (t) => {
  if (skipOrFail(t, missing)) return;
  await browser.setHidden(true);
  await delay(300);
  const before = browser.requests().length;
  await delay(2500);
  assert.equal(browser.requests().length, before);
  await browser.setHidden(false);
  await delay(300);
  assert.ok(browser.requests().length > before);
  const elsewhere = browser.requests().filter((url) => !url.startsWith(page) && !url.startsWith('data:'));
  assert.deepEqual(elsewhere, []);
});

test('says that the relay is gone, and goes on when it is back', async (t) => {
  if (skipOrFail(t, missing)) return;
  await relay.stop('SIGKILL');
  await browser.waitFor(`!document.querySelector('#gone').hidden`);
  assert.equal(await text('#state'), 'No answer');
  await browser.waitFor(`/Next try in \\d+ s/.test(document.querySelector('#gone').innerText)`);
  assert.equal(await text('#announce'), 'The relay does not answer.');
  relay = await start();
  await browser.evaluate(`document.querySelector('#try').click()`);
  await browser.waitFor(`document.querySelector('#gone').hidden`);
  assert.equal(await text('#state'), 'Serving');
  await browser.waitFor(`document.querySelector('#sessions .empty').innerText === 'Nobody is connected.'`);
  assert.deepEqual(mistakes(), []);
});

/** Texts with less contrast than 4.5 : 1 to the ground behind them, as an expression for the page. */
const faint = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const partsOf = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (parts) => parts.slice(0, 3)
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const parts = partsOf(getComputedStyle(each).backgroundColor);
      if (parts[3] === 255) return parts;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || element.checkVisibility?.() === false) continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const [one, other] = [light(partsOf(colour)), light(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) found.push(walker.currentNode.data.trim().slice(0, 30) + ' ' + contrast.toFixed(2));
  }
  return found;
})()`;
