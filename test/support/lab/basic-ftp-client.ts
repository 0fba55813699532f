/**
 *     basic-ftp-client.ts MODE HOST PORT USER PASSWORD STEPS [TLS]
 *
 * FTP operations with basic-ftp, its check of PASV's address included. STEPS and TLS are Step[] and ClientTls as JSON.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';

import { Client, enterPassiveModeIPv6, type AccessOptions } from 'basic-ftp';
// What Client uses after EPSV has failed; the PASV that the package exports would follow any address.
import { enterPassiveModeIPv4_forceControlHostIP } from 'basic-ftp/dist/transfer.js';

import type { ClientTls, Step } from './clients.ts';

const [mode, host = '', port, user = '', password = '', steps = '[]', tls] = process.argv.slice(2);

function secureOptions(text: string): AccessOptions {
  const { kind, ca, maxVersion } = JSON.parse(text) as ClientTls;
  return {
    secure: kind === 'explicit' ? true : 'implicit',
    secureOptions: { ca: readFileSync(ca), ...(maxVersion === undefined ? {} : { maxVersion }) },
  };
}

const client = new Client(20_000);
client.ftp.verbose = true;
try {
  const secure = tls === undefined ? {} : secureOptions(tls);
  await client.access({ host, port: Number(port), user, password, ...secure });
  // Its name says IPv6, and what it sends is EPSV, in either family.
  client.prepareTransfer =
    mode === 'extended-passive' ? enterPassiveModeIPv6 : enterPassiveModeIPv4_forceControlHostIP;
  for (const step of JSON.parse(steps) as Required<Step>[]) await perform(step);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  client.close();
}

async function perform({ operation, remote, local }: Required<Step>): Promise<void> {
  switch (operation) {
    case 'list':
      for (const entry of await client.list()) console.log(`listing: ${entry.name}`);
      break;
    case 'download':
      await client.downloadTo(local, remote);
      break;
    case 'resume-download':
      await client.downloadTo(local, remote, statSync(local).size);
      break;
    case 'upload':
      await client.uploadFrom(local, remote);
      break;
    case 'resume-upload': {
      const start = await client.size(remote);
      await client.appendFrom(createReadStream(local, { start }), remote);
      break;
    }
  }
}
