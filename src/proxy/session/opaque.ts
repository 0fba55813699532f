import type { SessionReason, TransferCause } from '../../events.ts';
import { replies } from '../../helper/replies.ts';
import { mayHaveLoggedIn, TlsRecords } from '../../helper/tls-records.ts';
import { messageOf } from '../../net/error.ts';
import { joinDataChannel } from '../../plane/data-channel.ts';
import type { OpenRange } from '../../plane/plane.ts';
import type { Lifetime } from './lifetime.ts';
import type { SessionParts } from './parts.ts';

/** How a session ended whose control channels were opaque; all else means that the client closed it. */
const ends: Partial<Record<TransferCause, SessionReason>> = {
  'client-reset': 'client-reset',
  'server-reset': 'server-reset',
  'data-idle-timeout': 'idle-timeout',
};

const lateWords: Partial<Record<SessionReason, string>> = {
  'tls-failed': 'the TLS handshake after AUTH did not finish in time',
  'login-timeout': 'too few TLS records for a login',
};

/** What can be seen of each side's traffic. */
interface Records {
  readonly client: TlsRecords;
  readonly server: TlsRecords;
}

/**
 * The server has accepted a passed AUTH: from here on the dialogue and its announcements are between client and
 * server alone. The server's reply waits until their port range is open.
 *
 * @param consent passes the server's reply on
 * @param refusePipelined ends the session, where one side has said more already
 */
export async function becomeOpaque(
  parts: SessionParts,
  lifetime: Lifetime,
  consent: () => void,
  refusePipelined: () => void,
): Promise<void> {
  const { client, server } = parts.channels;
  const records: Records = { client: new TlsRecords(), server: new TlsRecords() };
  let range: OpenRange;
  try {
    range = await parts.pinholes.openRange(() => mayHaveLoggedIn(records.client, records.server));
  } catch (error) {
    if (!lifetime.isOver) lifetime.finish('tls-failed', replies.noFreeRange, messageOf(error));
    return;
  }
  if (lifetime.isOver) {
    range.close();
  } else if (server.hasWaiting || client.hasWaiting) {
    range.close();
    refusePipelined();
  } else {
    consent();
    parts.events.becameOpaque(range.unavailable);
    join(parts, lifetime, range, records);
  }
}

/** Copies the bytes of both control channels, for as long as a handshake and a log in may take, or as they are used. */
function join(
  { channels, clock, events, pinholes, settings }: SessionParts,
  lifetime: Lifetime,
  range: OpenRange,
  records: Records,
): void {
  const isLoggedIn = (): boolean => mayHaveLoggedIn(records.client, records.server);
  let late: SessionReason | undefined;
  const limit = (reason: SessionReason, milliseconds: number, isDone: () => boolean): NodeJS.Timeout =>
    setTimeout(() => {
      if (isDone()) return;
      late = reason;
      joined.abort('shutdown');
    }, milliseconds);
  // From here on the session counts as idle, however much its two sides send.
  clock.stop();
  const limits = [
    limit('tls-failed', settings.tlsTimeout, () => records.client.hasHandshake),
    limit('login-timeout', clock.left, isLoggedIn),
  ];
  let isTold = false;
  const joined = joinDataChannel(
    { client: channels.client.give(), server: channels.server.give() },
    {
      idleTimeout: settings.idleTimeout,
      livesOn: () => pinholes.hasOpenChannel,
      seen: (chunk, from) => {
        records[from].push(chunk);
        if (isTold || !isLoggedIn()) return;
        isTold = true;
        events.loggedIn();
      },
    },
    ({ cause, error }) => {
      for (const each of limits) clearTimeout(each);
      range.close();
      lifetime.opaqueClosed(late ?? ends[cause] ?? 'client-closed', late ? lateWords[late] : error);
    },
  );
  lifetime.becomeOpaque(joined);
}
