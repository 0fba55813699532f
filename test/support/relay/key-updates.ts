import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { Peer } from './peer.ts';
import { within } from './within.ts';

/** The type of a record, of the message in it, and that an answer is asked for (RFC 8446 sections 4.6.3 and 5.2). */
const applicationData = 0x17;
const handshake = 0x16;
const keyUpdate = Buffer.of(24, 0, 0, 1, 1);

/** A client of TLS 1.3 whose records the test makes by itself: Node's sends no KeyUpdate. It reads nothing by itself. */
export interface KeyUpdater {
  /** Sends so many KeyUpdates that ask for an answer each. */
  update(count: number): void;
  /** Sends bytes of the application behind them. */
  send(text: string): void;
  /** Reads and drops what comes from now on. */
  drop(): void;
}

/** Makes a connection TLS 1.3, this end being TLS's client. */
export async function keyUpdaterOf(peer: Peer): Promise<KeyUpdater> {
  const socket = peer.give();
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, () => {
        done();
      });
    },
  });
  socket.on('data', (chunk) => wire.push(chunk)).on('error', () => undefined);
  socket.resume();
  const version = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' } as const;
  const tls = connect({ socket: wire, rejectUnauthorized: false, ...version });
  const secret = new Promise<Buffer>((resolve) => {
    tls.on('keylog', (line: Buffer) => {
      const [, hex] = /^CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)/.exec(line.toString('latin1')) ?? [];
      if (hex !== undefined) resolve(Buffer.from(hex, 'hex'));
    });
  });
  await within(once(tls, 'secureConnect'), 'the TLS handshake');
  socket.removeAllListeners('data').pause();
  const writer = new RecordWriter(await secret);
  return {
    update: (count) => {
      const records = Array.from({ length: count }, () => {
        const record = writer.record(handshake, keyUpdate);
        writer.update();
        return record;
      });
      socket.write(Buffer.concat(records));
    },
    send: (text) => {
      socket.write(writer.record(applicationData, Buffer.from(text, 'latin1')));
    },
    drop: () => {
      socket.resume();
    },
  };
}

/** What one side writes with TLS_AES_256_GCM_SHA384 (RFC 8446 sections 5.2, 5.3 and 7). */
class RecordWriter {
  #secret: Buffer;
  #count = 0n;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  record(type: number, content: Buffer): Buffer {
    const nonce = expand(this.#secret, 'iv', 12);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#count++, 4);
    const inner = Buffer.concat([content, Buffer.of(type)]);
    const head = Buffer.of(applicationData, 3, 3, 0, 0);
    head.writeUInt16BE(inner.length + 16, 3);
    const cipher = createCipheriv('aes-256-gcm', expand(this.#secret, 'key', 32), nonce).setAAD(head);
    return Buffer.concat([head, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  }

  update(): void {
    this.#secret = expand(this.#secret, 'traffic upd', 48);
    this.#count = 0n;
  }
}

/** HKDF-Expand-Label (RFC 8446 section 7.1) of at most one block. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0)]);
  return createHmac('sha384', secret)
    .update(Buffer.concat([info, Buffer.of(1)]))
    .digest()
    .subarray(0, length);
}
