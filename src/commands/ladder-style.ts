import { styleText } from 'node:util';
import type { LadderStyle } from '../demo/ladder.ts';
import { isColoured } from './colour.ts';

const colours = { command: 'cyan', reply: 'green', rewritten: 'yellow', pinhole: 'magenta' } as const;

/** The colours of a ladder on standard output, where there are any. */
export function ladderStyle(): LadderStyle {
  return isColoured() ? (text, kind) => styleText(colours[kind], text) : (text) => text;
}
