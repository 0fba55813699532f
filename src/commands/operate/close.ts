import { messageOf } from '../../net/error.ts';
import { readNamed } from '../flags.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay, type AdminClient } from './admin-client.ts';
import { sessionText } from './draining.ts';
import { sessionName, withAdmin, type AdminFlags, type SessionName } from './flags.ts';
import { print, remark } from './print.ts';
import { countOf } from './units.ts';

interface CloseFlags extends AdminFlags {
  readonly sessions: readonly string[];
}

export const closeCommand: Subcommand<CloseFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .positional('sessions', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'the numbers of sessions, as list has them: 7, or PID:7 of a process that drains',
      })
      .usage('$0 close SESSION...')
      .epilogue(
        'The client gets 421, and its transfer is reset; what the kernel carries goes on. Exit code 1 where a session is not there.',
      ),
  handler: async ({ admin, sessions }) => {
    const names = sessions.map((text) => readNamed('SESSION', text, sessionName));
    const each = new Map(names.map((name) => [sessionText(name.id, name), name]));
    for (const name of each.values()) {
      const relay = await findRelay(admin, name.process);
      try {
        print(await closeSession(relay, name));
      } catch (error) {
        remark(messageOf(error));
        process.exitCode = 1;
      }
    }
  },
};

/** @returns what was done, in one line. @throws where there is no such session */
export async function closeSession(relay: AdminClient, name: SessionName): Promise<string> {
  const { dataConnectionsLeft: left } = await relay.post<{ readonly dataConnectionsLeft: number }>(
    `/v1/sessions/${name.id}/close`,
  );
  const rest =
    left === 0 ? '' : ` (${countOf(left, 'data connection')} ${left === 1 ? 'goes' : 'go'} on in the kernel)`;
  return `closed session ${sessionText(name.id, name)}${rest}`;
}
