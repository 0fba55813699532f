import type { SessionsSettings, Sessions } from '../proxy/sessions.ts';

/** What the daemon asks of the sessions, wherever they are. */
export interface DaemonSessions extends Pick<Sessions, 'count' | 'accept' | 'idle' | 'close' | 'shutDown'> {
  configure(settings: SessionsSettings): void;
  /** @returns how many data connections live on, as the kernel carries them; undefined: there is no such session */
  closeByAdministrator(id: number): number | undefined | Promise<number | undefined>;
}
