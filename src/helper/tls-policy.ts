/** What `AUTH` gets: 534; TLS that ends here; or TLS that is the server's, and nothing is seen any more. */
export const tlsModes = ['refuse', 'terminate', 'pass'] as const;

/** Where TLS of data channels ends that are protected on both sides: here, or at the server, to which it is passed on. */
export const dataTlsEnds = ['relay', 'server'] as const;

/**
 * How the control channel to the server is protected: not; by AUTH TLS at once, before the client hears of the server;
 * from its first byte; or as the client's is, by its own AUTH.
 */
export const serverTlsKinds = ['off', 'explicit', 'implicit', 'same'] as const;

/** How data channels to the server are protected, where the control channel is: as the client asks by PROT, or fixed. */
export const serverDataTlsKinds = ['same', 'clear', 'protected'] as const;

/** What decisions about TLS depend on. */
export interface TlsPolicy {
  readonly mode: (typeof tlsModes)[number];
  readonly data: (typeof dataTlsEnds)[number];
  readonly server: (typeof serverTlsKinds)[number];
  readonly serverData: (typeof serverDataTlsKinds)[number];
  /** No log in before TLS. */
  readonly isRequired: boolean;
  /** No transfer before PROT P. */
  readonly isRequiredForData: boolean;
  /** Whether CCC may take TLS off the control channel. */
  readonly allowsClear: boolean;
}

/** No TLS anywhere. */
export const noTls: TlsPolicy = {
  mode: 'refuse',
  data: 'relay',
  server: 'off',
  serverData: 'same',
  isRequired: false,
  isRequiredForData: false,
  allowsClear: false,
};

/** What the two sides of a session have agreed on about TLS. */
export interface Security {
  /** Whether the control channels are TLS now. */
  readonly client: boolean;
  readonly server: boolean;
  /** Whether the client's control channel has been TLS, CCC or not. */
  readonly wasSecured: boolean;
  /** Whether PBSZ has come. */
  readonly isSizeSaid: boolean;
  /** The state of PROT: whether the client's data channels use TLS. */
  readonly isDataProtected: boolean;
}

/** Whether PROT and PBSZ are the server's to answer: its data channels are as the client's are. */
export function isServerAsked(security: Security, { serverData }: TlsPolicy): boolean {
  return security.server && serverData === 'same';
}

/** Whether data channels to the server are TLS. */
export function isServerDataProtected(security: Security, { serverData }: TlsPolicy): boolean {
  if (!security.server) return false;
  return serverData === 'same' ? security.isDataProtected : serverData === 'protected';
}
