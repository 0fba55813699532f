/** The lines of FEAT about TLS (RFC 4217 section 6), if this side provides it. */
const own = [' AUTH TLS', ' PBSZ', ' PROT'];

/** In any list: some servers repeat the code in each line. */
const ofTls = /^(?:211-)?\s*(?:AUTH|PBSZ|PROT|CCC)(?![^\s;])/i;

/** The same reply without TLS: the server's is not for the client. */
export function withoutTls(lines: readonly string[]): string[] {
  return lines.filter((line, index) => index === 0 || index === lines.length - 1 || !ofTls.test(line));
}

/**
 * The reply to FEAT (RFC 2389 section 3.2), its lines without their ends, with the TLS of this side in the place of the
 * server's: clients such as lftp use what stands there and nothing else.
 */
export function withOwnTls(lines: readonly string[]): string[] {
  const [first = ''] = lines;
  const last = lines.length > 1 ? (lines.at(-1) ?? '') : '211 End';
  const opening = lines.length > 1 ? first : `211-${first.slice(4)}`;
  return [opening, ...lines.slice(1, -1).filter((line) => !ofTls.test(line)), ...own, last];
}
