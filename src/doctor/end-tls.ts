import type { Remedy } from './finding.ts';

/** Pinhole in the place of a helper, which is blind behind AUTH TLS. */
export const endTls: Remedy = {
  target: 'pinhole',
  lines: ['--tls terminate --tls-cert CERTIFICATE.pem --tls-key KEY.pem'],
};
