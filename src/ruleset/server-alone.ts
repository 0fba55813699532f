import { isReachable } from '../config/listening.ts';
import { formatEndpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';
import { addressesOf, openingsOf } from './listeners.ts';
import { RulesetError, type Rule, type RulesetOptions, type Served } from './plan.ts';

/**
 * An FTP server on this host, without Pinhole and without the kernel's helper: its control port and a fixed range of
 * passive ports are open, so that TLS, which hides the dialogue from every helper, changes nothing.
 *
 * @throws {RulesetError}
 */
export function planServerAlone(options: RulesetOptions): Served {
  const reason = reasonAgainstServerAlone(options);
  if (reason !== undefined) throw new RulesetError(reason);
  const reached = [...options.listen, ...options.tls.listen].filter(isReachable);
  const control = openingsOf(reached).map((opening): Rule => ({
    comment: `control connection of both modes: client, any port above 1023 -> port ${opening.ports[0].first}`,
    ...opening,
    limited: true,
  }));
  const passive: Rule = {
    comment:
      `passive mode, data: client, any port above 1023 -> the server's passive ports ` +
      `${formatPortRange(options.passivePorts)}; active mode goes out`,
    to: addressesOf(reached),
    ports: [options.passivePorts],
  };
  return {
    input: [...control, passive],
    forward: undefined,
    forwards: [],
    watch: [],
    lead: [],
    redirect: [],
  };
}

/** What the settings of Pinhole say that has no meaning without it. */
function reasonAgainstServerAlone(options: RulesetOptions): string | undefined {
  const { server, listen, plane, keepClientAddress, tls } = options;
  if (server) {
    return `server: ${formatEndpoint(server)}, and server-alone is for an FTP server on this host, without Pinhole; allowed: without --server, and --listen [ADDRESS:]PORT for where it listens`;
  }
  if (![...listen, ...tls.listen].some(isReachable)) {
    return 'listen: loopback addresses alone, and no other host gets there; allowed: --listen ADDRESS:PORT of an interface, or PORT';
  }
  if (plane === 'kernel' || keepClientAddress) {
    const setting = plane === 'kernel' ? 'plane kernel' : 'keep-client-address';
    return `${setting}: not for the deployment server-alone, in which Pinhole does not run; allowed: without it`;
  }
  if (tls.mode !== 'refuse') {
    return `tls ${tls.mode}: not for the deployment server-alone, in which Pinhole does not run; allowed: --server-tls explicit, or implicit, for the server's own TLS`;
  }
  return undefined;
}
