/**
 * A real Chromium without a window, driven over its DevTools protocol: JSON messages that end with NUL, on file descriptors
 * 3 (to it) and 4 (from it).
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** How the page is shown. */
interface Emulation {
  readonly width: number;
  readonly height: number;
  readonly scheme?: 'light' | 'dark';
  readonly isMotionReduced?: boolean;
}

export interface Browser {
  /** Opens an address, and waits until it is loaded. */
  navigate(url: string): Promise<void>;
  /** The value of an expression in the page; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true in the page; limit in ms. */
  waitFor(expression: string, limit?: number): Promise<void>;
  /** Presses a key, as `Tab`, `Enter`, `ArrowLeft` or `a`. */
  press(key: string, modifiers?: { readonly isShift?: boolean }): Promise<void>;
  emulate(how: Emulation): Promise<void>;
  /** Whether the tab is seen, as the page is told. */
  setHidden(isHidden: boolean): Promise<void>;
  /** What is seen of the page, as a PNG. */
  screenshot(): Promise<Buffer>;
  /** Errors and warnings of the console, exceptions, and what the policy has blocked, so far. */
  errors(): readonly string[];
  /** The addresses of all requests so far. */
  requests(): readonly string[];
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** For one answer of the browser, in ms. */
const answerLimit = 20_000;

/**
 * Starts the browser with one tab.
 *
 * @param program its path
 * @param through what runs it, as `ip netns exec NAME`
 */
export async function startBrowser(program: string, through: readonly string[] = []): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-browser-'));
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe'],
    ...['--no-first-run', '--disable-extensions', '--disable-background-networking', '--hide-scrollbars'],
    ...['--disable-component-update', '--disable-sync', '--mute-audio', `--user-data-dir=${folder}`],
  ];
  const argv: readonly string[] = [...through, program, ...flags, 'about:blank'];
  const [command = '', ...args] = argv;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder },
  });
  const clear = (): void => {
    killGroup(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    return await tabOf(new Protocol(child), clear);
  } catch (error) {
    clear();
    throw error;
  }
}

async function tabOf(protocol: Protocol, clear: () => void): Promise<Browser> {
  const errors: string[] = [];
  const requests: string[] = [];
  const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank' });
  const attached = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
  const session = String(attached['sessionId']);
  const send = (method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> =>
    protocol.send(method, params, session);
  let loaded: () => void = () => undefined;
  protocol.listen((method, params) => {
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Network.requestWillBeSent')
      requests.push((params as { request: { url: string } }).request.url);
    const error = errorOf(method, params);
    if (error !== undefined) errors.push(error);
  });
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await send(`${domain}.enable`);

  const evaluate = async <T>(expression: string): Promise<T> => {
    const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const { result, exceptionDetails } = answer as {
      result: { value?: unknown };
      exceptionDetails?: { exception?: { description?: string }; text: string };
    };
    if (exceptionDetails)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value as T;
  };
  return {
    evaluate,
    navigate: async (url) => {
      const isLoaded = new Promise<void>((resolve) => (loaded = resolve));
      const { errorText } = await send('Page.navigate', { url });
      assert.equal(errorText, undefined, url);
      await isLoaded;
    },
    waitFor: async (expression, limit = 10_000) => {
      const end = Date.now() + limit;
      while (!(await evaluate<boolean>(`Boolean(${expression})`))) {
        if (Date.now() > end)
          throw new Error(
            `not within ${limit} ms: ${expression}\n${await evaluate<string>('document.body.innerText')}`,
          );
        await delay(50);
      }
    },
    press: async (key, { isShift = false } = {}) => {
      const event = { key, ...codesOf(key), modifiers: isShift ? 8 : 0 };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
      await send('Input.dispatchKeyEvent', { ...event, type: 'keyUp', text: undefined });
    },
    emulate: async ({ width, height, scheme = 'light', isMotionReduced = false }) => {
      const size = { width, height, deviceScaleFactor: 1, mobile: false };
      await send('Emulation.setDeviceMetricsOverride', size);
      await send('Emulation.setEmulatedMedia', {
        features: [
          { name: 'prefers-color-scheme', value: scheme },
          { name: 'prefers-reduced-motion', value: isMotionReduced ? 'reduce' : 'no-preference' },
        ],
      });
    },
    setHidden: async (isHidden) => {
      await evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'))`);
    },
    screenshot: async () => {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(String(data), 'base64');
    },
    errors: () => errors,
    requests: () => requests,
    close: async () => {
      await protocol.send('Browser.close').catch(() => undefined);
      await protocol.ended(5000);
      clear();
    },
  };
}

/** What went wrong, in words; undefined: nothing. */
function errorOf(method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  if (method === 'Runtime.exceptionThrown') {
    const { exceptionDetails } = params as {
      exceptionDetails: { text: string; exception?: { description?: string } };
    };
    return exceptionDetails.exception?.description ?? exceptionDetails.text;
  }
  if (method === 'Runtime.consoleAPICalled') {
    const { type, args } = params as { type: string; args: readonly { value?: unknown }[] };
    if (type !== 'error' && type !== 'warning') return undefined;
    return `${type}: ${args.map(({ value }) => String(value)).join(' ')}`;
  }
  if (method !== 'Log.entryAdded') return undefined;
  const {
    level,
    text,
    url = '',
  } = (params as { entry: { level: string; text: string; url?: string } }).entry;
  return level === 'error' || level === 'warning' ? `${level}: ${text} ${url}` : undefined;
}

/** What a key is to the browser besides its name. */
function codesOf(key: string): object {
  const code = { Tab: 9, Enter: 13, Escape: 27, PageUp: 33, PageDown: 34, End: 35, Home: 36 }[key];
  const arrow = ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown'].indexOf(key);
  if (key === 'Enter') return { code: key, windowsVirtualKeyCode: code, text: '\r' };
  if (code !== undefined) return { code: key, windowsVirtualKeyCode: code };
  if (arrow !== -1) return { code: key, windowsVirtualKeyCode: 37 + arrow };
  return { text: key };
}

/** Questions and answers on the two pipes. */
class Protocol {
  readonly #to: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #exited: Promise<unknown>;
  #listener: (method: string, params: Readonly<Record<string, unknown>>) => void = () => undefined;
  #last = 0;
  #rest = '';

  constructor(child: ChildProcess) {
    this.#to = child.stdio[3] as Writable;
    this.#exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
    this.#to.on('error', () => undefined);
    const from = child.stdio[4] as Readable;
    from.setEncoding('utf8').on('data', (text: string) => {
      this.#take(text);
    });
    from.on('error', () => undefined);
  }

  listen(listener: (method: string, params: Readonly<Record<string, unknown>>) => void): void {
    this.#listener = listener;
  }

  async send(
    method: string,
    params: object = {},
    sessionId?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#to.write(
      `${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`,
    );
    const late = delay(answerLimit, undefined, { ref: false }).then(() => {
      throw new Error(`the browser did not answer ${method} within ${answerLimit} ms`);
    });
    const ended = this.#exited.then(() => {
      throw new Error(`the browser ended before it answered ${method}`);
    });
    const { result, error } = await Promise.race([answered, late, ended]);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** Waits for its end; limit in ms. */
  async ended(limit: number): Promise<void> {
    await Promise.race([this.#exited, delay(limit, undefined, { ref: false })]);
  }

  #take(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const each of messages) {
      const message = JSON.parse(each) as Message;
      if (message.method !== undefined) this.#listener(message.method, message.params ?? {});
      if (message.id === undefined) continue;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
