import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { findHostPorts, formatHostPort } from '../ftp/host-port.ts';
import { dial } from '../net/dial.ts';
import { endpointOfServer, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { ignoreError } from '../net/socket.ts';
import { ControlConnection } from './control-connection.ts';

/** No wait takes longer, in milliseconds. */
const limit = 10_000;

/** Plays one passive and one active download through the relay at `relay`; returns the bytes of each. */
export async function playTransfers(
  relay: Endpoint,
  path: string,
): Promise<{ passive: number; active: number }> {
  const socket = await connect(relay);
  try {
    const control = new ControlConnection(socket);
    await control.login('demo', 'demo');
    await control.ask('TYPE I', 200);
    const passive = await downloadPassive(control, relay, path);
    const active = await downloadActive(control, socket.localAddress ?? '', path);
    await control.ask('QUIT', 221);
    return { passive, active };
  } finally {
    socket.destroy();
  }
}

/** As strict clients do, it refuses to connect anywhere but to the address that it has dialled. */
async function downloadPassive(control: ControlConnection, relay: Endpoint, path: string): Promise<number> {
  const text = await control.ask('PASV', 227);
  const endpoint = findHostPorts(text)[0]?.endpoint;
  if (endpoint?.address !== relay.address) throw new Error(`${text}, from ${formatEndpoint(relay)}`);
  return download(control, path, await connect(endpoint));
}

async function downloadActive(control: ControlConnection, host: string, path: string): Promise<number> {
  const listener = createServer({ pauseOnConnect: true });
  try {
    listener.listen({ host, port: 0 });
    await once(listener, 'listening');
    const signal = AbortSignal.timeout(limit);
    const accepted = once(listener, 'connection', { signal }).then(([socket]) => socket as Socket);
    accepted.catch(ignoreError);
    await control.ask(`PORT ${formatHostPort(endpointOfServer(listener))}`, 200);
    return await download(control, path, accepted);
  } finally {
    listener.close();
  }
}

/** Returns how many bytes came. */
async function download(
  control: ControlConnection,
  path: string,
  data: Socket | Promise<Socket>,
): Promise<number> {
  await control.ask(`RETR ${path}`, 150);
  let bytes = 0;
  for await (const chunk of limited(await data) as AsyncIterable<Buffer>) bytes += chunk.length;
  await control.expect(226);
  return bytes;
}

async function connect({ address, port }: Endpoint): Promise<Socket> {
  return limited(await dial({ host: address, port }, limit).connected);
}

/** Its errors reach its reader. */
function limited(socket: Socket): Socket {
  socket.on('error', ignoreError);
  return socket.setTimeout(limit, () => socket.destroy(new Error(`silent for ${limit / 1000} s`)));
}
