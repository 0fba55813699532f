import type { Remedy } from './finding.ts';

/** Pinhole instead of a helper, which can read nothing after AUTH TLS. */
export const endTls: Remedy = {
  target: 'pinhole',
  lines: ['--tls terminate --tls-cert CERTIFICATE.pem --tls-key KEY.pem'],
};
