import { replies } from '../../helper/replies.ts';
import { NoFreePortError } from '../../plane/plane.ts';

type Why = 'no-free-port' | 'plane-failed';

export function whyNoPinhole(error: unknown): Why {
  return error instanceof NoFreePortError ? 'no-free-port' : 'plane-failed';
}

/** The reply to the client when no pinhole could be opened. */
export const noPinholeReplies: Readonly<Record<Why, string>> = {
  'no-free-port': replies.noFreePort,
  'plane-failed': replies.noPinhole,
};
