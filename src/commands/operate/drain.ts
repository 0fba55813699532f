import { duration, day } from '../../config/kinds.ts';
import { readFlag } from '../flags.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay } from './admin-client.ts';
import { processId, withAdmin, type AdminFlags } from './flags.ts';
import { print } from './print.ts';
import { countOf } from './units.ts';

interface DrainFlags extends AdminFlags {
  readonly grace?: string | undefined;
  readonly pid?: string | undefined;
}

export const drainCommand: Subcommand<DrainFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .option('grace', {
        type: 'string',
        requiresArg: true,
        describe: 'how long transfers may take to finish: 30, 5m (default: the setting grace of the relay)',
      })
      .option('pid', {
        type: 'string',
        requiresArg: true,
        describe:
          'a process that drains already, beside its successor: it does not wait for drain-timeout any more',
      })
      .usage('$0 drain [--grace DURATION] [--pid PID]')
      .epilogue(
        'As SIGINT does, without drain-timeout: no new sessions, sessions without a transfer end with 421, and the relay ends after its last ' +
          'transfer. What runs longer than the grace is reset. status says how many are left.',
      ),
  handler: async ({ admin, grace, pid }) => {
    const milliseconds = grace === undefined ? undefined : readFlag('grace', grace, duration(0, 7 * day));
    const drains = pid === undefined ? undefined : readFlag('pid', pid, processId);
    const relay = await findRelay(admin, drains);
    const { sessions } = await relay.post<{ readonly sessions: number }>(
      '/v1/drain',
      milliseconds === undefined ? {} : { grace: milliseconds / 1000 },
    );
    print(`draining: ${countOf(sessions, 'session')} left; the relay ends after the last transfer`);
  },
};
