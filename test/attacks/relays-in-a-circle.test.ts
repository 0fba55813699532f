/** Relays that name each other as their server, by mistake or by somebody's will. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstActivePort, hosts } from '../support/relay/hosts.ts';
import { Lab } from '../support/relay/lab.ts';

test('two relays that name each other make few sessions of one, which ends with 421', async (t) => {
  const [one, other] = [`${hosts.relay}:${firstActivePort + 90}`, `${hosts.other}:${firstActivePort + 91}`];
  const settings = { 'connect-timeout': '1s' };
  const labs = [
    await Lab.start(t, { ...settings, listen: one, server: other }),
    await Lab.start(t, { ...settings, listen: other, server: one }),
  ] as const;
  const [lab] = labs;
  const client = await lab.dial(lab.relay);
  assert.match(await client.rest(), /^421 /);
  client.end();
  const opened = labs.flatMap((each) => each.eventsOf('session-opened')).length;
  assert.ok(opened >= 1 && opened <= 10, `${opened} sessions`);
  assert.ok(labs.some((each) => each.eventsOf('session-refused', { reason: 'loop' }).length > 0));
});

test('a relay that names itself does not start', async (t) => {
  const own = `${hosts.relay}:${firstActivePort + 92}`;
  await assert.rejects(Lab.start(t, { listen: own, server: own }), /the relay itself listens there/);
});
