import type { StatusAnswer } from '../../admin/status-answer.ts';
import { logLevels } from '../../config/config.ts';
import { choice } from '../../config/kinds.ts';
import { readNamed } from '../flags.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay } from './admin-client.ts';
import { withAdmin, type AdminFlags } from './flags.ts';
import { print } from './print.ts';

interface LogLevelFlags extends AdminFlags {
  readonly level?: string | undefined;
}

export const logLevelCommand: Subcommand<LogLevelFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .positional('level', { type: 'string', describe: `${logLevels.join(', ')}; without one: print it` })
      .usage('$0 log-level [LEVEL]')
      .epilogue('It holds until the next start, or a reload that changes the setting log-level.'),
  handler: async ({ admin, level }) => {
    const wanted = level === undefined ? undefined : readNamed('LEVEL', level, choice(logLevels));
    const relay = await findRelay(admin);
    if (wanted === undefined) {
      print((await relay.get<StatusAnswer>('/v1/status')).logLevel);
      return;
    }
    const { before } = await relay.post<{ readonly before: string }>('/v1/log-level', { level: wanted });
    print(before === wanted ? `${wanted} (as before)` : `${wanted} (was ${before})`);
  },
};
