/**
 * Every reply that the relay gives of its own, without its CRLF. docs/what-it-does.md tells when each is given.
 *
 * A part that varies is the argument of a function.
 */
export const replies = {
  // --- commands ------------------------------------------------------------------------------------------
  lineTooLong: '500 Line too long.',
  nulByte: '500 A command can not hold a NUL byte.',
  bareCr: '500 A command can not hold a CR without LF.',
  notUnderstood: '500 Command not understood.',
  http: '421 This is FTP, not HTTP.',
  notFtp: '421 This is FTP, and that was no command of it.',
  notLoggedIn: '530 Please login with USER and PASS.',
  setUpNotServed: (verb: string): string => `502 ${verb} not implemented, use EPRT or EPSV.`,
  afterEpsvAll: (verb: string): string => `501 ${verb} not allowed after EPSV ALL.`,
  portSyntax: '501 Illegal PORT command: six numbers of 0-255 expected.',
  eprtSyntax: '501 Illegal EPRT command: |protocol|address|port| expected.',
  /** RFC 2428 section 2. @param protocols the numbers of those that are served */
  protocolNotServed: (protocols: string): string => `522 Network protocol not supported, use (${protocols})`,
  notDialled: (verb: string): string => `500 Illegal ${verb} command`,

  // --- TLS -----------------------------------------------------------------------------------------------
  tlsRefused: '534 TLS is not available through this relay.',
  unknownMechanism: '504 Unknown AUTH mechanism.',
  unknownMechanismUseTls: '504 Unknown AUTH mechanism, use AUTH TLS.',
  tlsInUse: '503 TLS is in use already.',
  authAfterUser: '503 AUTH must come before USER.',
  proceedWithTls: '234 Proceed with the TLS handshake.',
  notPipelined: '503 No command may come behind this one before its reply.',
  handshakeExpected: '421 A TLS handshake was expected.',
  loginRequiresTls: '530 This server takes no log in without TLS, use AUTH TLS.',
  reinWithTls: '502 REIN not implemented with TLS, connect again.',
  requiresAuth: (verb: string): string => `503 ${verb} must come behind AUTH TLS.`,
  pbszSyntax: '501 Illegal PBSZ command: a number expected.',
  sizeIsZero: '200 PBSZ=0',
  protRequiresPbsz: '503 PROT must come behind PBSZ 0.',
  levelNotOfTls: '536 TLS has no such protection level, use PROT P or PROT C.',
  unknownLevel: '504 Unknown protection level, use PROT P or PROT C.',
  dataRequiresTls: '521 Data connections must be protected, use PROT P.',
  clearDataRefused: '534 Data connections must be protected, use PROT P.',
  dataIsProtected: '200 Data connections will be protected.',
  dataIsClear: '200 Data connections will be clear.',
  controlIsClear: '200 The control connection is clear from here on.',
  cccRefused: '533 This server keeps the control connection protected.',

  // --- data connections ----------------------------------------------------------------------------------
  noPinhole: '425 Cannot open data connection.',
  noFreePort: '425 Cannot open data connection, no free port at the relay.',
  serverPortNotAllowed: '425 Cannot open data connection, the port of the server is not allowed.',
  clientUnreachable: '425 Unable to build data connection.',
  notDelivered: '426 Data connection closed, transfer aborted.',

  // --- sessions ------------------------------------------------------------------------------------------
  tooManySessions: '421 Too many sessions, try again later.',
  tooManySessionsOfClient: '421 Too many sessions from your address.',
  tooManyDescriptors: '421 Too many connections, try again later.',
  tooManyRefusals: '421 Too many commands were refused.',
  loginTimeout: '421 Login timeout.',
  idleTimeout: '421 Idle timeout.',
  loop: '421 Service not available, this is the relay itself.',
  destinationNotAllowed: '421 Service not available, this server is not allowed.',
  serverUnreachable: '421 Service not available, the server does not answer.',
  serverClosed: '421 Service not available, the server closed the control connection.',
  serverTlsFailed: '421 Service not available, no TLS with the server.',
  noFreeRange: '421 Service not available, no port of the relay is free.',
  shutdownForNew: '421 Service closing.',
  shutdown: '421 Service closing control connection.',
} as const;
