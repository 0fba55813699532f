/**
 * An FTP server that greets, lets everybody log in and says goodbye, and does nothing else:
 *
 *     node light-server.js ADDRESS PORT
 */
import { createServer } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const answers: Readonly<Record<string, string>> = {
  USER: '331 Password.',
  PASS: '230 Welcome.',
  QUIT: '221 Bye.',
};

createServer((socket) => {
  socket.on('error', () => undefined);
  socket.write('220 Ready.\r\n');
  socket.on('data', (data) => {
    const verb = data.toString('latin1', 0, 4).toUpperCase();
    socket.write(`${answers[verb] ?? '502 No.'}\r\n`);
    if (verb === 'QUIT') socket.end();
  });
}).listen(Number(port), address);
