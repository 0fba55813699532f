import { spawnSync } from 'node:child_process';
import { readListening } from '../doctor/host/listening.ts';
import { parsePort } from '../net/endpoint.ts';

/** The port of SSH where nothing says another. */
const usual = 22;

/** The TCP ports by which this host is administered over SSH. */
export interface SshPorts {
  readonly ports: readonly number[];
  /** Whether that was seen on this host; else the usual port is taken. */
  readonly isSeen: boolean;
}

/** Where sshd of this host listens, and the port by which the present session came in. */
export function sshPortsOfThisHost(): SshPorts {
  const { stdout, error } = spawnSync('ss', ['-Hltnp'], { encoding: 'utf8', timeout: 5000 });
  return sshPortsIn(error ? '' : stdout, process.env['SSH_CONNECTION']);
}

/**
 * The same, of texts.
 *
 * @param listing what `ss -ltnp` prints
 * @param connection what sshd tells its sessions in SSH_CONNECTION: `CLIENT PORT SERVER PORT`
 */
export function sshPortsIn(listing: string, connection: string | undefined): SshPorts {
  const lines = listing.split('\n');
  // Where systemd holds the socket as well, both are named in the line.
  const listening = readListening(listing)
    .filter(({ line, isLoopback }) => !isLoopback && /"(?:sshd|dropbear)"/.test(lines[line - 1] ?? ''))
    .map(({ port }) => port);
  const present = parsePort(connection?.split(' ')[3] ?? '');
  const ports = [...new Set([...listening, ...(present === undefined ? [] : [present])])];
  ports.sort((one, other) => one - other);
  return ports.length > 0 ? { ports, isSeen: true } : { ports: [usual], isSeen: false };
}
