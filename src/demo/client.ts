import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, enterPassiveModeIPv4, type FTPContext, type FTPResponse } from 'basic-ftp';
import type { Endpoint } from '../net/endpoint.ts';

/** Plays one passive and one active download through the relay at `relay`; returns the bytes of each. */
export async function playTransfers(
  relay: Endpoint,
  path: string,
): Promise<{ passive: number; active: number }> {
  const client = new Client(10_000);
  try {
    await client.access({ host: relay.address, port: relay.port, user: 'demo', password: 'demo' });
    client.prepareTransfer = enterPassiveModeIPv4;
    const passive = await download(client, path);
    client.prepareTransfer = enterActiveMode;
    const active = await download(client, path);
    await client.send('QUIT');
    return { passive, active };
  } finally {
    client.close();
  }
}

async function download(client: Client, path: string): Promise<number> {
  let bytes = 0;
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done();
    },
  });
  await client.downloadTo(sink, path);
  return bytes;
}

/**
 * The library knows passive mode alone, and wants its data socket before it sends RETR, where in active mode
 * the connection comes after. So it gets one end of a connection within this process, and the other end is
 * joined with the server's connection when that has come.
 */
async function enterActiveMode(ftp: FTPContext): Promise<FTPResponse> {
  const host = ftp.socket.localAddress ?? '127.0.0.1';
  const listener = createServer({ allowHalfOpen: true });
  const joint = createServer({ allowHalfOpen: true });
  const arrived = once(listener, 'connection') as Promise<[Socket]>;
  const [port, jointPort] = await Promise.all([listen(listener, host), listen(joint, '127.0.0.1')]);

  const inner = once(joint, 'connection') as Promise<[Socket]>;
  const dataSocket = connect({ host: '127.0.0.1', port: jointPort });
  await once(dataSocket, 'connect');
  ftp.dataSocket = dataSocket;
  void Promise.all([arrived, inner])
    .then(([[outside], [inside]]) => {
      listener.close();
      joint.close();
      return Promise.all([pipeline(outside, inside), pipeline(inside, outside)]);
    })
    .catch((error: unknown) => dataSocket.destroy(error instanceof Error ? error : new Error(String(error))));
  return ftp.request(`PORT ${[...host.split('.'), port >> 8, port & 0xff].join(',')}`);
}

async function listen(server: ReturnType<typeof createServer>, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
