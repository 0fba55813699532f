/**
 * Every reply of the relay's own, without its CRLF. docs/what-it-does.md says when each is sent.
 *
 * A part that varies is the argument of a function.
 */
export const replies = {
  // --- commands ------------------------------------------------------------------------------------------
  lineTooLong: '500 Line too long.',
  nulByte: '500 A command cannot contain a NUL byte.',
  bareCr: '500 A command cannot contain a CR without an LF.',
  notUnderstood: '500 Command not understood.',
  http: '421 This is FTP, not HTTP.',
  notFtp: '421 This is FTP, and that was not an FTP command.',
  notLoggedIn: '530 Please login with USER and PASS.',
  setUpNotServed: (verb: string): string => `502 ${verb} not implemented; use EPRT or EPSV.`,
  afterEpsvAll: (verb: string): string => `501 ${verb} not allowed after EPSV ALL.`,
  portSyntax: '501 Illegal PORT command: expected six numbers from 0 to 255.',
  eprtSyntax: '501 Illegal EPRT command: expected |protocol|address|port|.',
  /** RFC 2428 section 2. @param protocols the numbers of those that are served */
  protocolNotServed: (protocols: string): string => `522 Network protocol not supported, use (${protocols})`,
  notDialled: (verb: string): string => `500 Illegal ${verb} command`,

  // --- TLS -----------------------------------------------------------------------------------------------
  tlsRefused: '534 TLS is not available through this relay.',
  unknownMechanism: '504 Unknown AUTH mechanism.',
  unknownMechanismUseTls: '504 Unknown AUTH mechanism; use AUTH TLS.',
  tlsInUse: '503 TLS is already in use.',
  authAfterUser: '503 AUTH must come before USER.',
  proceedWithTls: '234 Proceed with the TLS handshake.',
  notPipelined: '503 No command may follow this one before its reply.',
  handshakeExpected: '421 A TLS handshake was expected.',
  loginRequiresTls: '530 Login requires TLS; use AUTH TLS.',
  reinWithTls: '502 REIN not implemented with TLS; reconnect instead.',
  requiresAuth: (verb: string): string => `503 ${verb} requires AUTH TLS first.`,
  pbszSyntax: '501 Illegal PBSZ command: expected a number.',
  sizeIsZero: '200 PBSZ=0',
  protRequiresPbsz: '503 PROT requires PBSZ 0 first.',
  levelNotOfTls: '536 Protection level not supported with TLS; use PROT P or PROT C.',
  unknownLevel: '504 Unknown protection level; use PROT P or PROT C.',
  dataRequiresTls: '521 Data connections require TLS; use PROT P.',
  clearDataRefused: '534 Data connections require TLS; use PROT P.',
  dataIsProtected: '200 Data connections will be protected.',
  dataIsClear: '200 Data connections will be in the clear.',
  controlIsClear: '200 The control connection is now in the clear.',
  cccRefused: '533 The control connection must stay protected.',

  // --- data connections ----------------------------------------------------------------------------------
  noPinhole: '425 Cannot open data connection.',
  noFreePort: '425 Cannot open data connection: no free port on the relay.',
  serverPortNotAllowed: '425 Cannot open data connection: server port not allowed.',
  clientUnreachable: '425 Cannot open data connection: the client cannot be reached.',
  notDelivered: '426 Data connection closed; transfer aborted.',

  // --- sessions ------------------------------------------------------------------------------------------
  tooManySessions: '421 Too many sessions; try again later.',
  tooManySessionsOfClient: '421 Too many sessions from your address.',
  tooManyNewSessions: '421 Too many new sessions from your address.',
  tooManyDescriptors: '421 Too many connections; try again later.',
  tooManyRefusals: '421 Too many refused commands.',
  loginTimeout: '421 Login timeout.',
  idleTimeout: '421 Idle timeout.',
  loop: '421 Service not available: the destination is the relay itself.',
  destinationNotAllowed: '421 Service not available: this server is not allowed.',
  serverUnreachable: '421 Service not available: the server cannot be reached.',
  serverClosed: '421 Service not available: the server closed the control connection.',
  serverTlsFailed: '421 Service not available: TLS with the server failed.',
  noFreeRange: '421 Service not available: no free port on the relay.',
  workerDied: '421 Service not available; try again later.',
  shutdownForNew: '421 Service shutting down.',
  closedByAdministrator: '421 Closed by the administrator.',
  shutdown: '421 Service closing control connection.',
} as const;
