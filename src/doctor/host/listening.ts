import { isLoopback, parseAddress } from '../../net/address.ts';
import { parsePort } from '../../net/endpoint.ts';

/** A TCP port on which somebody listens. */
export interface Listener {
  readonly line: number;
  readonly port: number;
  readonly isLoopback: boolean;
  /** The program, where ss may know it. */
  readonly program: string | undefined;
  /** Its process. */
  readonly pid?: number;
  /** The user of the program where it is known and is not root. */
  readonly user: number | undefined;
}

/** Reads what `ss -ltnp` prints (with -e: users too), or `netstat -ltnp`. */
export function readListening(text: string): Listener[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    // LISTEN 0 32 0.0.0.0:21 0.0.0.0:* users:(("vsftpd",pid=1,fd=3)) uid:1000
    // tcp 0 0 0.0.0.0:21 0.0.0.0:* LISTEN 812/vsftpd
    if (!words.includes('LISTEN')) return [];
    const local = words[words[0]?.startsWith('tcp') === true ? 3 : words.indexOf('LISTEN') + 3] ?? '';
    const at = local.lastIndexOf(':');
    const port = parsePort(local.slice(at + 1));
    if (at === -1 || port === undefined) return [];
    const [host = ''] = local.slice(0, at).replace(/[[\]]/g, '').split('%', 1);
    const address = parseAddress(host);
    const [, program] =
      /users:\(\("([^"]{1,64})"/.exec(line) ?? /\bLISTEN\s{1,20}\d{1,10}\/(\S{1,64})/.exec(line) ?? [];
    const [, pid] = /\bpid=(\d{1,10})/.exec(line) ?? [];
    const [, user] = /\buid:(\d{1,10})/.exec(line) ?? [];
    return [
      {
        line: index + 1,
        port,
        isLoopback: address !== undefined && isLoopback(address),
        program,
        ...(pid !== undefined && { pid: Number(pid) }),
        user: user === undefined ? undefined : Number(user),
      },
    ];
  });
}
