import type { Config } from '../config/config.ts';
import type { Observer } from '../events.ts';
import type { Logger } from '../log/log.ts';
import { Descriptors } from '../net/descriptors.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { Borrowing } from '../plane/borrowing.ts';
import { Sessions, type SessionsSettings } from '../proxy/sessions.ts';
import { startCarriers, type Carriers } from './carriers.ts';
import type { TlsFiles } from './certificates.ts';
import { isOwnAddress } from './own-address.ts';
import { openPortJournal } from './port-journal.ts';
import type { DaemonSessions } from './sessions.ts';
import { Workers, workersOf } from './workers.ts';

/** Who serves the sessions: this process, or workers. */
export interface Serving {
  readonly carriers: Carriers;
  readonly borrowing: Borrowing | undefined;
  /** Of the connections of all processes that serve. */
  readonly descriptors: Pick<Descriptors, 'taken' | 'total'>;
  /** undefined: this process serves. */
  readonly workers: Workers | undefined;
  /** @param isOwn whether this process listens at an endpoint */
  sessions(settings: SessionsSettings, isOwn: (endpoint: Endpoint) => boolean): DaemonSessions;
}

export interface ServingOptions {
  readonly observe: Observer;
  readonly logger: Logger;
  /** How many descriptors the connections of one process may have. */
  readonly descriptors: number;
  /** The service's own folder, where its processes tell each other which ports rest. */
  readonly runtimeDirectory: string | undefined;
  readonly tlsFiles: TlsFiles;
  /** Whether somebody reads the lines of the dialogues. */
  readonly isDialogueWanted: () => boolean;
}

/** @throws where something is missing, or a worker cannot start; nothing is left then */
export async function startServing(config: Config, options: ServingOptions): Promise<Serving> {
  const count = workersOf(config);
  if (count === 1) return serveHere(config, options);
  const workers = await Workers.start(config, { ...options, count });
  return {
    ...{ carriers: workers.carriers, borrowing: workers.borrowing, workers },
    descriptors: workers.descriptors,
    sessions: (settings) => workers.receive(settings),
  };
}

async function serveHere(
  config: Config,
  { observe, descriptors: total, runtimeDirectory }: ServingOptions,
): Promise<Serving> {
  const descriptors = new Descriptors(total);
  const carriers = await startCarriers(config, descriptors, observe, openPortJournal(runtimeDirectory));
  const { plane, originalDestination, borrowing } = carriers;
  return {
    ...{ carriers, borrowing, descriptors, workers: undefined },
    sessions: (settings, isOwn) => {
      const host = { plane, originalDestination, borrower: borrowing, isOwn, isOwnAddress, descriptors };
      return new Sessions(settings, host, observe);
    },
  };
}
