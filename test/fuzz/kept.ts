/** What the fuzz has found so far, each as small as it could be made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFolder } from '../support/project.ts';
import type { Dialogue, Mode } from './dialogue.ts';

export interface Kept {
  /** What was wrong. */
  readonly found: string;
  /** The relay does it still. */
  readonly open?: true;
  /** A dialogue in this mode, or a line of a client. */
  readonly mode?: Mode;
  readonly dialogue?: Dialogue;
  readonly line?: string;
}

export function readKept(): Kept[] {
  const text = readFileSync(join(sourceFolder(import.meta.dirname), 'seeds.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Kept);
}
