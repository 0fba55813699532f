import type { StatusAnswer } from '../../admin/status-answer.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelays } from './draining.ts';
import { withAdmin, type AdminFlags } from './flags.ts';
import { print, printJson } from './print.ts';
import { countOf, formatSeconds, percentOf } from './units.ts';

export const statusCommand: Subcommand<AdminFlags & { readonly json: boolean }> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'print everything, as JSON' })
      .usage('$0 status [--json]')
      .epilogue(
        'Exit code 0 while it serves, 3 while it drains, 1 where no Pinhole answers. Processes that drain beside their ' +
          'successor have a line each, and so have workers.',
      ),
  handler: async ({ admin, json }) => {
    const { serving, draining } = await findRelays(admin);
    const own = await serving?.get<StatusAnswer>('/v1/status');
    const beside = draining.map(({ status }) => status);
    const [first, ...others] = own ? [own, ...beside] : beside;
    if (json) printJson({ ...first, drainingProcesses: others }, 2);
    else
      print(
        ...(own ? [statusLine(own), ...workerLines(own)] : []),
        ...beside.flatMap((status) => [
          `process ${status.pid}: ${statusLine(status)}`,
          ...workerLines(status),
        ]),
      );
    if (first?.draining === true) process.exitCode = 3;
  },
};

/** `  worker 0 (process 4712): 6 sessions, 2 data connections`, one for each. */
function workerLines({ workers }: StatusAnswer): string[] {
  return workers.map(({ worker, pid, sessions, dataConnections }) => {
    const has = [countOf(sessions, 'session'), countOf(dataConnections, 'data connection')].join(', ');
    return `  worker ${worker} (process ${pid}): ${has}`;
  });
}

/** `serving at 203.0.113.1:21 for 192.168.1.10:21: 12 sessions, 3 data connections, passive ports 4 % used, up 3 h 12 min` */
export function statusLine(status: StatusAnswer): string {
  const { draining, sessions, dataConnections, limits, seconds, listening, server } = status;
  const { now, most } = limits.passivePorts;
  const place = draining ? '' : ` at ${listening.join(' ') || 'no address'}`;
  return [
    `${draining ? 'draining' : 'serving'}${place} for ${server ?? 'intercepted servers'}: ${countOf(sessions, 'session')}`,
    countOf(dataConnections, 'data connection'),
    `passive ports ${percentOf(now, most ?? 0)} used`,
    `up ${formatSeconds(seconds)}`,
  ].join(', ');
}
