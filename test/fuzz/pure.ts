/** The layers that touch no socket, by bytes: no exception, the same however the bytes are cut, and nothing shown that is not to be. */
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';
import { settings } from '../../src/config/table.ts';
import { endOfSynch, parseCommand } from '../../src/ftp/command.ts';
import {
  findExtendedPorts,
  findLoosePorts,
  parseExtendedHostPort,
} from '../../src/ftp/extended-host-port.ts';
import { findHostPorts, parseHostPort } from '../../src/ftp/host-port.ts';
import { LineReader, type Line } from '../../src/ftp/lines.ts';
import { ReplyReader } from '../../src/ftp/reply.ts';
import { replaceSpans, type Span } from '../../src/ftp/rewrite.ts';
import { ExchangeQueue } from '../../src/helper/exchange-queue.ts';
import { inspectCommand } from '../../src/helper/inspect-command.ts';
import { inspectReply, isInspected } from '../../src/helper/inspect-reply.ts';
import { showBytes, showCommand, showReply } from '../../src/helper/redact.ts';
import { settleReply } from '../../src/helper/session-state.ts';
import { parseAddress } from '../../src/net/address.ts';
import { parseCidr } from '../../src/net/cidr.ts';
import { parsePortRange } from '../../src/net/port-range.ts';
import { ServerReplies, type ReplyStep } from '../../src/proxy/session/server-replies.ts';
import { loggedIn, policyWith } from '../data/sessions.ts';
import { dialogueOf } from './dialogue.ts';
import { read, readEprt, readPort } from './model/commands.ts';
import { extendedPortsIn, hostPortsIn } from './model/replies.ts';
import { secret } from './play.ts';
import type { Random } from './random.ts';

/** Undefined where all is well. */
type Check = (random: Random) => string | undefined;

