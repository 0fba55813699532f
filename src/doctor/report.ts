import { isFault, type Finding, type Level } from './finding.ts';
import { en } from './messages/en.ts';
import type { Catalogue, Message } from './messages/message.ts';
import { zh } from './messages/zh.ts';
import type { Step } from './server/progress.ts';
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

const marks: Readonly<Record<Level, string>> = { fine: '✔', note: '•', fault: '✘' };

type Style = (text: string, level: Level) => string;
const plain: Style = (text) => text;

/**
 * As text: one line for each result that is fine; for all others also the meaning, the change, and the exact lines.
 *
 * @param style colours a mark, or not
 */
export function reportText(findings: readonly Finding[], language: Language, style: Style = plain): string {
  return (
    findings.map((finding) => findingText(finding, language, style)).join('') +
    summaryText(findings, language)
  );
}

/** The part of the report that is about one finding. */
export function findingText(finding: Finding, language: Language, style: Style = plain): string {
  return linesOf(finding, catalogues[language], style)
    .map((line) => `${line}\n`)
    .join('');
}

/** The end of the report. */
export function summaryText(findings: readonly Finding[], language: Language): string {
  const { healthy, noneSoFar, oneFault, faults: several } = catalogues[language].words;
  const faults = findings.filter(isFault).length;
  const none = findings.some(({ id }) => id === 'examination-interrupted') ? noneSoFar : healthy;
  const summary = faults === 0 ? none : faults === 1 ? oneFault : fill(several, { count: faults });
  return `\n${summary}\n`;
}

/** One line on what is being tried, and for how long. */
export function progressText({ word, values }: Step, seconds: number, language: Language): string {
  return printable(`… ${fill(catalogues[language].words[word], values)} (${seconds} s)`) + '\n';
}

/** For machines: all of it as one object of JSON, with the words of the language. */
export function reportJson(findings: readonly Finding[], language: Language): string {
  const { findings: messages } = catalogues[language];
  const list = findings.map((finding) => ({ ...finding, ...filled(messages[finding.id], finding.values) }));
  return `${JSON.stringify({ healthy: !findings.some(isFault), findings: list }, undefined, 2)}\n`;
}

function linesOf(
  { id, level, values, where, remedies }: Finding,
  { findings, words }: Catalogue,
  style: Style,
): string[] {
  const { seen, means, change } = filled(findings[id], values);
  const place = where ? `${where.file}${where.line === undefined ? '' : `:${where.line}`}: ` : '';
  const head = `${style(marks[level], level)} ${printable(place + seen)}`;
  if (level === 'fine') return [head];
  const rest = [
    ...(means === undefined ? [] : [`    ${words.means}: ${means}`]),
    ...(change === undefined ? [] : [`    ${words.change}: ${change}`]),
    ...remedies.flatMap(({ target, lines }) => [
      `      ${target}:`,
      ...lines.map((line) => `        ${line}`),
    ]),
    `    (${id})`,
  ];
  return [head, ...rest.map(printable)];
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
