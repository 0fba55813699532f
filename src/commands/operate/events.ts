import { readFlag } from '../flags.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay } from './admin-client.ts';
import { eventText } from './event-text.ts';
import { clientAddress, sessionName, withAdmin, type AdminFlags } from './flags.ts';
import { follow } from './follow.ts';
import { print, printJson } from './print.ts';

interface EventsFlags extends AdminFlags {
  readonly client?: string | undefined;
  readonly session?: string | undefined;
  readonly json: boolean;
}

export const eventsCommand: Subcommand<EventsFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .option('client', {
        type: 'string',
        requiresArg: true,
        describe: 'only of the sessions from this address',
      })
      .option('session', {
        type: 'string',
        requiresArg: true,
        describe: 'only of the session with this number',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object a line' })
      .usage('$0 events [--client ADDR] [--session N] [--json]')
      .epilogue(
        'Pinholes as conntrack -E expect prints expectations ([NEW], [DESTROY]); all else as time, session, client, user, ' +
          'event. Ends by Ctrl-C, with exit code 0, and when the relay ends, with 1.',
      ),
  handler: async ({ admin, client, session, json }) => {
    const name = session === undefined ? undefined : readFlag('session', session, sessionName);
    const query = {
      ...(client !== undefined && { client: readFlag('client', client, clientAddress) }),
      ...(name && { session: String(name.id) }),
    };
    await follow(await findRelay(admin, name?.process), query, (event) => {
      if (json) printJson({ type: event.type, ...event.fields });
      else if (event.type !== 'missed') print(eventText(event));
    });
  },
};
