import { lookup } from 'node:dns/promises';
import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import { parseAddress, type Address } from '../../net/address.ts';
import { codeOf } from '../../net/error.ts';
import { fine, type Finding } from '../finding.ts';
import {
  ControlConnection,
  mostLines,
  mostReplies,
  openControl,
  type Silence,
} from './control-connection.ts';
import { isGreetingOfPinhole } from './pinhole.ts';
import { failureOf, type Failure } from './port.ts';
import { listenOn, noLookups, openControlPort, tryServer } from './remedies.ts';
import type { ServerTarget } from './target.ts';
import { seconds } from './visit.ts';

/** Milliseconds to a greeting from which on users notice. */
const slow = 2000;

type Target = Pick<ServerTarget, 'host' | 'port'>;

type Say = (finding: Finding) => void;

/** Connects to the first address of the host that takes the connection, and reads the greeting. */
export async function checkControl(
  { host, port }: Target,
  timeout: number,
  say: Say,
): Promise<ControlConnection | undefined> {
  const begin = performance.now();
  const connected = await connectToFirst({ host, port }, timeout, say);
  if (!connected) return undefined;
  const { control, address } = connected;
  say(fine('control-fine', { address, port }));
  const greeting = await readGreeting(control, timeout);
  const took = performance.now() - begin;
  const finding = judgeGreeting(greeting, took, { address, port, timeout });
  say(finding);
  if (finding.id === 'greeting-fine' || finding.id === 'greeting-slow') return control;
  control.close();
  return undefined;
}

/** RFC 959 section 5.4: a 120 comes before the 220 of a server that is not ready yet. */
export async function readGreeting(control: ControlConnection, timeout: number): Promise<Reply | Silence> {
  const first = await control.next(timeout);
  return typeof first !== 'string' && first.code === 120 ? control.next(timeout) : first;
}

async function connectToFirst(
  { host, port }: Target,
  timeout: number,
  say: Say,
): Promise<{ control: ControlConnection; address: Address } | undefined> {
  const found = await addressesOf(host);
  if (typeof found === 'string') {
    say({ id: 'name-unknown', level: 'fault', values: { host, code: found }, remedies: [] });
    return undefined;
  }
  const failed: { address: Address; failure: Failure; code: string }[] = [];
  const skipped = (): void => {
    for (const { address, code } of failed) {
      say({ id: 'address-skipped', level: 'note', values: { host, address, code }, remedies: [] });
    }
  };
  for (const address of found) {
    try {
      const control = await openControl({ host: address, port }, timeout);
      skipped();
      return { control, address };
    } catch (error) {
      const code = codeOf(error);
      failed.push({
        address,
        failure: failureOf(error),
        code: typeof code === 'string' ? code : 'ETIMEDOUT',
      });
    }
  }
  for (const { address, failure } of failed) say(judgeConnect(failure, { address, port, timeout }));
  return undefined;
}

/** The addresses of a host in the order in which clients try them, or the resolver's code. */
async function addressesOf(host: string): Promise<Address[] | string> {
  const literal = parseAddress(host);
  if (literal !== undefined) return [literal];
  try {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return [...new Set(found.flatMap(({ address }) => parseAddress(address) ?? []))];
  } catch (error) {
    return String(codeOf(error));
  }
}

interface Where {
  readonly address: Address;
  readonly port: number;
  readonly timeout: number;
}

/** Why there is no control connection. */
export function judgeConnect(failure: Failure, { address, port, timeout }: Where): Finding {
  const values = { address, port };
  switch (failure.how) {
    case 'closed':
      return {
        id: 'control-refused',
        level: 'fault',
        values,
        remedies: [...listenOn(port), ...openControlPort(port)],
      };
    case 'filtered':
      return {
        id: 'control-silent',
        level: 'fault',
        values: { ...values, seconds: seconds(timeout) },
        remedies: openControlPort(port),
      };
    case 'rejected':
      return {
        id: 'control-unreachable',
        level: 'fault',
        values: { ...values, code: failure.code },
        remedies: openControlPort(port),
      };
  }
}

/** @param took milliseconds from the beginning of the connection */
export function judgeGreeting(greeting: Reply | Silence, took: number, at: Where): Finding {
  const { address, port, timeout } = at;
  if (greeting === 'silent') {
    const values = { address, port, seconds: seconds(timeout) };
    return { id: 'greeting-missing', level: 'fault', values, remedies: noLookups };
  }
  if (greeting === 'endless') {
    const values = { address, port, lines: mostLines, replies: mostReplies };
    return { id: 'greeting-endless', level: 'fault', values, remedies: [] };
  }
  if (typeof greeting === 'string') {
    return { id: 'greeting-closed', level: 'fault', values: { address, port }, remedies: [] };
  }
  if (greeting.code === 220) {
    const values = { seconds: seconds(took) };
    return took > slow
      ? { id: 'greeting-slow', level: 'note', values, remedies: noLookups }
      : fine('greeting-fine', values);
  }
  const reply = textOf(greeting);
  if (isGreetingOfPinhole(reply)) {
    return { id: 'greeting-refused-by-pinhole', level: 'fault', values: { reply }, remedies: tryServer };
  }
  return greeting.code >= 400
    ? { id: 'greeting-refused', level: 'fault', values: { reply }, remedies: [] }
    : { id: 'greeting-foreign', level: 'fault', values: { port, reply }, remedies: [] };
}
