/** Of a record: its type, two bytes of version, two of the length of what follows (RFC 8446 section 5.1). */
const headerLength = 5;
const changeCipherSpec = 20;
const applicationData = 23;

/**
 * How many commands a client must have sent before its data connections are accepted: USER, PASS and the one that
 * announces a data connection. TLS 1.3 sends the end of its handshake in such a record as well.
 */
const recordsOfLogin = 3;
/**
 * And how many the server has to have answered with: 331 and 230, or the tickets of TLS 1.3. Records that a client makes
 * up, without a handshake, it answers with an alert.
 */
const recordsOfConsent = 2;

/** What can be seen of TLS that passes through: which records one side sends, however they are cut. */
export class TlsRecords {
  /** Of the record whose header is coming, and how many bytes of it have come: tiny records are many. */
  readonly #header = new Uint8Array(headerLength);
  #headerBytes = 0;
  /** Missing bytes of the record whose header has arrived. */
  #left = 0;
  #isKnown = true;
  #hasHandshake = false;
  #applicationData = 0;

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#isKnown) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#headerBytes++] = chunk[at++] ?? 0;
      if (this.#headerBytes === headerLength) this.#begin();
    }
  }

  /** Whether this side has done its part of the handshake: what it sends is encrypted now, or is about to be. */
  get hasHandshake(): boolean {
    return this.#hasHandshake;
  }

  /** How many encrypted records it has begun. */
  get applicationData(): number {
    return this.#applicationData;
  }

  #begin(): void {
    const [type = 0, major = 0, , high = 0, low = 0] = this.#header;
    this.#headerBytes = 0;
    // Anything else is no TLS, and nothing can be known of it.
    this.#isKnown = type >= changeCipherSpec && type <= 24 && major === 3;
    if (!this.#isKnown) return;
    this.#left = high * 256 + low;
    if (type === applicationData) this.#applicationData++;
    if (type === applicationData || type === changeCipherSpec) this.#hasHandshake = true;
  }
}

/** Whether both sides have sent enough for a login, and the client for a command after it. */
export function mayHaveLoggedIn(client: TlsRecords, server: TlsRecords): boolean {
  return client.applicationData >= recordsOfLogin && server.applicationData >= recordsOfConsent;
}
