/**
 * The corpus: dialogues that differ in one thing each. Hand-picked ones stand in test/data/differential.jsonl, the
 * others are made here: lines split at every offset, every delimiter. Each has a port of its own, so that nothing that
 * an earlier one left behind answers for a later one:
 *
 *     {hl}  {high},{low}  78,113       {port}      20081
 *     {highOver}          334          {portOver}  85617, the same modulo 65536
 *     {otherHl}           118,113      {otherPort} 30321, of an expectation that another one replaces
 *     {9000}              as many bytes
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { addresses, type Family } from '../lab/network.ts';
import { root } from '../project.ts';
import { decisionNames, type DecisionName } from './decisions.ts';
import type { Script } from './replay.ts';

/** A script, and the name of what the design decides differently from the kernel's helper, if anything. */
export interface Case extends Script {
  readonly differs?: DecisionName;
}

/** A line of the data file: `sends` is one segment of the client, `answers` one of the server to PASV or EPSV. */
interface Entry extends Partial<Omit<Case, 'name'>> {
  readonly name: string;
  readonly sends?: string;
  readonly answers?: string;
}

const data = join(root, 'test/data/differential.jsonl');

/** `fill` puts in the ports. */
export function readCorpus(fill: (text: string, port: number) => string = filled): Case[] {
  const picked = readFileSync(data, 'utf8')
    .trim()
    .split('\n')
    .map((line) => toCase(JSON.parse(line) as Entry));
  return [...picked, ...splits(), ...delimiters()].map((each, index) => withPort(each, portOf(index), fill));
}

function toCase({ sends, answers, ...entry }: Entry): Case {
  const verb = answers?.startsWith('229') === true ? 'EPSV' : 'PASV';
  const client = entry.client ?? [[sends ?? `${verb}\r\n`]];
  const replies = entry.replies ?? (answers === undefined ? undefined : { [verb]: [answers] });
  const { differs } = entry;
  if (differs !== undefined && !decisionNames.includes(differs)) {
    throw new Error(`${entry.name}: no decision is called '${differs}'`);
  }
  return { family: 4, ...entry, client, ...(replies && { replies }) };
}

interface SplitLine {
  readonly text: string;
  /** How much of it the kernel's helper has to have in one segment; of PASV, so much that it is no PORT. */
  readonly needed: RegExp;
}

const lines: Readonly<Record<string, SplitLine>> = {
  PORT: { text: 'PORT 198,51,100,10,{hl}\r\n', needed: /^.*\r/ },
  EPRT: { text: 'EPRT |1|198.51.100.10|{port}|\r\n', needed: /^.*\|/ },
  PASV: { text: 'PASV\r\n', needed: /^PA/ },
  EPSV: { text: 'EPSV\r\n', needed: /^EPS/ },
  227: { text: '227 Entering Passive Mode (10,77,0,2,{hl}).\r\n', needed: /^.*\)/ },
  229: { text: '229 Entering Extended Passive Mode (|||{port}|)\r\n', needed: /^.*\|/ },
};

/** Each line cut in two at every offset, and each byte of it alone. */
function splits(): Case[] {
  return Object.entries(lines).flatMap(([what, line]) => {
    const text = filled(line.text, portOf(0));
    const cuts = Array.from({ length: text.length - 1 }, (_, index) => index + 1);
    const needed = line.needed.exec(text)?.[0].length ?? 0;
    const split = (how: string, at: readonly number[]): Case => ({
      name: `${what}, ${how}`,
      family: 4,
      ...scriptOf(what, pieces(line.text, at)),
      ...((at[0] ?? 0) < needed && { differs: 'split line' as const }),
    });
    return [...cuts.map((cut) => split(`cut after byte ${cut}`, [cut])), split('each byte alone', cuts)];
  });
}

/** All ports' numbers are of one length, so that an offset is the same place in each line. */
function pieces(text: string, cuts: readonly number[]): string[] {
  return [0, ...cuts].map((from, index) => `{cut ${from} ${cuts[index] ?? 'end'}}${text}`);
}

function scriptOf(what: string, segments: readonly string[]): Pick<Case, 'client' | 'replies'> {
  const whole = { PASV: [lines['227']?.text ?? ''], EPSV: [lines['229']?.text ?? ''] };
  switch (what) {
    case '227':
      return { client: [['PASV\r\n']], replies: { PASV: segments } };
    case '229':
      return { client: [['EPSV\r\n']], replies: { EPSV: segments } };
    default:
      return { client: [segments], replies: whole };
  }
}

/** RFC 2428: every printable character but a digit, and but the usual one. */
function delimiters(): Case[] {
  const all = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
  return all
    .filter((delimiter) => !/[\d|]/.test(delimiter))
    .flatMap((d): Case[] => [
      ...([4, 6] as const).map((family): Case => ({
        name: `EPRT over IPv${family} with the delimiter ${d}`,
        family,
        client: [[`EPRT ${d}${family === 4 ? 1 : 2}${d}${addresses[family].client}${d}{port}${d}\r\n`]],
        ...differing(d, family),
      })),
      {
        name: `229 with the delimiter ${d}`,
        family: 4,
        client: [['EPSV\r\n']],
        replies: { EPSV: [`229 Entering Extended Passive Mode (${d}${d}${d}{port}${d})\r\n`] },
        differs: 'delimiter kept',
      },
    ]);
}

function differing(delimiter: string, family: Family): Pick<Case, 'differs'> {
  if (addresses[family].client.includes(delimiter)) return { differs: 'every delimiter' };
  // One that stands in the address that is written is no use as a delimiter.
  return addresses[family].inside.includes(delimiter) ? {} : { differs: 'delimiter kept' };
}

function withPort(wireCase: Case, port: number, fill: (text: string, port: number) => string): Case {
  const fillAll = (texts: readonly string[]): string[] => texts.map((text) => fill(text, port));
  const client = wireCase.client.map(fillAll);
  const replies = Object.entries(wireCase.replies ?? {}).map(([verb, answer]) => [verb, fillAll(answer)]);
  return { ...wireCase, client, replies: Object.fromEntries(replies) as Record<string, string[]> };
}

/** 20068 and on, with two digits in the first number and three in the second. */
function portOf(index: number): number {
  const perHigh = 156;
  return (78 + Math.floor(index / perHigh)) * 256 + 100 + (index % perHigh);
}

function filled(text: string, port: number): string {
  const [high, low] = [port >> 8, port & 255];
  const values: Readonly<Record<string, number | string>> = {
    hl: `${high},${low}`,
    high,
    low,
    highOver: high + 256,
    port,
    portOver: port + 65_536,
    otherHl: `${high + 40},${low}`,
    otherPort: port + 40 * 256,
  };
  const cut = /^\{cut (\d+) (\d+|end)\}/.exec(text);
  const line = text
    .slice(cut?.[0].length ?? 0)
    .replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? 'x'.repeat(Number(name))));
  if (!cut) return line;
  return line.slice(Number(cut[1]), cut[2] === 'end' ? undefined : Number(cut[2]));
}
