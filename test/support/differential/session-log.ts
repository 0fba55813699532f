/** What the log of Pinhole, at level trace, says of its sessions' pinholes: only there are all sessions in it. Pure. */
type LogRecord = Readonly<Record<string, unknown>>;

export interface LoggedPinhole {
  readonly peer: string;
  readonly at: string;
  readonly to: string;
}

/** Of each session in turn: the pinholes that no later one replaced, and that the server did not refuse. */
export function pinholesOf(log: readonly LogRecord[]): LoggedPinhole[][] {
  const sessions = new Map<unknown, LoggedPinhole[]>();
  for (const { msg, session, peer, at, to, reason } of log) {
    if (msg === 'session opened') sessions.set(session, []);
    const own = sessions.get(session);
    if (msg === 'pinhole opened') own?.push({ peer: String(peer), at: String(at), to: String(to) });
    if (msg === 'pinhole closed' && (reason === 'replaced' || reason === 'refused-by-server')) {
      const index = own?.findIndex((each) => each.at === at) ?? -1;
      if (index >= 0) own?.splice(index, 1);
    }
  }
  return [...sessions.values()];
}
