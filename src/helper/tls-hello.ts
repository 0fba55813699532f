/** Whether a connection that begins with this byte is TLS (RFC 8446 section 5.1: a record with a handshake); no FTP does. */
export function isTlsHello(first: number): boolean {
  return first === 0x16;
}
