import { constants, type X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { TlsChannel } from '../net/channel.ts';
import { handshake } from './handshake.ts';
import { subjectOf } from './identities.ts';
import type { Pace } from './wire.ts';

export interface ServerTlsOptions {
  /** The name or address that the server's certificate must be for; undefined: the one connected to. */
  readonly name: string | undefined;
  /** PEM: who may have signed the server's certificate; undefined: whom the system trusts. */
  readonly authorities: string | undefined;
  /** SHA-256 of certificates, `AB:CD:...`. Where there are any, one of them it must be, whoever signed it. */
  readonly fingerprints: readonly string[];
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number;
}

/** TLS towards the server: this side verifies the certificate. */
export class TlsForServer {
  readonly #options: ServerTlsOptions;
  readonly #context: SecureContext;

  constructor(options: ServerTlsOptions) {
    this.#options = options;
    const { authorities } = options;
    this.#context = createSecureContext({
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ...(authorities !== undefined && { ca: authorities }),
    });
  }

  /**
   * For one control channel and its data channels.
   *
   * @param host what was dialled, a name or an address
   * @param pace for their handshakes, and for what comes on the control channel
   */
  newSession(host: string, pace?: Pace): ServerTlsSession {
    return new ServerTlsSession(this.#options, this.#context, this.#options.name ?? host, pace);
  }
}

/** The control channel to the server and its data channels, which resume its TLS session: many servers demand that. */
export class ServerTlsSession {
  readonly #options: ServerTlsOptions;
  readonly #context: SecureContext;
  readonly #name: string;
  readonly #pace: Pace | undefined;
  #ticket: Buffer | undefined;

  constructor(options: ServerTlsOptions, context: SecureContext, name: string, pace?: Pace) {
    this.#options = options;
    this.#context = context;
    this.#name = name;
    this.#pace = pace;
  }

  /**
   * @param socket connected and paused
   * @throws {HandshakeError} where it fails, or the server is not the right one; the connection is closed then
   */
  control(socket: Socket): Promise<TlsChannel> {
    const keepTicket = (tls: TLSSocket): void => {
      tls.on('session', (ticket) => {
        this.#ticket = ticket;
      });
    };
    return this.#connect(socket, keepTicket, this.#options.handshakeTimeout, 'end');
  }

  /** @param patience milliseconds until the server answers: it may begin when the transfer does */
  data(socket: Socket, patience: number): Promise<TlsChannel> {
    return this.#connect(socket, () => undefined, patience, 'handshake');
  }

  #connect(
    socket: Socket,
    prepare: (tls: TLSSocket) => void,
    limit: number,
    until: 'handshake' | 'end',
  ): Promise<TlsChannel> {
    const name = this.#name;
    return handshake(
      socket,
      (wire) => {
        const tls = connect({
          socket: wire,
          secureContext: this.#context,
          // Who the server is, `#check` judges: its words are better.
          rejectUnauthorized: false,
          checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
          ...(isIP(name) === 0 && { servername: name }),
          ...(this.#ticket && { session: this.#ticket }),
        });
        prepare(tls);
        return { tls, done: 'secureConnect' };
      },
      (tls, certificate) => {
        this.#check(tls, certificate);
      },
      limit,
      { by: this.#pace, until },
    );
  }

  #check(tls: TLSSocket, certificate: X509Certificate | undefined): void {
    // It shows no certificate then: that it knows the session proves that it is the server of the control channel.
    if (this.#ticket && tls.isSessionReused()) return;
    const shown = certificate && `${subjectOf(certificate)}, SHA-256 ${certificate.fingerprint256}`;
    const { fingerprints } = this.#options;
    if (fingerprints.length > 0) {
      if (certificate && fingerprints.includes(certificate.fingerprint256)) return;
      throw new Error(
        `the server's certificate does not match server-tls-fingerprint: it is ${shown ?? 'none'}`,
      );
    }
    if (tls.authorized) return;
    const reason = wordsOf(String(tls.authorizationError), this.#name);
    throw new Error(`the server's certificate is not accepted: ${reason} (it is ${shown ?? 'none'})`);
  }
}

/** What is wrong with a certificate, by Node's code for it. */
function wordsOf(code: string, name: string): string {
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `it is not for ${name}`;
    case 'CERT_HAS_EXPIRED':
      return 'it has expired';
    case 'CERT_NOT_YET_VALID':
      return 'it is not valid yet';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'it is self-signed';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE': // by one that has but the name of who is trusted, as an authority that was made anew
      return 'its issuer is not trusted';
    default:
      return code;
  }
}
