/** Holds what came of a case against what the design decides. Pure. */
import type { Case } from './corpus.ts';
import { decisionOf } from './decisions.ts';
import type { Outcome } from './outcome.ts';

/** What is wrong with a case: it differs and no decision says so, or not in the way of the one that it names. */
export function judge(wireCase: Case, helper: Outcome, pinhole: Outcome): string | undefined {
  const isEqual = JSON.stringify(helper) === JSON.stringify(pinhole);
  const { differs } = wireCase;
  if (differs === undefined) return isEqual ? undefined : 'differs, and names no decision';
  if (isEqual) return `names '${differs}' and does not differ`;
  const { ways, bytesAlone } = decisionOf(differs);
  const way = `${kindOf(wireCase, helper)} / ${kindOf(wireCase, pinhole)}`;
  if (!ways.some((each) => each === way)) return `names '${differs}', which is not ${way}`;
  if (bytesAlone && JSON.stringify(helper.lets) !== JSON.stringify(pinhole.lets)) {
    return `names '${differs}', and differs in more than bytes`;
  }
  return undefined;
}

/** `held up`, `closes`, `refuses 501`, `opens`, `passes`. */
export function kindOf({ client }: Case, { fate, toServer, toClient, lets }: Outcome): string {
  if (fate === 'held up' || fate === 'silent') return fate;
  if (fate === 'closed') return 'closes';
  const count = (text: string): number => text.split('\n').length - 1;
  if (count(toServer) < count(client.flat().join(''))) {
    return `refuses ${toClient.trim().split('\n').at(-1)?.slice(0, 3) ?? ''}`;
  }
  return lets.some((each) => / => (?!refused)/.test(each)) ? 'opens' : 'passes';
}
