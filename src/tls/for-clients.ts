import { constants, type X509Certificate } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import {
  createSecureContext,
  TLSSocket,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';
import type { TlsChannel } from '../net/channel.ts';
import { awaitHello, handshake, serverNameOf } from './handshake.ts';
import { messageOf } from '../net/error.ts';
import { certificateError } from '../node-internals/certificate-error.ts';
import { serverOf } from '../node-internals/sessions-by-id.ts';
import { IdentityError, identityFor, type Identity } from './identities.ts';
import { giveTickets, newTicketKeys, type TicketKeys, type TicketsGiven } from './tickets.ts';
import type { Pace } from './wire.ts';

export interface ClientTlsOptions {
  /** At least one; the first serves clients without an SNI name, or with one that matches no certificate. */
  readonly identities: readonly Identity[];
  /** PEM: clients have to show a certificate that one of these has signed. */
  readonly clientAuthorities: string | undefined;
  readonly minVersion: SecureVersion;
  /** Whether a client whose SNI name matches no certificate is refused. */
  readonly isNameStrict: boolean;
  /** Whether a data channel has to resume the TLS session of its control channel. */
  readonly requiresReuse: boolean;
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number;
}

/** ALPN (RFC 7301): a client that names another protocol was directed here by an attacker (ALPACA). */
const controlProtocols = ['ftp'];
const dataProtocols = ['ftp', 'ftp-data'];

/** Sessions of TLS are resumed among connections of this program alone. */
const sessionIdContext = 'pinhole';

/** TLS towards clients: this side holds the certificate. */
export class TlsForClients {
  #options: ClientTlsOptions;
  #contexts: ContextsByUse;

  constructor(options: ClientTlsOptions) {
    this.#options = options;
    this.#contexts = contextsByUse(options);
    this.#contexts.control.makeAll();
  }

  /** The certificates that clients are shown. */
  get identities(): readonly Identity[] {
    return this.#options.identities;
  }

  /** Connections from now on see these; sessions that are live keep theirs. */
  configure(options: ClientTlsOptions): void {
    const contexts = contextsByUse(options);
    contexts.control.makeAll();
    this.#contexts = contexts;
    this.#options = options;
  }

  /**
   * For one control channel and its data channels.
   *
   * @param pace for their handshakes, and for what comes on the control channel
   */
  newSession(pace?: Pace): ClientTlsSession {
    const options = this.#options;
    // With keys of its own, tickets of other sessions mean nothing to it: what is resumed is this very session.
    const contexts = options.requiresReuse ? contextsByUse(options) : this.#contexts;
    return new ClientTlsSession(options, contexts, pace);
  }
}

/** One client's control channel and its data channels. */
export class ClientTlsSession {
  readonly #options: ClientTlsOptions;
  readonly #contexts: ContextsByUse;
  readonly #pace: Pace | undefined;
  readonly #sessions = sessionsById();
  /** Of the certificate that the client showed on its control channel. */
  #fingerprint: string | undefined;

  constructor(options: ClientTlsOptions, contexts: ContextsByUse, pace?: Pace) {
    this.#options = options;
    this.#contexts = contexts;
    this.#pace = pace;
  }

  /**
   * Answers the handshake of a control channel.
   *
   * @param socket connected and paused
   * @throws {HandshakeError} where it fails; where the client speaks, but not TLS, the socket is still open
   */
  async control(socket: Socket): Promise<TlsChannel> {
    const { handshakeTimeout } = this.#options;
    await awaitHello(socket, handshakeTimeout);
    return this.#accept(socket, this.#contexts.control, controlProtocols, 'end', (tls, certificate) => {
      this.#checkCertificate(tls, certificate);
      this.#fingerprint = certificate?.fingerprint256;
    });
  }

  /**
   * Answers the handshake of a data channel.
   *
   * @param patience milliseconds until it begins: some clients begin when the transfer does
   * @param isUpload whether it is known by then that the client sends
   */
  async data(socket: Socket, patience: number, isUpload: () => boolean): Promise<TlsChannel> {
    await awaitHello(socket, patience);
    const { upload, data } = this.#contexts;
    return this.#accept(
      socket,
      isUpload() ? upload : data,
      dataProtocols,
      'handshake',
      (tls, certificate) => {
        this.#checkCertificate(tls, certificate);
        if (certificate?.fingerprint256 !== this.#fingerprint) {
          throw new Error("the client's certificate differs from that of the control connection");
        }
        if (this.#options.requiresReuse && !tls.isSessionReused()) {
          throw new Error('the TLS session of the control connection was not resumed');
        }
      },
    );
  }

  #accept(
    socket: Socket,
    contexts: Contexts,
    protocols: readonly string[],
    until: 'handshake' | 'end',
    check: (tls: TLSSocket, certificate: X509Certificate | undefined) => void,
  ): Promise<TlsChannel> {
    const { clientAuthorities, handshakeTimeout, isNameStrict } = this.#options;
    const start = (wire: ConstructorParameters<typeof TLSSocket>[0]): { tls: TLSSocket; done: 'secure' } => ({
      done: 'secure',
      tls: new TLSSocket(wire, {
        isServer: true,
        ...(this.#sessions && { server: this.#sessions }),
        secureContext: contexts.first,
        requestCert: clientAuthorities !== undefined,
        rejectUnauthorized: false,
        ALPNCallback: ({ protocols: offered }) => offered.find((each) => protocols.includes(each)),
        SNICallback: (name, answer) => {
          const found = contexts.of(name);
          if (found || !isNameStrict) answer(null, found);
          else answer(strangeName(name));
        },
      }),
    });
    const checkAll = (tls: TLSSocket, certificate: X509Certificate | undefined): void => {
      // Of a session that is resumed, OpenSSL asks for no certificate by name.
      const name = serverNameOf(tls);
      if (isNameStrict && name !== undefined && !contexts.of(name)) throw strangeName(name);
      check(tls, certificate);
    };
    return handshake(socket, start, checkAll, handshakeTimeout, { by: this.#pace, until });
  }

  #checkCertificate(tls: TLSSocket, certificate: X509Certificate | undefined): void {
    if (this.#options.clientAuthorities === undefined) return;
    if (!certificate) throw new Error('the client presented no certificate');
    const trouble = certificateError(tls);
    if (trouble)
      throw new Error(`the client's certificate is not accepted: ${trouble.message.replace(advice, '')}`);
    // Of a session that is resumed, OpenSSL says what it found when that began.
    if (tls.isSessionReused() && Date.parse(certificate.validTo) < Date.now()) {
      throw new Error("the client's certificate is not accepted: certificate has expired");
    }
  }
}

/** How many TLS sessions of one control session are remembered. */
const mostSessions = 16;

/**
 * Remembers TLS 1.2 sessions by their id, for clients that take no tickets (curl). The store belongs to one control
 * session, so that no other can resume what is in it.
 */
function sessionsById(): Server | undefined {
  const known = new Map<string, Buffer>();
  return serverOf({
    keep: (id, session) => {
      known.set(id, session);
      const [oldest] = known.keys();
      if (known.size > mostSessions && oldest !== undefined) known.delete(oldest);
    },
    find: (id) => known.get(id),
  });
}

/** What Node 24 adds for whoever runs the program: `; if the root CA is installed locally, try running Node.js with ...` */
const advice = /; if the root CA is .*/;

interface ContextsByUse {
  readonly control: Contexts;
  /** A data channel, unless it is known that the client sends on it. */
  readonly data: Contexts;
  readonly upload: Contexts;
}

/**
 * With keys of their own: a ticket that another call's have given means nothing to these.
 *
 * A ticket of TLS 1.3 is for one use (RFC 8446 appendix C.4), and clients with OpenSSL (curl) offer none twice: where
 * each data channel has to resume a session, they get a new one on each. Who only sends may never read it, though
 * (lftp), and what is unread at the end makes of a FIN a reset, behind which the end of the file is lost.
 */
function contextsByUse(options: ClientTlsOptions): ContextsByUse {
  const keys = newTicketKeys();
  const renews = options.requiresReuse && options.minVersion === 'TLSv1.3';
  return {
    control: new Contexts(options, keys, 'first'),
    data: new Contexts(options, keys, renews ? 'always' : 'first'),
    upload: new Contexts(options, keys, 'never'),
  };
}

/** Seconds: the most that TLS 1.3 allows (RFC 8446 section 4.6.1). Keys for one session do not outlive it. */
const week = 604_800;

/**
 * Where each data channel has to resume the session: for as long as there may be one, and as often. In TLS 1.3 Node
 * gives two tickets for one use each, and no more behind an upload; a session of TLS 1.2 may be resumed without end.
 */
function lasting({ minVersion }: ClientTlsOptions): SecureContextOptions {
  return { sessionTimeout: week, ...(minVersion !== 'TLSv1.3' && { maxVersion: 'TLSv1.2' }) };
}

function strangeName(name: string): Error {
  return new Error(`no certificate matches the name ${name} that the client asked for`);
}

/** The certificates as OpenSSL wants them. */
class Contexts {
  readonly #byIdentity = new Map<Identity, SecureContext>();
  readonly #options: ClientTlsOptions;
  readonly #keys: TicketKeys;
  readonly #tickets: TicketsGiven;

  constructor(options: ClientTlsOptions, keys: TicketKeys, tickets: TicketsGiven) {
    this.#options = options;
    this.#keys = keys;
    this.#tickets = tickets;
  }

  get first(): SecureContext {
    const [first] = this.#options.identities;
    if (!first) throw new Error('TLS needs a certificate');
    return this.#of(first);
  }

  of(name: string): SecureContext | undefined {
    const identity = identityFor(this.#options.identities, name);
    return identity && this.#of(identity);
  }

  /** Made when it is asked for: that takes a millisecond, and most who connect ask for none or for one. */
  #of(identity: Identity): SecureContext {
    const known = this.#byIdentity.get(identity);
    if (known) return known;
    const { clientAuthorities, minVersion } = this.#options;
    const { cert, key } = identity;
    const context = createSecureContext({
      cert,
      key,
      minVersion,
      // Node's own switch against it closes nothing that is no `tls.Server`'s.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext,
      // Not the system's: they verify servers, and take time to load.
      ca: clientAuthorities ?? [],
      ticketKeys: this.#keys.all,
      ...(this.#options.requiresReuse && lasting(this.#options)),
    });
    giveTickets(context, this.#keys, this.#tickets);
    this.#byIdentity.set(identity, context);
    return context;
  }

  /** @throws for a certificate that OpenSSL does not take; the message names its file */
  makeAll(): void {
    for (const identity of this.#options.identities) {
      try {
        this.#of(identity);
      } catch (error) {
        throw new IdentityError(`tls-cert: ${identity.file} cannot be used: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
  }
}
