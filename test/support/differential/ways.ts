/**
 * The three ways in which a client reaches a server behind the gateway: the kernel's own helper, and Pinhole with each
 * of its planes. Each has a lab of its own, so that none can help or hinder another.
 */
import { addresses, namespaceTrouble, type Family, type Network } from '../lab/network.ts';
import { mustRun, runProcess } from '../lab/process.ts';
import type { Missing } from '../lab/provision.ts';
import { startRelay, type LabRelay } from '../lab/relay.ts';

/** `helper`: DNAT with `ct helper set "ftp"`. `kernel` and `relay`: Pinhole with that plane. */
export type Way = 'helper' | 'kernel' | 'relay';
export const ways: readonly Way[] = ['helper', 'kernel', 'relay'];

/** Both sides' own choice is the port that was announced, where the range has it. */
const ports = ['--passive-ports', '1024-65535', '--active-ports', '1024-65535'];

/**
 * A reset instead of silence for what is not let through, so that nobody has to wait for it. The kernel's helper sets
 * `related` on what it expected, Pinhole its mark.
 */
function firewall(letThrough: string): string {
  return `table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established accept
    ${letThrough}
    reject with tcp reset
  }
}
`;
}

/**
 * The helper is attached before the destination is rewritten: what the rewriting of a line needs to shift sequence
 * numbers is made where a connection has its helper by then.
 */
function helperRules(): string {
  const [four, six] = [addresses[4], addresses[6]];
  return `${firewall(`ct state related accept
    tcp dport 21 ct status dnat accept`)}
table inet helper {
  ct helper ftp4 { type "ftp" protocol tcp; l3proto ip; }
  ct helper ftp6 { type "ftp" protocol tcp; l3proto ip6; }
  chain attach {
    type filter hook prerouting priority dstnat - 10;
    ip daddr ${four.public} tcp dport 21 ct helper set "ftp4"
    ip6 daddr ${six.public} tcp dport 21 ct helper set "ftp6"
  }
  chain lead {
    type nat hook prerouting priority dstnat;
    ip daddr ${four.public} tcp dport 21 dnat ip to ${four.server}:21
    ip6 daddr ${six.public} tcp dport 21 dnat ip6 to [${six.server}]:21
  }
}
`;
}

/** Why the kernel's helper can't be had here; an empty list where it can. */
export async function missingHelper(): Promise<Missing[]> {
  const name = `pinhole-${process.pid}-0-helper`;
  const what = 'nf_conntrack_ftp';
  const trouble = namespaceTrouble();
  if (trouble !== undefined) return [{ what, reason: trouble }];
  // The rules load nf_conntrack_ftp where it is a module, and not what rewrites; elsewhere this does nothing.
  await runProcess(['modprobe', '-q', 'nf_nat_ftp']).catch(() => undefined);
  await mustRun(['ip', 'netns', 'add', name]);
  try {
    const loaded = await runProcess(['ip', 'netns', 'exec', name, 'nft', '-f', '-'], {
      input: helperRules(),
    });
    if (loaded.code === 0) return [];
    return [{ what, reason: loaded.stderr.split('\n')[0] ?? '' }];
  } finally {
    await mustRun(['ip', 'netns', 'del', name]);
  }
}

/** Makes the gateway of a lab let FTP through in this way, for good. The relay of Pinhole's ways is started apart. */
export async function openWay(network: Network, way: Way): Promise<void> {
  const rules = way === 'helper' ? helperRules() : firewall('ct mark 0x2121 accept');
  await onHost(network, 'gateway', ['nft', '-f', '-'], rules);
}

/** Starts what the way needs to run for one family; nothing for the kernel's helper. */
export async function startWay(network: Network, way: Way, family: Family): Promise<LabRelay | undefined> {
  if (way === 'helper') return undefined;
  return startRelay(network, { family, flags: ['--plane', way, '--log-level', 'trace', ...ports] });
}

export async function onHost(
  network: Network,
  host: 'client' | 'server' | 'gateway',
  argv: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await network.exec(host, argv, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}
