import { isIP } from 'node:net';
import { endTls } from '../end-tls.ts';
import { fine, type Finding } from '../finding.ts';
import { endpointIn, type PassiveCommand, type PassiveOutcome } from './check-passive.ts';
import { textOf, type ControlConnection } from './control-connection.ts';
import { tryPort, type PortState } from './port.ts';
import { announce, openRange, passiveRange } from './remedies.ts';
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
    const at = endpointIn(command, await control.ask(command), visit.reached);
    if (!at) return;
    const state = await tryPort(visit.reached, at.port, visit.timeout);
    if (state.how === 'open') state.socket.destroy();
    const findings = judgeTls(plain, { port: state.how, announced: at }, visit);
    for (const finding of findings) visit.say(finding);
  } finally {
    control.close();
  }
}

async function secured(visit: Visit, control: ControlConnection, host: string): Promise<boolean> {
  const reply = await control.ask('AUTH TLS');
  if (reply.code !== 234) {
    visit.say({ id: 'tls-none', level: 'note', values: { reply: textOf(reply) }, remedies: [] });
    return false;
  }
  const problem = await control.secure(nameOf(host));
  if (problem !== undefined) {
    visit.say({ id: 'tls-certificate', level: 'note', values: { code: problem }, remedies: [] });
  }
  return true;
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
