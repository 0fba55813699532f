import { familyOfListener, isReachable, type ListenAddress } from '../config/listening.ts';
import { familyOf } from '../net/address.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange, type PortRange } from '../net/port-range.ts';
import { addressesOf, isServerHere, networkOf, openingsOf, wholeFamily, type Opening } from './listeners.ts';
import { isWholeFamily, RulesetError, type Rule, type RulesetOptions, type Served } from './plan.ts';

const unprivileged: PortRange = { first: 1024, last: 65535 };
const controlComment = 'control channel of both modes: client, any port above 1023 -> port';

/**
 * The kernel's own helper in the place of Pinhole.
 *
 * @throws {RulesetError}
 */
export function planWithHelper(options: RulesetOptions): Served {
  const { server, listen, passivePorts } = options;
  const reached = listen.filter(isReachable);
  if (reached.length === 0) {
    throw new RulesetError(
      'listen: only loopback addresses, and the helper watches traffic from other hosts; allowed: --listen ADDRESS:PORT of an interface, or PORT',
    );
  }
  if (!server) return onTheServer(reached, passivePorts);
  if (isServerHere({ ...options, listen: reached })) {
    throw new RulesetError(
      `server: ${formatEndpoint(server)} is on this host, and connections from other hosts cannot be redirected there; allowed: without --server where the server is on this host`,
    );
  }
  return inFrontOf(server, reached);
}

function onTheServer(listen: readonly ListenAddress[], passivePorts: PortRange): Served {
  const openings = openingsOf(listen);
  const control = openings.map((opening): Rule => ({
    comment: `${controlComment} ${opening.ports[0].first}`,
    ...opening,
    limited: true,
  }));
  const passive: Rule = {
    comment:
      `passive mode, data: client, any port above 1023 -> the server's passive ports ${formatPortRange(passivePorts)}, ` +
      'one at a time as the helper expects it; active mode goes out',
    to: addressesOf(listen),
    ports: [passivePorts],
    expectedByHelper: true,
  };
  return {
    input: [...control, passive],
    forward: undefined,
    forwards: [],
    watch: watching(openings),
    lead: [],
    redirect: [],
  };
}

function inFrontOf(server: Endpoint, listen: readonly ListenAddress[]): Served {
  const openings = openingsTowards(server, listen);
  const control: Rule = {
    comment: `${controlComment} ${openings.map(({ ports: [{ first }] }) => first).join(', ')}`,
    to: [networkOf(server.address, 'server')],
    ports: [{ first: server.port, last: server.port }],
    limited: true,
  };
  const data: Rule = {
    comment:
      'passive mode, data: client, any port above 1023 -> the port of the 227 or 229; active mode: server, port 20 -> ' +
      'the port of the PORT or EPRT',
    ports: [unprivileged],
    expectedByHelper: true,
  };
  return {
    input: [],
    forward: [control, data],
    forwards: [familyOf(server.address)],
    watch: watching(openings),
    lead: openings.map((opening) => ({
      ...localOnly(opening),
      comment: 'control channel: led to the server',
      target: server,
    })),
    redirect: [],
  };
}

/** Where sessions for the server come in: nothing leads from one family to the other. */
function openingsTowards(server: Endpoint, listen: readonly ListenAddress[]): Opening[] {
  const where = formatEndpoint(server);
  const family = familyOf(server.address);
  const other = listen.find((each) => (familyOfListener(each) ?? family) !== family);
  if (other) {
    throw new RulesetError(
      `listen: ${other.address} is not an IPv${family} address, as the server ${where} has, and kernel-helper does not translate between families; allowed: IPv${family} addresses`,
    );
  }
  return openingsOf(listen).map(({ to, ports }) => ({
    to: to.length > 0 ? to : [wholeFamily(family)],
    ports,
  }));
}

function watching(openings: readonly Opening[]): Rule[] {
  return openings.map((opening) => ({
    ...localOnly(opening),
    comment: 'the helper reads the control channel; it is attached by this rule alone',
  }));
}

/** An address that is named needs no look whether it is this host's. */
function localOnly(opening: Opening): Opening & Pick<Rule, 'local'> {
  return opening.to.length > 0 && !opening.to.some(isWholeFamily) ? opening : { ...opening, local: true };
}
