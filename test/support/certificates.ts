import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** Who signs certificates of others. */
export interface Authority extends Credentials {
  issue(options: CertificateOptions): Credentials;
  /** Somebody whom this one allows to sign in its place. */
  intermediate(name: string): Authority;
}

interface CertificateOptions {
  /** Its subject's common name; null: its subject is empty. */
  readonly name?: string | null;
  /** For which hosts it is. */
  readonly hosts?: readonly string[];
  /** For which IPv4 addresses it is. */
  readonly addresses?: readonly string[];
  /** `YYMMDDhhmmssZ`, as the other one */
  readonly validFrom?: string;
  readonly validTo?: string;
  /** The length of an RSA key; without it the key is of a curve. */
  readonly rsaBits?: number;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

/** A certificate that nobody has to trust. */
export function selfSigned(options: CertificateOptions = {}): Credentials {
  return make(options, undefined, false).credentials;
}

export function authority(name = 'Test CA', issuer?: Issuer): Authority {
  const { credentials, key } = make({ name }, issuer, true);
  const own = { name, key };
  return {
    ...credentials,
    issue: (options) => make(options, own, false).credentials,
    intermediate: (below) => authority(below, own),
  };
}

let lastSerial = 0;

/** RFC 5280 section 4.1, with the least that OpenSSL takes. */
function make(
  {
    name = 'ftp.example',
    hosts = [],
    addresses = [],
    validFrom = '200101000000Z',
    validTo = '491231235959Z',
    rsaBits,
  }: CertificateOptions,
  issuer: Issuer | undefined,
  isAuthority: boolean,
): { readonly credentials: Credentials; readonly key: KeyObject } {
  const { privateKey, publicKey } =
    rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const signingKey = issuer?.key ?? privateKey;
  const algorithm = signingKey.asymmetricKeyType === 'rsa' ? sha256WithRsa : ecdsaWithSha256;
  const names = [
    ...hosts.map((host) => der(0x82, Buffer.from(host))),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const extensions = [
    ...(names.length > 0 ? [extension('551d11', sequence(...names))] : []),
    ...(isAuthority ? [extension('551d13', sequence(der(0x01, Buffer.of(0xff))))] : []),
  ];
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(++lastSerial)),
    algorithm,
    commonName(issuer ? issuer.name : name),
    sequence(time(validFrom), time(validTo)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', toBeSigned, signingKey));
  const base64 = sequence(toBeSigned, algorithm, signature).toString('base64');
  const credentials = {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
  return { credentials, key: privateKey };
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const time = (text: string): Buffer => der(0x17, Buffer.from(text));
const commonName = (name: string | null): Buffer =>
  name === null
    ? sequence()
    : sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(name)))));
const extension = (hex: string, value: Buffer): Buffer => sequence(identifier(hex), der(0x04, value));
const ecdsaWithSha256: Buffer = sequence(identifier('2a8648ce3d040302'));
const sha256WithRsa: Buffer = sequence(identifier('2a864886f70d01010b'), der(0x05));

/** Tag, length, value (X.690 section 8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), value]);
}
