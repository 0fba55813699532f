import { rulesOf, type Firewall, type FirewallRule } from './firewall.ts';
import type { FtpService } from './ftp-service.ts';
import type { Listener } from './listening.ts';

/** What shows that Pinhole stands in front here, where its configuration is not at hand. */
export interface PinholeSign {
  /** In no language. */
  readonly sign: string;
  /** Where it listens, if that is seen. */
  readonly listener?: Listener;
}

/** The mark that its own rules have unless told otherwise. */
const usualMark = 0x2121;

export function pinholeSign(
  firewalls: readonly Firewall[],
  listeners: readonly Listener[],
  servers: readonly FtpService[],
): PinholeSign | undefined {
  const ports = [21, ...servers.map(({ controlPort }) => controlPort)];
  const listener = listeners.find((each) => isOfNode(each) && ports.includes(each.port));
  if (listener) return { sign: `${listener.program}: port ${listener.port}`, listener };
  // `pinhole rules` prints rules for a server without Pinhole too: only a server elsewhere tells them apart.
  const isBehind =
    servers.length > 0 &&
    servers.every(
      ({ controlPort, listenAddress }) => controlPort !== 21 || listenAddress?.startsWith('127.') === true,
    );
  const sign = firewalls.map((firewall) => signIn(firewall, isBehind)).find((found) => found !== undefined);
  return sign === undefined ? undefined : { sign };
}

/** Whether Pinhole may be who listens: it shows as the program that runs it, newer ones by the name of a thread. */
export function isOfNode({ program }: Listener): boolean {
  return program !== undefined && ['node', 'pinhole', 'MainThread'].includes(program);
}

function signIn(firewall: Firewall, isBehind: boolean): string | undefined {
  const { file, tables } = firewall;
  // The table that the running Pinhole makes.
  if (tables.some(({ name, chains }) => name === 'pinhole' && chains.has('lead')))
    return `${file}: table pinhole`;
  const rules = rulesOf(tables);
  const marked = rules.find(({ rule }) =>
    rule.matches.some((match) => match.kind === 'mark' && match.mark === usualMark && !match.not),
  );
  if (marked) return `${file}:${marked.rule.line}: 0x${usualMark.toString(16)}`;
  // `pinhole rules` prints these for the kernel's helper too, and then they attach it.
  const attaches = rules.some(({ rule }) => rule.action.kind === 'helper');
  const own = rules.find(({ table, rule }) => table.name === 'ftp_rules' || limitsSessions(firewall, rule));
  return own && !attaches && isBehind ? `${file}:${own.rule.line}` : undefined;
}

/** `--hashlimit-name ftp-60` */
function limitsSessions({ syntax }: Firewall, { words }: FirewallRule): boolean {
  const at = syntax === 'iptables' ? words.indexOf('--hashlimit-name') : -1;
  return at !== -1 && /^ftp-\d+$/.test(words[at + 1] ?? '');
}
