import type { Finding, Level, Remedy } from '../finding.ts';
import type { MessageId } from '../messages/message.ts';

/** What a finding has besides its name. */
interface Details {
  readonly values?: Finding['values'];
  readonly file?: string;
  /** 0: the file as a whole. */
  readonly line?: number;
  readonly remedies?: readonly Remedy[];
}

export function fault(id: MessageId, details: Details = {}): Finding {
  return say('fault', id, details);
}

export function note(id: MessageId, details: Details = {}): Finding {
  return say('note', id, details);
}

/** What is not known, and why. */
export function unseen(id: MessageId, details: Details = {}): Finding {
  return say('unseen', id, details);
}

function say(level: Level, id: MessageId, { values = {}, file, line = 0, remedies = [] }: Details): Finding {
  const where = file === undefined ? undefined : line === 0 ? { file } : { file, line };
  return { id, level, values, ...(where && { where }), remedies };
}
