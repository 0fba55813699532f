import { isatty } from 'node:tty';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import { fieldsOf, fieldsWith, levelOf, nothingKnown, wordsOf, type Known } from './event-line.ts';
import { harmlessLine } from './harmless-line.ts';
import { isJournal, withPriority } from './journal.ts';
import { limitRepeats } from './limit-repeats.ts';
import { LineSink } from './line-sink.ts';
import { withoutPasswords } from './passwords.ts';
import { createPrettyFormat, type Terminal } from './pretty.ts';
import { kindOf, repetitionOf } from './refusal-kind.ts';
import type { Repetition } from './repeats.ts';
import { standardOutput } from './standard-output.ts';
import { Strangers } from './strangers.ts';
import { timeField } from './time-field.ts';

export type { Logger };

/** Where nobody knows how wide the reader's window is. */
const noTerminal: Terminal = {
  columns: () => Number(process.env['COLUMNS']) || 80,
  isColoured: () => false,
};

/**
 * A logger on standard output: JSON a line, or text for people on a terminal; with priorities where systemd's journal
 * reads it.
 *
 * @param terminal the one that standard output is, where it is one
 */
export function createLogger(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  stream?: DestinationStream,
  terminal: Terminal = noTerminal,
): Logger {
  const isTerminal = !stream && isatty(1);
  const forPeople = logFormat === 'pretty' || (logFormat === 'auto' && isTerminal);
  const plain = forPeople ? createPrettyFormat(isTerminal || stream ? terminal : noTerminal) : harmlessLine;
  const forJournal = !stream && isJournal(process.env['JOURNAL_STREAM'], 1);
  const format = forJournal ? withPriority(plain) : plain;
  const options = {
    level: logLevel,
    timestamp: timeField,
    formatters: { level: (label: string) => ({ level: label }), log: withoutPasswords },
    base: { pid: process.pid },
  };
  const output = stream ?? createSink(format);
  return pino(options, {
    write: (line) => {
      output.write(format(line));
    },
  });
}

/** Where the lines of this process leave it. */
const sinks = new Set<LineSink>();

/** How many log lines of this process have been lost. */
export function lostLogLines(): number {
  return [...sinks].reduce((sum, { lostInAll }) => sum + lostInAll, 0);
}

/** On standard output; what it holds at the end of the process is written then. */
function createSink(format: (line: string) => string): LineSink {
  const lossLine = (dropped: number, error: string): string => {
    const fields = { level: 'warn', time: new Date(), pid: process.pid, dropped, error };
    return format(`${JSON.stringify({ ...fields, msg: 'log lines were lost' })}\n`);
  };
  const sink = new LineSink({ write: standardOutput(), lossLine });
  sinks.add(sink);
  process.on('exit', () => {
    sink.end();
  });
  return sink;
}

/**
 * The listener of the event stream that writes the log: one line an event, but for what repeats.
 *
 * @param ipv6Prefix how long a prefix of IPv6 is one client's; its addresses count as one
 * @param known answers for the event that is told at the time
 */
export function logEvents(logger: Logger, ipv6Prefix = 64, known: Known = nothingKnown): Observer {
  const tell = ({ level, words, ...fields }: Repetition): void => {
    logger[level](fields, words);
  };
  const refusals = limitRepeats(tell);
  const strangers = new Strangers(limitRepeats(tell), ipv6Prefix, {
    userOf: (event) => known.userOf(event),
    write: (event, at, user) => {
      const since = new Date(at);
      logger[levelOf(event)]({ ...fieldsWith(event, known, user), since }, wordsOf(event));
    },
  });
  return (event) => {
    const isRepeated = event.type === 'session-logged-in' && !strangers.has(event.session);
    const isToBeWritten = strangers.admit(event);
    const level = levelOf(event);
    if (!isToBeWritten || !logger.isLevelEnabled(level)) return;
    const kind = isRepeated ? repetitionOf(event) : kindOf(event, ipv6Prefix);
    if (kind && !refusals.admit(kind)) return;
    strangers.catchUp(event);
    logger[level](fieldsOf(event, known), wordsOf(event));
  };
}
