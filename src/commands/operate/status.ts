import type { StatusAnswer } from '../../admin/status-answer.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay } from './admin-client.ts';
import { withAdmin, type AdminFlags } from './flags.ts';

export const statusCommand: Subcommand<AdminFlags & { readonly json: boolean }> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'print everything, as JSON' })
      .usage('$0 status [--json]')
      .epilogue('Exit code 0 while it serves, 3 while it drains, 1 where no Pinhole answers.'),
  handler: async ({ admin, json }) => {
    const status = await (await findRelay(admin)).get<StatusAnswer>('/v1/status');
    process.stdout.write(`${json ? JSON.stringify(status, undefined, 2) : lineOf(status)}\n`);
    if (status.draining) process.exitCode = 3;
  },
};

/** `serving: 12 sessions (0 % of 10000), 3 data connections, passive ports 4 % used, up 3 h` */
function lineOf({
  draining,
  sessions,
  dataConnections,
  limits,
  seconds,
  listening,
  server,
}: StatusAnswer): string {
  const { now, most } = limits.passivePorts;
  const used = most === null || most === 0 ? 0 : Math.round((100 * now) / most);
  return [
    `${draining ? 'draining' : 'serving'} at ${listening.join(' ') || 'no address'} for ${server ?? 'intercepted servers'}: ${sessions} sessions`,
    `${dataConnections} data connections`,
    `passive ports ${used} % used`,
    `up ${seconds} s`,
  ].join(', ');
}
