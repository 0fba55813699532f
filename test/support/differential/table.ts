/** Prints what differs from the kernel's helper, by decision. Pure. */
import type { Case } from './corpus.ts';
import { decisionNames, decisionOf } from './decisions.ts';
import { kindOf } from './judge.ts';
import type { Outcome } from './outcome.ts';

export interface Compared {
  readonly wireCase: Case;
  readonly helper: Outcome;
  readonly pinhole: Outcome;
}

/** A line for each case, but one with a count for all that were made of the same line in the same way. */
export function describeDifferences(compared: readonly Compared[]): string {
  const differing = compared.filter(({ wireCase }) => wireCase.differs !== undefined);
  const used = decisionNames.filter((name) => differing.some(({ wireCase }) => wireCase.differs === name));
  return [
    `${compared.length} scripts: ${compared.length - differing.length} equal, ${differing.length} differ.`,
    '',
    'held up: dropped, however often TCP repeats it. passes: goes on, and lets nothing in.',
    'opens A => B: what A connects to next comes out at B.',
    '',
    row('script', "with the kernel's helper", 'with Pinhole, either plane'),
    ...used.flatMap((name) => {
      const rows = joinAlike(differing.filter(({ wireCase }) => wireCase.differs === name));
      const { number, helper, pinhole } = decisionOf(name);
      return ['', `decision ${number}, ${name}. The helper ${helper}; Pinhole ${pinhole}.`, ...rows];
    }),
    '',
  ].join('\n');
}

function joinAlike(compared: readonly Compared[]): string[] {
  const groups = new Map<string, Compared[]>();
  for (const each of compared) {
    const key = madeFrom(each.wireCase.name);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    const { wireCase, helper, pinhole } = first;
    const name = more.length === 0 ? wireCase.name : `${wireCase.name}, and ${more.length} like it`;
    return row(name, shown(wireCase, helper), shown(wireCase, pinhole));
  });
}

function row(name: string, helper: string, pinhole: string): string {
  return `  ${name.padEnd(60)}  ${helper.padEnd(60)}  ${pinhole}`;
}

/** `PORT, cut after byte 3` -> `PORT, cut` */
function madeFrom(name: string): string {
  return name
    .replace(/(, cut) after byte .*|, each byte alone$/, ', cut')
    .replace(/( the delimiter) .$/, '$1');
}

/** `opens client => 10.77.0.2:20081`, `refuses 501`, or the bytes where these alone differ. */
function shown(wireCase: Case, outcome: Outcome): string {
  const kind = kindOf(wireCase, outcome);
  const { bytesAlone } = wireCase.differs === undefined ? {} : decisionOf(wireCase.differs);
  if (bytesAlone) {
    const isReply = wireCase.replies !== undefined && Object.keys(wireCase.replies).length > 0;
    return JSON.stringify((isReply ? outcome.toClient : outcome.toServer).slice(-46));
  }
  return kind === 'opens' ? `opens ${outcome.lets.join('; ')}` : kind;
}
