import { isFault, isUnseen, verdictOf, type Finding, type Level } from './finding.ts';
import { en } from './messages/en.ts';
import type { Catalogue, Message } from './messages/message.ts';
import { zh } from './messages/zh.ts';
import type { Step } from './server/progress.ts';
import { columnsOf } from '../net/columns.ts';
import { replaceHarmful } from '../net/harmful-text.ts';

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

const catalogues: Readonly<Record<Language, Catalogue>> = { en, zh };

/** The language that a user's environment asks for (locale(7)): `zh_CN.UTF-8` is `zh`; English where it is not known. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find(
    (name) => name !== undefined && name !== '',
  );
  return languages.find((language) => locale?.split(/[_.@]/)[0] === language) ?? 'en';
}

const marks: Readonly<Record<Level, string>> = { fine: '✔', note: '•', unseen: '?', fault: '✘' };

type Style = (text: string, level: Level) => string;
const plain: Style = (text) => text;

/** How a report is printed. */
export interface Printing {
  /** Colours a mark. */
  readonly style?: Style | undefined;
  /** Columns of the terminal, where it is one: sentences are wrapped there, lines to copy never. */
  readonly width?: number | undefined;
  /** Whether a host was examined: the end says then what no host can see. */
  readonly isOfHost?: boolean | undefined;
}

/** As text: one line for each result that is fine; for all others also the meaning, the change, and the exact lines. */
export function reportText(
  findings: readonly Finding[],
  language: Language,
  printing: Printing = {},
): string {
  return (
    findings.map((finding) => findingText(finding, language, printing)).join('') +
    summaryText(findings, language, printing)
  );
}

/** The part of the report that is about one finding. */
export function findingText(finding: Finding, language: Language, printing: Printing = {}): string {
  return linesOf(finding, catalogues[language], printing)
    .map((line) => `${line}\n`)
    .join('');
}

/** The end of the report: how many faults there are, what is not known, and, where a host is well, what it cannot see. */
export function summaryText(
  findings: readonly Finding[],
  language: Language,
  { width = Infinity, isOfHost = false }: Printing = {},
): string {
  const { words } = catalogues[language];
  const faults = findings.filter(isFault).filter(isFirst).length;
  const unseen = findings.filter(isUnseen).filter(isFirst);
  const isEarly = findings.some(({ id }) => id === 'examination-interrupted');
  const none = isEarly ? words.noneSoFar : unseen.length > 0 ? words.asFarAsSeen : words.healthy;
  const summary = faults === 0 ? none : faults === 1 ? words.oneFault : fill(words.faults, { count: faults });
  const list =
    unseen.length === 0
      ? []
      : [words.notKnown, ...unseen.map((finding) => `  ${marks.unseen} ${seenText(finding, language)}`)];
  const beyond = isOfHost && faults === 0 ? [words.beyondHost] : [];
  const lines = [summary, ...list, ...beyond].flatMap((line) => wrapped(printable(line), width));
  return `\n${lines.join('\n')}\n`;
}

function isFirst({ again }: Finding): boolean {
  return again !== true;
}

function seenText({ id, values, where }: Finding, language: Language): string {
  return placeOf(where) + fill(catalogues[language].findings[id].seen, values);
}

/** What is being tried, and for how long: one line, but on a terminal that is too narrow for it. */
export function progressText(
  { word, values }: Step,
  seconds: number,
  language: Language,
  { width = Infinity }: Printing = {},
): string {
  const line = printable(`… ${fill(catalogues[language].words[word], values)} (${seconds} s)`);
  return `${wrapped(line, width).join('\n')}\n`;
}

/** For machines: all of it as one object of JSON, with the words of the language. */
export function reportJson(
  findings: readonly Finding[],
  language: Language,
  { isOfHost = false }: Printing = {},
): string {
  const { findings: messages, words } = catalogues[language];
  const list = findings.map((finding) => ({ ...finding, ...filled(messages[finding.id], finding.values) }));
  const verdict = verdictOf(findings);
  const notKnown = findings
    .filter(isUnseen)
    .filter(isFirst)
    .map((finding) => ({ id: finding.id, what: seenText(finding, language) }));
  const beyond = isOfHost && verdict !== 'fault' ? { beyondHost: words.beyondHost } : {};
  const report = { healthy: verdict === 'healthy', verdict, notKnown, ...beyond, findings: list };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function linesOf(
  { id, level, values, where, remedies, again }: Finding,
  { findings, words }: Catalogue,
  { style = plain, width = Infinity }: Printing,
): string[] {
  const { seen, means, change } = filled(findings[id], values);
  const [first = '', ...more] = wrapped(`${marks[level]} ${printable(placeOf(where) + seen)}`, width);
  const head = [style(marks[level], level) + first.slice(marks[level].length), ...more];
  if (level === 'fine') return head;
  if (again === true) return [...head, `    (${id}: ${words.again})`];
  const sentences = [
    ...(means === undefined ? [] : [`    ${words.means}: ${means}`]),
    ...(change === undefined ? [] : [`    ${words.change}: ${change}`]),
  ];
  const exact = remedies.flatMap(({ target, lines }) => [
    `      ${target}:`,
    ...lines.map((line) => `        ${line}`),
  ]);
  return [
    ...head,
    ...sentences.flatMap((line) => wrapped(printable(line), width)),
    ...[...exact, `    (${id})`].map(printable),
  ];
}

function placeOf(where: Finding['where']): string {
  return where ? `${where.file}${where.line === undefined ? '' : `:${where.line}`}: ` : '';
}

/** Breaks between words, and between the signs of Chinese, which take two columns; a longer word stays whole. */
function wrapped(line: string, width: number): string[] {
  const indent = `${/^ */.exec(line)?.[0] ?? ''}  `;
  const lines: string[] = [];
  let current = '';
  for (const part of line.match(/ *(?:[\u3000-\u9fff\uff00-\uffef]|[^ \u3000-\u9fff\uff00-\uffef]+)/g) ??
    []) {
    const isClosing = /^[\u3001\u3002\uff09\uff0c\uff1a\uff1b]/.test(part);
    if (current.trim() !== '' && !isClosing && columnsOf(current + part) > width) {
      lines.push(current);
      current = indent + part.trimStart();
    } else current += part;
  }
  return [...lines, current];
}

/** Files and servers are not trusted: what a terminal would act on, or would show in another order, is shown as �. */
function printable(text: string): string {
  return replaceHarmful(text, '\ufffd');
}

function filled({ seen, means, change }: Message, values: Finding['values']): Message {
  return {
    seen: fill(seen, values),
    ...(means !== undefined && { means: fill(means, values) }),
    ...(change !== undefined && { change: fill(change, values) }),
  };
}

/** @throws where a value is missing: then the finding and its message do not belong together */
function fill(text: string, values: Finding['values']): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {${name}} in: ${text}`);
    return String(value);
  });
}
