import type { Dialogue } from './dialogue.ts';
import { play } from './play.ts';
import { FuzzedRelay, type RelayOptions } from './relay.ts';
import type { Complaint } from './transcript.ts';

/** How often a dialogue is played until it is believed to be well: what goes wrong may depend on time. */
const tries = 3;

/** Leaves out of a dialogue whatever is not needed for it to go wrong against the same property. */
export async function reduce(options: RelayOptions, dialogue: Dialogue, seed: number): Promise<Dialogue> {
  // What one leaves behind in a relay must not be laid at the next one's door.
  const complaintsOf = async (each: Dialogue): Promise<readonly Complaint[]> => {
    const relay = await FuzzedRelay.start(options);
    try {
      return (await play(relay, each, seed)).complaints;
    } finally {
      await relay.close();
    }
  };
  const isWrong = async (
    each: Dialogue,
    property?: Complaint['property'],
  ): Promise<Complaint['property'] | undefined> => {
    for (let n = 0; n < tries; n++) {
      const found = (await complaintsOf(each)).find(
        (complaint) => property === undefined || complaint.property === property,
      );
      if (found) return found.property;
    }
    return undefined;
  };
  const property = await isWrong(dialogue);
  if (property === undefined) return dialogue;
  let least = dialogue;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const smaller of smallerThan(least)) {
      if ((await isWrong(smaller, property)) === undefined) continue;
      least = smaller;
      isSmaller = true;
      break;
    }
  }
  return least;
}

/** The larger parts first. */
function* smallerThan({ client, server, ending }: Dialogue): Generator<Dialogue> {
  for (let length = client.length >> 1; length > 0; length >>= 1) {
    for (let at = 0; at + length <= client.length; at += length) {
      yield { client: client.filter((_, index) => index < at || index >= at + length), server, ending };
    }
  }
  for (const [at, step] of client.entries()) {
    if (step.do === 'say' && step.cuts)
      yield { client: client.with(at, { do: 'say', text: step.text }), server, ending };
  }
  for (const [at, act] of server.entries()) {
    if (act.as !== 'right' || act.seed !== 0)
      yield { client, server: server.with(at, { as: 'right', seed: 0 }), ending };
    if (act.as === 'say' && act.cuts)
      yield { client, server: server.with(at, { as: 'say', text: act.text }), ending };
  }
  if (server.length > 0) yield { client, server: server.slice(0, -1), ending };
  if (ending !== 'quit') yield { client, server, ending: 'quit' };
}
