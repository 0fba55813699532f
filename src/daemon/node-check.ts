import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import { checkNode } from '../node-internals/check.ts';
import type { Use } from '../node-internals/part.ts';

/**
 * Looks for what a configuration needs of Node, and warns of each thing once, though it is asked again.
 *
 * @returns throws where something is missing that nothing takes the place of
 */
export function createNodeCheck(logger: Logger): (config: Config) => void {
  const warned = new Set<string>();
  return (config) => {
    for (const warning of checkNode(nodeUsesOf(config))) {
      if (!warned.has(warning)) logger.warn(warning);
      warned.add(warning);
    }
  };
}

/** What a configuration uses of what Node's documentation does not promise. */
export function nodeUsesOf({ tls, serverTls, tlsClientCa, workers }: Config): Set<Use> {
  const uses = new Set<Use>(['connections']);
  if (tls === 'terminate') uses.add('tls').add('tls-clients');
  if (serverTls !== 'off') uses.add('tls');
  if (tlsClientCa !== undefined) uses.add('client-certificates');
  if (workers !== 1) uses.add('workers');
  return uses;
}
