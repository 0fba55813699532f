import type { TlsPolicy } from '../helper/tls-policy.ts';
import type { Config } from './config.ts';

/** What decisions about TLS need of the configuration. */
export function tlsPolicyOf(config: Config): TlsPolicy {
  return {
    mode: config.tls,
    data: config.tlsData,
    server: config.serverTls,
    serverData: config.serverDataTls,
    isRequired: config.requireTls,
    isRequiredForData: config.requireDataTls,
    allowsClear: config.tlsCcc === 'allow',
  };
}
