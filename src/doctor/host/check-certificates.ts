import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Finding } from '../finding.ts';
import { fault, note } from './say.ts';

/** A file that Pinhole reads, with its text, or the code of the error with which it could not be read. */
export type PemFile =
  { readonly file: string; readonly text: string } | { readonly file: string; readonly code: string };

const day = 86_400_000;
/** Days before its expiry in which a certificate should be renewed. */
const notice = 14;

/** What is wrong with a certificate and its key. */
export function checkIdentity(
  { cert, key }: { readonly cert: PemFile; readonly key: PemFile },
  now: Date,
): Finding[] {
  const leaf = readAs(cert, (text) => new X509Certificate(text));
  const privateKey = readAs(key, createPrivateKey);
  const problems = [leaf, privateKey].flatMap(({ problem }) => (problem ? [problem] : []));
  const isForeign = leaf.value && privateKey.value && !leaf.value.checkPrivateKey(privateKey.value);
  return [
    ...problems,
    ...(isForeign ? [fault('certificate-key-foreign', { values: { cert: cert.file }, file: key.file })] : []),
    ...(leaf.value ? checkEnd(cert.file, leaf.value, now) : []),
  ];
}

/** What is wrong with a file of certificates that others are verified against. */
export function checkAuthorities(file: PemFile): Finding[] {
  const { problem } = readAs(file, (text) => new X509Certificate(text));
  return problem ? [problem] : [];
}

function checkEnd(file: string, { validTo }: X509Certificate, now: Date): Finding[] {
  const left = new Date(validTo).getTime() - now.getTime();
  if (left < 0) return [fault('certificate-expired', { values: { end: validTo }, file })];
  if (left > notice * day) return [];
  const values = { end: validTo, days: Math.floor(left / day) };
  return [note('certificate-expiring', { values, file })];
}

function readAs<T>(
  pem: PemFile,
  read: (text: string) => T,
): { readonly value?: T; readonly problem?: Finding } {
  if ('code' in pem) return { problem: unreadable(pem.file, pem.code) };
  try {
    return { value: read(pem.text) };
  } catch {
    return { problem: fault('certificate-unusable', { file: pem.file }) };
  }
}

function unreadable(file: string, code: string): Finding {
  if (code === 'ENOENT' || code === 'ENOTDIR') return fault('certificate-missing', { file });
  if (code === 'EACCES' || code === 'EPERM') return note('rights-missing', { values: { what: file } });
  return fault('certificate-unreadable', { values: { code }, file });
}
