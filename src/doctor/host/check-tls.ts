import type { Config } from '../../config/config.ts';
import { listenInFront, reachedIPv4 } from '../../config/listening.ts';
import { familyOf, parseAddress } from '../../net/address.ts';
import { formatPortRange } from '../../net/port-range.ts';
import { isPrivate, isUnroutable } from '../addresses.ts';
import type { Finding, Remedy } from '../finding.ts';
import type { Facts } from './facts.ts';
import { hasRange, passiveRange, type FtpService } from './ftp-service.ts';
import { addressRemedy, rangeRemedy, remedy } from './remedies.ts';
import { fault } from './say.ts';

/** Whether the settings of the server behind Pinhole fit Pinhole's TLS settings. */
export function checkTls({ servers, pinhole }: Facts): Finding[] {
  const config = pinhole?.config;
  if (config === undefined) return [];
  return servers.flatMap((server) => [
    ...(config.tls === 'pass' && server.isPassive
      ? [...checkPassedRange(server, config), ...checkPassedAddress(server, config)]
      : []),
    ...checkReuse(server, config),
  ]);
}

/**
 * After AUTH nothing rewrites the port that the server announces: each port of Pinhole leads to the same port of the
 * server.
 */
function checkPassedRange(server: FtpService, { passivePorts }: Config): Finding[] {
  const { program, file, passiveFrom, isPartial } = server;
  if (!hasRange(server) && isPartial) return [];
  const range = passiveRange(server);
  if (hasRange(server) && range.first === passivePorts.first && range.last === passivePorts.last) return [];
  const values = { program, range: formatPortRange(range), passive: formatPortRange(passivePorts) };
  // Not the other way round: firewalls are open for those of Pinhole.
  const remedies = [rangeRemedy(server, passivePorts)];
  return [
    fault('tls-pass-other-range', {
      values,
      file,
      line: passiveFrom?.line ?? 0,
      remedies,
    }),
  ];
}

/** ... nor rewrites the address. */
function checkPassedAddress(server: FtpService, config: Config): Finding[] {
  const { program, file, address, isPartial } = server;
  const inside = parseAddress(config.server?.host ?? '');
  // A 229 has no address.
  if (inside !== undefined && familyOf(inside) === 6) return [];
  const remedies = [addressRemedy(server, reachedAt(config))];
  if (address === undefined) {
    return isPartial ? [] : [fault('tls-pass-address-missing', { values: { program }, file, remedies })];
  }
  const told = parseAddress(address.value);
  const isOfInside = told !== undefined && (isPrivate(told) || isUnroutable(told));
  // Where clients are inside too, that is where they connect.
  const isReached = address.value === config.publicAddress || listensAt(config, address.value);
  if (!isOfInside || isReached) return [];
  const values = { program, address: address.value };
  return [fault('tls-pass-address-private', { values, file, line: address.line, remedies })];
}

function listensAt({ listen = [] }: Config, address: string): boolean {
  return listen.some((listener) => listener.address === address);
}

function reachedAt(config: Config): string {
  return config.publicAddress ?? reachedIPv4(listenInFront(config)) ?? 'PUBLIC-ADDRESS';
}

/** The client's data channel resumes the session that it has with Pinhole, of which the server knows nothing. */
function checkReuse({ program, file, demandsReuse }: FtpService, { tlsData }: Config): Finding[] {
  if (tlsData !== 'server' || demandsReuse === undefined) return [];
  const ofServer: Remedy =
    program === 'proftpd'
      ? remedy('proftpd.conf', 'TLSOptions NoSessionReuseRequired')
      : remedy('vsftpd.conf', 'require_ssl_reuse=NO');
  return [
    fault('tls-data-demands-reuse', {
      values: { program, setting: demandsReuse.value },
      file,
      line: demandsReuse.line,
      remedies: [ofServer, remedy('pinhole', 'tls-data = "relay"')],
    }),
  ];
}
