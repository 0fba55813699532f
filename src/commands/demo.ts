import { loadConfig } from '../config/load.ts';
import { startDaemon } from '../daemon/daemon.ts';
import { playTransfers } from '../demo/client.ts';
import { drawLadder, ladderHeading } from '../demo/ladder.ts';
import type { Observer } from '../events.ts';
import { createLogger } from '../log/log.ts';
import { ladderStyle } from './ladder-style.ts';
import type { Subcommand } from './subcommand.ts';
import { inFrontOf, startEmbeddedServer } from './embedded.ts';

export const demoCommand: Subcommand = {
  builder: (yargs) => yargs.usage('$0 demo'),
  handler: async () => {
    // `npx pinhole demo | head`: a reader that closes the pipe is not an error.
    process.stdout.on('error', () => process.exit(0));
    const write = (text: string): void => void process.stdout.write(text);
    const server = await startEmbeddedServer();
    // The demonstration ignores the environment.
    const { config } = loadConfig({ flags: { listen: '127.0.0.1:0' }, env: {}, readFile: () => '' });
    const logger = createLogger({ logLevel: 'silent', logFormat: 'json' });
    write(ladderHeading());
    const ladder = drawLadder({ write, style: ladderStyle() });
    const ends = whenOver(2, 1);
    const observers = [ladder, ends.observe];
    const daemon = await startDaemon({ ...inFrontOf(config, server), grace: 1000 }, logger, { observers });
    try {
      const [relay] = daemon.endpoints;
      if (!relay) throw new Error('the relay is not listening');
      const bytes = await playTransfers(relay, 'welcome.txt');
      // The client is done a moment before the relay knows that both sides are.
      await ends.reached;
      write(
        `\nwelcome.txt was downloaded twice: ${bytes.passive} bytes in passive mode, ${bytes.active} in active mode.\n`,
      );
    } finally {
      await daemon.close();
      await server.close();
    }
  },
};

/** Resolves once so many transfers and sessions have ended. */
function whenOver(
  transfers: number,
  sessions: number,
): { readonly observe: Observer; readonly reached: Promise<void> } {
  let left = transfers + sessions;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return {
    observe: ({ type }) => {
      if ((type === 'transfer-ended' || type === 'session-closed') && --left === 0) reach();
    },
    reached,
  };
}
