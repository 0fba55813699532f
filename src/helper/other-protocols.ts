import type { Command } from '../ftp/command.ts';

/** What a client speaks that is no FTP. */
export type OtherProtocol = 'http' | 'not-ftp';

const http = 'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH';

/** Words of four letters or fewer that begin another protocol, and are no command of FTP. */
const others =
  'PRI COPY MOVE LOCK BIND LINK ACL ' + // HTTP/2, WebDAV
  'EHLO HELO LHLO MAIL RCPT VRFY EXPN ETRN BDAT ' + // SMTP, LMTP
  'ACK BYE INFO PLAY ' + // SIP, RTSP
  'APOP CAPA UIDL IHAVE ' + // POP3, NNTP
  'NICK JOIN CAP PING PONG ' + // IRC, Redis
  'SSH JDWP RFB GIOP';

const httpVerbs: ReadonlySet<string> = new Set(http.split(' '));
const otherWords: ReadonlySet<string> = new Set(others.split(' '));

/** `GET / HTTP/1.1`, `REGISTER sip:x SIP/2.0`, `PLAY rtsp://x RTSP/1.0` */
const versionAtEnd = /[ \t](HTTP|SIP|RTSP|ICAP)\/\d+(?:\.\d+)?$/i;

/** RFC 959 section 5.3: "The command codes are four or fewer alphabetic characters." */
const commandCode = /^[A-Z]{0,4}$/;

/**
 * The protocol of a session with this first line; undefined if it may be FTP. Browsers and other programs can be made
 * to connect here and to send an attacker's text (NAT slipstreaming), but in their own protocol, whose first line
 * precedes it. An unknown word may be FTP, as long as it has the form of a command.
 */
export function otherProtocol({ verb, plain }: Command): OtherProtocol | undefined {
  if (httpVerbs.has(verb)) return 'http';
  const [, protocol] = versionAtEnd.exec(plain.trimEnd()) ?? [];
  if (protocol !== undefined) return protocol.toUpperCase() === 'HTTP' ? 'http' : 'not-ftp';
  // Telnet's bytes are cut off already, as far as they are whole.
  if (verb.includes('\xff')) return undefined;
  return commandCode.test(verb) && !otherWords.has(verb) ? undefined : 'not-ftp';
}

/**
 * Whether a connection that begins with this byte is binary: TURN, SOCKS, SMB and the like. TLS is handled
 * separately, and Telnet (RFC 854) begins with 0xff, or with the byte after one that was sent as urgent data.
 */
export function isBinary(first: number): boolean {
  const isBlank = first === 0x20 || (first >= 0x09 && first <= 0x0d);
  return (first < 0x20 && !isBlank) || first === 0x7f;
}
