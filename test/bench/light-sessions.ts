/**
 * Sessions that say AUTH TLS, log in and quit, as many as are told at once; prints how many a second:
 *
 *     node light-sessions.js HOST PORT SESSIONS AT_ONCE
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

const [host = '', port = '', sessions = '', atOnce = ''] = process.argv.slice(2);
// `ca` of nobody: the system's are not loaded, and the certificate is not looked at.
const secureContext = createSecureContext({ ca: [] });

async function session(): Promise<void> {
  const socket = connect(Number(port), host);
  await once(socket, 'data');
  socket.write('AUTH TLS\r\n');
  await once(socket, 'data');
  const tls = connectTls({ socket, secureContext, rejectUnauthorized: false });
  await once(tls, 'secureConnect');
  for (const command of ['USER anna', 'PASS secret', 'QUIT']) {
    tls.write(`${command}\r\n`);
    await once(tls, 'data');
  }
  tls.destroy();
}

let left = Number(sessions);
const started = performance.now();
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await session();
  }),
);
process.stdout.write(String((Number(sessions) * 1000) / (performance.now() - started)));
