/**
 * A program that logs to its standard output what it is told to on its standard input, and answers on standard error:
 *
 *     node build/test/support/log/logging-program.js json|pretty
 *     log COUNT SIZE    COUNT lines with a text of SIZE characters, numbered on
 *     memory            answers with the bytes of memory that it has
 */
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogger } from '../../../src/log/log.ts';

const logger = createLogger({
  logLevel: 'info',
  logFormat: process.argv[2] === 'pretty' ? 'pretty' : 'json',
});
let logged = 0;
for await (const order of createInterface({ input: process.stdin })) {
  const [word, count, size] = order.split(' ');
  if (word === 'log') {
    for (let n = 0; n < Number(count); n++)
      logger.info({ n: logged++, text: 'x'.repeat(Number(size)) }, 'line');
  }
  // The lines of this turn leave before the answer.
  await nextTurn();
  process.stderr.write(`${word === 'memory' ? process.memoryUsage.rss() : order}\n`);
}
