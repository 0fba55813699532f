import type { Observer } from '../events.ts';
import type { Channel } from '../net/channel.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { clientOf, type Admission, type AdmissionLimits } from './admission.ts';
import type { NoSession } from './establish.ts';
import { closeGently } from '../net/close-gently.ts';

/** Tells a client that it gets no session, and why, as far as that can be said to it. */
export function refuseClient(
  channel: Channel,
  client: Endpoint,
  { reason, reply, error }: Pick<NoSession, 'reason' | 'reply' | 'error'>,
  { admission, limits, observe }: { admission: Admission; limits: AdmissionLimits; observe: Observer },
): void {
  const { stream } = channel;
  observe({ type: 'session-refused', client, reason, error });
  if (reply !== undefined && stream.writable) stream.write(`${reply}\r\n`);
  const done = admission.refuse(clientOf(client.address, limits));
  channel.resume();
  if (done) closeGently(stream, done);
  // Many get the same reply at once, and a client that has sent something may not get to read it.
  else stream.destroy();
}
