import { familyOf } from '../net/address.ts';
import { withinEnding } from './server/ending.ts';
import type { Finding } from './finding.ts';
import { checkActive, type ActiveCommand, type ActiveOutcome } from './server/check-active.ts';
import { checkControl } from './server/check-control.ts';
import { checkPinhole } from './server/check-pinhole.ts';
import { checkFeatures } from './server/check-features.ts';
import { checkIdle } from './server/check-idle.ts';
import { checkPassive, judgePair, type PassiveCommand, type PassiveOutcome } from './server/check-passive.ts';
import { checkRange } from './server/check-range.ts';
import { checkReuse, checkTls } from './server/check-tls.ts';
import { checkWay } from './server/check-way.ts';
import { startProgress, type Progress, type TellProgress } from './server/progress.ts';
import { Sessions } from './server/sessions.ts';
import type { ServerTarget } from './server/target.ts';

export interface ServerOptions {
  /** Milliseconds that one answer or one connection may take. */
  readonly timeout: number;
  /** Milliseconds of silence after which the control channel is tried again; 0: that is not tried. */
  readonly idle: number;
  /** Milliseconds for all of it; without it there is no limit. */
  readonly limit?: number;
  /** Ends the examination. */
  readonly signal?: AbortSignal;
  /** Called with each finding as soon as it is made. */
  readonly tell?: (finding: Finding) => void;
  /** Called where something takes long. */
  readonly progress?: TellProgress | undefined;
}

/**
 * Talks to a server as an external client would, and reports what goes wrong. Never throws because of the server's
 * behaviour. After the time limit or the signal it returns the findings so far; waiting connections end by their own
 * limits.
 */
export async function examineServer(target: ServerTarget, options: ServerOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const ending = new AbortController();
  const say = (said: Finding): void => {
    if (ending.signal.aborted) return;
    const made = withoutPassword(said, target.password);
    // The lines stand under the first of a kind.
    const isAgain = findings.some(({ id }) => id === made.id);
    const isSame = (isAgain && ofOneCause.has(made.id)) || isOfPassive(made, findings);
    const finding: Finding =
      isAgain || isSame ? { ...made, remedies: [], ...(isSame && { again: true }) } : made;
    findings.push(finding);
    options.tell?.(finding);
  };
  const progress = startProgress(options.progress);
  const end = await withinEnding(options, examine(target, options, say, ending.signal, progress));
  progress.end();
  if (end) say(end);
  ending.abort();
  return findings;
}

/** What each way of a transfer shows of one and the same fault. */
const ofOneCause: ReadonlySet<Finding['id']> = new Set([
  'announced-other',
  'announced-private',
  'announced-unroutable',
  'control-unreachable',
  'data-ignored',
  'data-needs-tls',
  'data-port-closed',
  'data-port-filtered',
  'data-port-rejected',
  'data-refused',
  'data-unfinished',
  'listing-refused',
  'passive-unreadable',
  'pinhole-announces-other',
  'pinhole-data-refused',
  'pinhole-passive-closed',
  'session-missing',
  'session-refused',
  'tls-data-refused',
  'tls-handshake-failed',
]);

/** What gets lost of a passive listing gets lost of an active one. */
function isOfPassive({ id, values }: Finding, findings: readonly Finding[]): boolean {
  return (
    id === 'active-unfinished' &&
    values['reply'] === '…' &&
    findings.some((earlier) => earlier.id === 'data-unfinished')
  );
}

/** No path has packets larger than 1500 bytes: a server that sent so much without a pause sent one that was full. */
const surelyFull = 2920;

async function examine(
  target: ServerTarget,
  options: ServerOptions,
  say: (finding: Finding) => void,
  ending: AbortSignal,
  progress: Progress,
): Promise<void> {
  const { host, port, user } = target;
  progress.now('tryControl', { host, port });
  const control = await checkControl(target, options.timeout, say);
  if (!control) return;
  const sessions = new Sessions(target, options.timeout, say, control);
  ending.addEventListener('abort', () => {
    sessions.close();
  });
  try {
    progress.now('tryLogin', { user });
    if (await sessions.begin()) await examineSession(sessions, target, options, progress);
  } finally {
    sessions.close();
  }
}

/** Some servers repeat the command that they refuse. */
function withoutPassword(finding: Finding, password: string): Finding {
  const { reply } = finding.values;
  if (typeof reply !== 'string' || password === '') return finding;
  return { ...finding, values: { ...finding.values, reply: reply.replaceAll(password, '***') } };
}

async function examineSession(
  sessions: Sessions,
  { host }: ServerTarget,
  { idle }: ServerOptions,
  progress: Progress,
): Promise<void> {
  progress.now('tryQuestions');
  const pinhole = (await sessions.on((control) => checkPinhole(sessions.visit, control))) ?? 'unknown';
  const visit = { ...sessions.visit, pinhole };
  const isIPv4 = familyOf(visit.reached) === 4;
  // It takes the longest, so it runs in parallel with the others.
  const idling = idle > 0 ? sessions.alone(() => checkIdle(visit, idle)) : undefined;
  const passive = async (command: PassiveCommand): Promise<PassiveOutcome> => {
    progress.now('tryData', { command });
    return (await sessions.on((control) => checkPassive(visit, control, command))) ?? { port: 'none' };
  };

  const seen = await sessions.on((control) => checkWay(visit, control));
  const pasv = isIPv4 ? await passive('PASV') : undefined;
  const epsv = await passive('EPSV');
  // At Pinhole the two announce ports of one range, and each that is closed has been named.
  const pair = pasv && pinhole !== 'here' ? judgePair(pasv, epsv) : undefined;
  if (pair) visit.say(pair);
  if (pasv?.announced) {
    progress.now('tryRange');
    const earlier = [pasv, epsv].flatMap(({ announced }) => announced?.port ?? []);
    await sessions.on((control) => checkRange(visit, control, earlier));
  }

  const active = (command: ActiveCommand, port?: ActiveOutcome): Promise<ActiveOutcome | undefined> => {
    progress.now('tryData', { command });
    return sessions.on((control) => checkActive(visit, control, command, { seen, port }));
  };
  const port = isIPv4 ? await active('PORT') : undefined;
  // Where PORT fails, EPRT fails for the same reason.
  if (!isIPv4 || port?.kind === 'arrived') await active('EPRT', port);

  progress.now('tryQuestions');
  await sessions.on((control) => checkFeatures(visit, control));
  if (!sessions.overTls) {
    progress.now('tryTls');
    await sessions.alone(() => checkTls(visit, host, pasv ? 'PASV' : 'EPSV', pasv ?? epsv));
  } else if ((pasv ?? epsv).port === 'open') {
    await sessions.on((control) => checkReuse(visit, control, pasv ? 'PASV' : 'EPSV'));
  }
  progress.now('tryIdle', { seconds: idle / 1000 });
  const afterSilence = await idling;
  if (afterSilence) visit.say(afterSilence);
  const { largest } = sessions;
  if (largest > 0 && largest < surelyFull) {
    visit.say({ id: 'large-not-seen', level: 'unseen', values: { bytes: largest }, remedies: [] });
  }
}
