import type { Subcommand } from '../subcommand.ts';
import { findRelay } from './admin-client.ts';
import { withAdmin, type AdminFlags } from './flags.ts';
import { print, shown } from './print.ts';

export const reloadCommand: Subcommand<AdminFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .usage('$0 reload')
      .epilogue(
        'As SIGHUP does: live sessions keep their settings. Exit code 1 where the configuration cannot be used, with the ' +
          'reason; nothing has changed then.',
      ),
  handler: async ({ admin }) => {
    const relay = await findRelay(admin);
    const { changed } = await relay.post<{ readonly changed: readonly string[] }>('/v1/reload');
    print(...(changed.length === 0 ? ['nothing has changed'] : changed.map(shown)));
  },
};