const checks: Readonly<Record<string, Check>> = {
  lines: (random) => {
    const bytes = Buffer.from(textOf(random), 'latin1');
    const whole = linesIn([bytes]);
    const cut = linesIn(piecesOf(bytes, random));
    if (joined(whole) !== bytes.toString('latin1')) return 'bytes are lost';
    // An overlong line comes in as many pieces as it came in.
    if (joined(cut) !== joined(whole)) return 'other bytes come of pieces';
    const texts = (lines: readonly Line[]): string =>
      JSON.stringify(lines.filter(({ piece }) => piece === undefined));
    return texts(whole) === texts(cut) ? undefined : 'other lines come of pieces';
  },
  command: (random) => checkCommand(lineOf(random)),
  'host-port': (random) => {
    const text = numbersOf(random);
    const parsed = parseHostPort(text);
    if (parsed?.port !== readPort(text)?.port || parsed?.address !== readPort(text)?.address)
      return `PORT ${text}`;
    const found = findHostPorts(text).map(({ start, end, endpoint }) => [start, end, endpoint.port]);
    const expected = hostPortsIn(`227 ${text}`).map(({ start, end, port }) => [start - 4, end - 4, port]);
    return same(found, expected, text) ?? rebuilt(text, findHostPorts(text));
  },
  'extended-host-port': (random) => {
    const text = numbersOf(random);
    const parsed = parseExtendedHostPort(text);
    const model = readEprt(text);
    if (typeof model === 'object' && parsed?.endpoint?.port !== model.port) return `EPRT ${text}`;
    if (model === undefined && parsed !== undefined) return `EPRT ${text} is taken`;
    const found = findExtendedPorts(text).map(({ start, end, port }) => [start, end, port]);
    const expected = extendedPortsIn(`229 ${text}`).map(({ start, end, port }) => [start - 4, end - 4, port]);
    return (
      same(found, expected, text) ??
      rebuilt(text, findExtendedPorts(text)) ??
      rebuilt(text, findLoosePorts(text))
    );
  },
  reply: (random) => {
    const reader = new ReplyReader();
    for (const text of textOf(random).split('\n')) reader.push(text);
    return undefined;
  },
  'inspect-command': (random) => {
    const state = loggedIn();
    state.loggedIn = random.chance(0.8);
    state.epsvAll = random.chance(0.1);
    state.begun = random.chance(0.9);
    const decision = inspectCommand(parseCommand(lineOf(random)), state, policyWith());
    if (decision.kind === 'expect') {
      const { endpoint } = decision.announcement;
      if (!state.loggedIn) return 'a PORT is taken before the log in';
      if (endpoint.address !== state.client || endpoint.port < 1024)
        return `a PORT names ${endpoint.address}:${endpoint.port}`;
    }
    if (decision.kind === 'refuse' && !/^[45]\d\d [\x20-\x7e]+$/.test(decision.reply)) return decision.reply;
    return undefined;
  },
  'inspect-reply': (random) => {
    const state = loggedIn();
    const verb = random.pick(['PASV', 'EPSV', 'STAT', 'FEAT', 'XYZZY']);
    state.exchanges.add({ kind: 'sent', verb, argument: '' });
    const code = random.pick([227, 229, 211]);
    if (!isInspected(code, state, policyWith())) return undefined;
    const lines = [`${code} ${numbersOf(random)}`, ...(random.chance(0.2) ? [numbersOf(random)] : [])];
    const decision = inspectReply(code, lines, state, policyWith());
    if (decision.kind !== 'expect') return undefined;
    const rewritten = decision.rewrite({ address: state.reached, port: 50_000 });
    return rewritten.length === lines.length ? undefined : 'lines are lost';
  },
  'exchange-queue': (random) => {
    const queue = new ExchangeQueue();
    for (let n = 0; n < 60; n++) {
      const code = random.between(100, 660);
      switch (random.below(6)) {
        case 0:
          queue.arrive(code);
          break;
        case 1:
          queue.settle(code);
          break;
        case 2:
          queue.add({ kind: 'answered', answer: '500 No.\r\n' });
          break;
        case 3:
          queue.seemsEnded();
          queue.endsOpen(random.between(100, 600), code);
          break;
        case 4:
          queue.takeAnswers();
          break;
        default:
          queue.add({
            kind: 'sent',
            verb: random.pick(['PASV', 'EPSV', 'RETR', 'STAT', 'ABOR', '', 'XYZZY']),
            argument: '',
          });
      }
      if (queue.size < 0) return 'fewer than none';
    }
    return undefined;
  },
  'server-replies': (random) => {
    const state = loggedIn();
    const verbs = ['PASV', 'RETR', 'STAT', 'NOOP', 'FEAT'];
    for (const verb of verbs)
      if (random.chance(0.5)) state.exchanges.add({ kind: 'sent', verb, argument: '' });
    const replies = new ServerReplies(
      () => random.chance(0.3),
      () => state.exchanges,
    );
    const said = textOf(random);
    const bytes = Buffer.from(said.slice(0, said.lastIndexOf('\n') + 1), 'latin1');
    const steps: ReplyStep[] = [];
    for (const line of linesIn(piecesOf(bytes, random))) {
      const came = replies.push(line);
      for (const step of came)
        if (step.kind === 'last' || step.kind === 'whole') settleReply(state, step.code);
      steps.push(...came);
    }
    steps.push(...replies.end());
    const text = steps
      .map((step) => ('lines' in step ? joined(step.lines) : step.kind === 'piece' ? step.text : ''))
      .join('');
    return text === bytes.toString('latin1')
      ? undefined
      : `${JSON.stringify(bytes.toString('latin1'))} became ${JSON.stringify(text)}`;
  },
  redact: (random) => {
    const before = random.chance(0.5) ? '' : random.pick(['\xff\xf4\xff\xf2', ' ', '\t', '\xff\xfb\x01']);
    const verb = random.pick(['PASS', 'pass', 'ACCT', 'PaSs', 'PSAS', 'PAS\xff\xf1S']);
    const line = `${before}${verb}${random.pick([' ', '  ', '\t', '\0', '\r'])}${secret}${random.bytes(random.below(10))}`;
    const shown = [
      showCommand(parseCommand(line)),
      showReply(`500 ${line}`, parseCommand(line).verb),
      showBytes(textOf(random)),
      showCommand(parseCommand(lineOf(random))),
    ];
    if (shown.slice(0, 2).some((text) => text.includes(secret)))
      return `${JSON.stringify(line)} is shown as ${JSON.stringify(shown)}`;
    return shown.some((text) => /[\x00-\x1f\x7f-\x9f]/.test(text))
      ? `control bytes are shown: ${JSON.stringify(shown)}`
      : undefined;
  },
  config: (random) => {
    const keys = settings.map(({ key }) => key);
    const words = [
      '',
      '0',
      '21',
      '-1',
      '70000',
      '1-2',
      '9-3',
      '300s',
      '1h',
      'true',
      '127.0.0.1:0',
      '[::1]:21',
      '::',
      '10.0.0.0/8',
      'a.b',
      '\0',
    ];
    const value = (): string => (random.chance(0.7) ? random.pick(words) : random.bytes(random.below(12)));
    const flags = Object.fromEntries(
      Array.from({ length: random.between(1, 4) }, () => [random.pick(keys), value()]),
    );
    const file = Array.from(
      { length: random.below(4) },
      () => `${random.pick(keys)} = ${random.chance(0.5) ? JSON.stringify(value()) : value()}\n`,
    );
    try {
      loadConfig({
        flags: { ...flags, config: 'file' },
        env: { PINHOLE_LISTEN: value() },
        readFile: () => file.join(''),
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (/[\n\0]/.test(error.message)) return `the error is no line: ${JSON.stringify(error.message)}`;
    }
    return undefined;
  },
  readers: (random) => {
    const text = random.chance(0.5) ? random.bytes(random.below(30)) : numbersOf(random);
    parseAddress(text);
    parseCidr(text);
    parsePortRange(text);
    return undefined;
  },
};

export const layers: readonly string[] = Object.keys(checks);

/** Whether the relay reads a line as the model does. */
export function checkCommand(text: string): string | undefined {
  const command = parseCommand(text);
  const reading = read(text);
  if (endOfSynch(`${text}\r\n`) > text.length + 2) return 'a Synch ends behind its line';
  const isSame =
    command.verb === reading.verb && command.argument === reading.argument && command.plain === reading.plain;
  return isSame ? undefined : `it reads ${JSON.stringify(command)}, the model ${JSON.stringify(reading)}`;
}

/** Asks one layer; returns what is wrong. */
export function checkLayer(layer: string, random: Random): string | undefined {
  try {
    return checks[layer]?.(random);
  } catch (error) {
    return `an exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function same(found: unknown, expected: unknown, text: string): string | undefined {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  return one === other ? undefined : `in ${JSON.stringify(text)} it finds ${one}, the model ${other}`;
}

/** What stands outside of the spans stays. */
function rebuilt(text: string, spans: readonly Span[]): string | undefined {
  const marked = replaceSpans(text, spans, '\u{1f573}');
  const parts = marked.split('\u{1f573}');
  const isKept = parts.length === spans.length + 1 && parts.every((part) => text.includes(part));
  return isKept ? undefined : `spans of ${JSON.stringify(text)} overlap`;
}

/** What a dialogue's peers may say, and what they would not. */
function textOf(random: Random): string {
  if (random.chance(0.3)) return random.bytes(random.below(300));
  const { client, server } = dialogueOf(random.next(), 'refuse');
  const texts = [
    ...client.map((step) => (step.do === 'say' ? step.text : '')),
    ...server.map((act) => ('text' in act ? act.text : '')),
  ];
  return mutated(texts.join(''), random);
}

function lineOf(random: Random): string {
  return random
    .pick(textOf(random).split(/\r?\n/))
    .replaceAll('{me}', '198,51,100,10')
    .replaceAll('{me.}', '198.51.100.10');
}

/** Numbers of announcements, more or less. */
function numbersOf(random: Random): string {
  const number = (): string =>
    random.pick([String(random.below(300)), '0', '00', '255', '256', '1024', '65535', '70000', '']);
  const d = random.pick(['|', '!', '.', ',', '1', '(']);
  const six = Array.from({ length: random.between(5, 8) }, number).join(random.pick([',', ',', ' , ', '.']));
  const text = random.pick([
    six,
    `(${six})`,
    `${six} ${six}`,
    `${d}1${d}198.51.100.10${d}${number()}${d}`,
    `(${d}${d}${d}${number()}${d})`,
    `x ${d}${d}${d}${number()}${d} (${number()})`,
    `(${d}1${d}10.0.0.1${d}${number()}${d})`,
  ]);
  return random.chance(0.3) ? mutated(text, random) : text;
}

function mutated(text: string, random: Random): string {
  let result = text;
  for (let n = random.below(4); n > 0; n--) {
    const at = random.below(result.length + 1);
    const length = random.below(4);
    result = result.slice(0, at) + random.bytes(random.below(3)) + result.slice(at + length);
  }
  return result;
}

function piecesOf(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + (random.chance(0.5) ? 1 : random.between(1, 5000)));
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

/** The lines, and what is left of the last one. */
function linesIn(pieces: readonly Buffer[]): Line[] {
  const reader = new LineReader();
  const lines: Line[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let line = reader.next(); line; line = reader.next()) lines.push(line);
  }
  // What follows a piece of an overlong line is a piece of it as well.
  const last = lines.at(-1);
  const isPiece = last?.piece !== undefined && last.end === '';
  if (reader.rest() !== '') lines.push({ text: reader.rest(), end: '', ...(isPiece && { piece: 'more' }) });
  return lines;
}

function joined(lines: readonly Line[]): string {
  return lines.map(({ text, end }) => text + end).join('');
}
