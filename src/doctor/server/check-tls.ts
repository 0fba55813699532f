import { textOf } from '../../ftp/whole-replies.ts';
import { isIP } from 'node:net';
import { replies } from '../../helper/replies.ts';
import { endTls } from '../end-tls.ts';
import { formatEndpoint, type Endpoint } from '../../net/endpoint.ts';
import { fine, type Finding } from '../finding.ts';
import {
  endpointIn,
  judgeListing,
  judgePort,
  type PassiveCommand,
  type PassiveOutcome,
} from './check-passive.ts';
import { findPinhole } from './pinhole.ts';
import { type ControlConnection, LostError, type Secured } from './control-connection.ts';
import { isCommandRefusal, list, type Listing } from './listing.ts';
import { tryPort, type PortState } from './port.ts';
import { announce, noReuse, openRange, passiveRange } from './remedies.ts';
import { RefusedError, type Visit } from './visit.ts';

/**
 * Whether passive mode works over TLS as it does without: then nothing on the path can read the dialogue.
 *
 * @param plain what came of the same command without TLS
 */
export async function checkTls(
  visit: Visit,
  host: string,
  command: PassiveCommand,
  plain: PassiveOutcome,
): Promise<void> {
  const control = await visit.greeted();
  try {
    if (!(await secured(visit, control, host))) return;
    if (!(await loggedIn(visit, control))) return;
    await control.ask('PBSZ 0');
    await control.ask('PROT P');
    const reads = visit.pinhole === 'here' && (await findPinhole(control)) === 'here';
    const reply = await control.ask(command);
    const at = endpointIn(command, reply, visit.reached);
    if (!at) {
      const values = { command, reply: textOf(reply) };
      if (plain.announced) visit.say({ id: 'tls-passive-refused', level: 'fault', values, remedies: [] });
      return;
    }
    const state = await tryPort(visit.reached, at.port, visit.timeout);
    const listing = state.how === 'open' ? await list(control, state.socket, visit, true) : undefined;
    const outcome = { state, announced: at };
    const findings =
      visit.pinhole === 'here'
        ? judgeAtPinhole(command, plain, outcome, { ...visit, reads })
        : judgeTls(plain, { port: state.how, announced: at }, visit);
    for (const finding of findings) {
      if (finding.id !== 'tls-fine') visit.say(finding);
      else if (listing !== undefined) visit.say(judgeProtected(command, listing, at, visit));
    }
    if (listing === 'done') await checkReuse(visit, control, command);
  } finally {
    control.close();
  }
}

async function secured(visit: Visit, control: ControlConnection, host: string): Promise<boolean> {
  const reply = await control.ask('AUTH TLS');
  if (reply.code !== 234) {
    const values = { reply: textOf(reply) };
    const isPinhole = visit.pinhole === 'here' || values.reply === replies.tlsRefused;
    visit.say(
      isPinhole
        ? { id: 'tls-none-at-pinhole', level: 'note', values, remedies: [endTls] }
        : { id: 'tls-none', level: 'note', values, remedies: [] },
    );
    return false;
  }
  const how = await control.secure(nameOf(host));
  visit.received(how.bytes);
  for (const finding of judgeCertificate(how)) visit.say(finding);
  return true;
}

export function judgeCertificate({ problem, expired }: Secured): Finding[] {
  if (expired !== undefined) {
    return [{ id: 'tls-certificate-expired', level: 'fault', values: { end: expired }, remedies: [] }];
  }
  if (problem === undefined) return [];
  return [{ id: 'tls-certificate', level: 'note', values: { code: problem }, remedies: [] }];
}

/** A listing over TLS of a server that gave one without, or would have. */
function judgeProtected(command: PassiveCommand, listing: Listing, at: Endpoint, visit: Visit): Finding {
  return listing === 'done'
    ? fine('tls-fine')
    : judgeListing(command, listing, at, { ...visit, isSecured: true });
}

/**
 * Whether the server takes a data connection over TLS that does not resume the session of the control connection.
 * One that does has worked.
 */
export async function checkReuse(
  visit: Visit,
  control: ControlConnection,
  command: PassiveCommand,
): Promise<void> {
  const at = endpointIn(command, await control.ask(command), visit.reached);
  const state = at && (await tryPort(visit.reached, at.port, visit.timeout));
  if (state?.how !== 'open') return;
  const listing = await list(control, state.socket, visit).catch((error: unknown): Listing => {
    if (error instanceof LostError) return 'unfinished';
    throw error;
  });
  if (listing === 'done' || (typeof listing !== 'string' && isCommandRefusal(listing))) return;
  const reply = typeof listing === 'string' ? '…' : textOf(listing);
  const remedies = visit.pinhole === 'here' ? [] : noReuse;
  visit.say({ id: 'tls-reuse-demanded', level: 'note', values: { reply }, remedies });
}

async function loggedIn(visit: Visit, control: ControlConnection): Promise<boolean> {
  try {
    await visit.login(control);
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const values = { user: visit.user, reply: textOf(error.reply) };
    visit.say({ id: 'tls-login-refused', level: 'fault', values, remedies: [] });
    return false;
  }
}

/** The name for the server to choose its certificate by; RFC 6066 section 3 allows no address. */
export function nameOf(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}

/** Compares the outcomes of the same command without and with TLS; failures without TLS have been reported already. */
export function judgeTls(
  plain: PassiveOutcome,
  tls: PassiveOutcome & { readonly port: PortState['how'] },
  { reached }: Pick<Visit, 'reached'>,
): Finding[] {
  const findings: Finding[] = [];
  const [before, after] = [plain.announced, tls.announced];
  if (before && after && before.address !== after.address) {
    findings.push({
      id: 'tls-blinds-address',
      level: 'fault',
      values: { plain: before.address, tls: after.address },
      remedies: [...announce(reached), ...passiveRange, endTls],
    });
  }
  if (plain.port === 'open' && tls.port !== 'open') {
    findings.push({
      id: 'tls-blinds-port',
      level: 'fault',
      values: { address: reached, port: after?.port ?? 0 },
      remedies: [...passiveRange, ...openRange, ...announce(reached), endTls],
    });
  }
  return findings.length === 0 && tls.port === 'open' ? [fine('tls-fine')] : findings;
}

/**
 * The same where Pinhole was recognised without TLS.
 *
 * @param at.reads whether it was over TLS too: then TLS ends at Pinhole
 */
function judgeAtPinhole(
  command: PassiveCommand,
  plain: PassiveOutcome,
  { state, announced }: { readonly state: PortState; readonly announced: Endpoint },
  at: Pick<Visit, 'reached' | 'timeout' | 'port' | 'pinhole'> & { readonly reads: boolean },
): Finding[] {
  if (plain.port !== 'open') return [];
  if (!at.reads && (state.how !== 'open' || announced.address !== plain.announced?.address)) {
    const values = { announced: formatEndpoint(announced) };
    return [{ id: 'tls-passes-pinhole', level: 'fault', values, remedies: [endTls] }];
  }
  const { port } = announced;
  return [
    state.how === 'open' ? fine('tls-fine') : judgePort(command, state, { address: at.reached, port }, at),
  ];
}
