import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import { TransferLog } from '../log/transfer-log.ts';
import { messageOf } from '../net/error.ts';
import type { Roster } from '../status/roster.ts';

const whatFails = {
  write: 'the transfer log cannot be written',
  name: 'the transfer log cannot be opened anew: its lines go to the file that it has open',
} as const;

/** @throws where the file cannot be opened */
export function startTransferLog(
  { transferLog: file }: Config,
  logger: Logger,
  roster: Roster,
): TransferLog | undefined {
  if (file === undefined) return undefined;
  try {
    return new TransferLog(file, {
      userOf: (event) => roster.userOf(event),
      failed: (error, of) => {
        logger.warn({ file, error }, whatFails[of]);
      },
      lost: (dropped, error) => {
        logger.warn({ file, dropped, error }, 'lines of the transfer log were lost');
      },
    });
  } catch (error) {
    throw new Error(`transfer-log: ${messageOf(error)}`, { cause: error });
  }
}
