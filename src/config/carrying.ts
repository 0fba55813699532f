import type { Config } from './config.ts';

/** Why data goes through this process on the kernel plane too; undefined where the kernel carries all of it. */
export function reasonOfRelay({
  tls,
  tlsData,
  serverTls,
  serverDataTls,
}: Pick<Config, 'tls' | 'tlsData' | 'serverTls' | 'serverDataTls'>): 'passed' | 'ends here' | undefined {
  if (tls === 'pass') return 'passed';
  // Then TLS of a data channel begins and ends at its two ends alone.
  if (tlsData === 'server') return undefined;
  const endsHere = tls === 'terminate' || (serverTls !== 'off' && serverDataTls === 'protected');
  return endsHere ? 'ends here' : undefined;
}
