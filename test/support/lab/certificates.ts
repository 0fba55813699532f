/**
 * Certificates for the lab's servers and clients, made with openssl: P-256 throughout, so that a set takes a fraction
 * of a second. What needs no program, and no second party, is test/support/doctor/self-signed.ts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { addresses } from './network.ts';
import { mustRun } from './process.ts';

/** Paths of PEM files. */
export interface Identity {
  /** The certificate alone. */
  cert: string;
  /** The key alone, for its owner's eyes: ProFTPD refuses one that others may read. */
  key: string;
  /** Key and certificate in one file, as Pure-FTPd reads them. */
  both: string;
}

export interface Certificates {
  /** The path of the CA's certificate, what a client or server has to trust. */
  ca: string;
  /** The path of another CA's certificate. */
  otherCa: string;
  /** Valid for {@link certifiedName} and each of the lab's addresses. */
  server: Identity;
  /** As `server`, and over since 2021. */
  expired: Identity;
  /** As `server`, signed by the other CA. */
  foreign: Identity;
  /** Valid for `elsewhere.example.test` alone. */
  misnamed: Identity;
  /** A client's, of the CA. */
  client: Identity;
}

/** The name that the server certificates hold beside the addresses; nothing in the lab resolves it. */
export const certifiedName = 'ftp.example.test';

/** As `openssl ca` reads dates. Fixed ones: a certificate made now could be of the future to a clock a second behind. */
const years = { begin: '20200101000000Z', end: '20491231235959Z', over: '20210101000000Z' } as const;

/** Makes two CAs and what they sign in a new folder `certificates` of the folder. Throws where there is one already. */
export async function makeCertificates(parent: string): Promise<Certificates> {
  const folder = join(parent, 'certificates');
  mkdirSync(folder);
  const [ca, other] = [await makeAuthority(folder, 'ca'), await makeAuthority(folder, 'other-ca')];
  const all = labNames();
  const server = (name: string, wish: Partial<Wish> = {}): Promise<Identity> =>
    sign(folder, { name, signer: ca, subject: certifiedName, usage: 'serverAuth', names: all, ...wish });
  const elsewhere = 'elsewhere.example.test';
  return {
    ca: ca.cert,
    otherCa: other.cert,
    server: await server('server'),
    expired: await server('expired', { end: years.over }),
    foreign: await server('foreign', { signer: other }),
    misnamed: await server('misnamed', { subject: elsewhere, names: `DNS:${elsewhere}` }),
    client: await server('client', {
      subject: 'tester',
      usage: 'clientAuth',
      names: 'DNS:client.example.test',
    }),
  };
}

/** subjectAltName's value for everything that a lab's server may be dialled by. */
function labNames(): string {
  const lab = [addresses[4], addresses[6]].flatMap((family) => [family.public, family.inside, family.server]);
  return [`DNS:${certifiedName}`, ...[...lab, '127.0.0.1', '::1'].map((address) => `IP:${address}`)].join(
    ',',
  );
}

interface Authority {
  cert: string;
  key: string;
  /** The configuration with which `openssl ca` signs. */
  config: string;
}

async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const file = (suffix: string): string => join(folder, `${name}.${suffix}`);
  const authority = { cert: file('pem'), key: file('key'), config: file('cnf') };
  writeFileSync(file('index'), '');
  writeFileSync(
    authority.config,
    `[ ca ]
default_ca = lab
[ lab ]
database = ${file('index')}
new_certs_dir = ${folder}
certificate = ${authority.cert}
private_key = ${authority.key}
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[ any ]
commonName = supplied
`,
  );
  await request(authority.key, file('csr'), `pinhole lab ${name}`);
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  await issue(authority, ['-selfsign'], file('csr'), authority.cert, years.end, extensions);
  return authority;
}

interface Wish {
  /** Of the files. */
  name: string;
  signer: Authority;
  subject: string;
  usage: 'serverAuth' | 'clientAuth';
  /** subjectAltName's value. */
  names: string;
  end?: string;
}

async function sign(folder: string, wish: Wish): Promise<Identity> {
  const file = (suffix: string): string => join(folder, `${wish.name}.${suffix}`);
  const identity = { cert: file('pem'), key: file('key'), both: file('both.pem') };
  await request(identity.key, file('csr'), wish.subject);
  const extensions = [
    'basicConstraints=CA:FALSE',
    'keyUsage=digitalSignature',
    `extendedKeyUsage=${wish.usage}`,
    `subjectAltName=${wish.names}`,
  ];
  await issue(wish.signer, [], file('csr'), identity.cert, wish.end ?? years.end, extensions);
  const texts = await Promise.all([identity.key, identity.cert].map((path) => readFile(path, 'utf8')));
  writeFileSync(identity.both, texts.join(''), { mode: 0o600 });
  return identity;
}

/** A new key, and the request to sign it. openssl gives key files the mode 0600. */
async function request(key: string, csr: string, subject: string): Promise<void> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  await mustRun(['openssl', 'req', '-new', ...curve, '-keyout', key, '-out', csr, '-subj', `/CN=${subject}`]);
}

async function issue(
  { config }: Authority,
  flags: readonly string[],
  csr: string,
  cert: string,
  end: string,
  extensions: readonly string[],
): Promise<void> {
  const sheet = `${cert}.ext`;
  writeFileSync(sheet, extensions.join('\n'));
  const when = ['-startdate', years.begin, '-enddate', end];
  const files = ['-config', config, '-extfile', sheet, '-in', csr, '-out', cert];
  await mustRun(['openssl', 'ca', '-batch', '-notext', ...flags, ...when, ...files]);
}
