import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  kernelCarries,
  reasonOfRelay,
  relaysActive,
  relaysPassive,
  tlsEndsHere,
} from '../../src/helper/carrying.ts';
import { dataTlsEnds, noTls, serverDataTlsKinds, serverTlsKinds } from '../../src/helper/tls-policy.ts';
import type { Security, TlsPolicy } from '../../src/helper/tls-policy.ts';
import { address } from '../support/relay/hosts.ts';

const four = [address('198.51.100.10'), address('198.51.100.1'), address('10.77.0.2'), address('10.77.0.1')];
const six = [address('2001:db8::10'), address('2001:db8::1'), address('fd77::2'), address('fd77::1')];

/** From whom, to which address of the relay, and where that leads, from where. */
function request([peer, reached, to, from]: readonly (typeof four)[number][]): Parameters<
  typeof kernelCarries
>[0] {
  assert.ok(peer && reached && to && from);
  return { peer, address: reached, to: { address: to }, from: { address: from } };
}

test('the kernel carries what is of one family throughout', () => {
  assert.ok(kernelCarries(request(four)));
  assert.ok(kernelCarries(request(six)));
  for (let n = 0; n < 4; n++) {
    assert.ok(!kernelCarries(request(four.map((each, index) => (index === n ? (six[n] ?? each) : each)))));
  }
});

test('the kernel carries nothing whose TLS ends here', () => {
  assert.ok(!kernelCarries({ ...request(four), protection: {} }));
});

/** What a session may have agreed on. */
function agreements({ mode, server }: TlsPolicy): Security[] {
  const clients = mode === 'terminate' ? [false, true] : [false];
  return clients.flatMap((client) =>
    (client ? [false, true] : [false]).map((isDataProtected) => ({
      client,
      server: server === 'same' ? client : server !== 'off',
      wasSecured: client,
      isSizeSaid: client,
      isDataProtected,
    })),
  );
}

const policies = (['refuse', 'terminate'] as const).flatMap((mode) =>
  serverTlsKinds.flatMap((server) =>
    serverDataTlsKinds.flatMap((serverData) =>
      dataTlsEnds.map((data): TlsPolicy => ({ ...noTls, mode, server, serverData, data })),
    ),
  ),
);

/** What the configuration refuses. */
function isInconsistent({ mode, data, server, serverData }: TlsPolicy): boolean {
  if (server === 'same' && mode !== 'terminate') return true;
  return data === 'server' && (mode !== 'terminate' || server === 'off' || serverData !== 'same');
}

for (const policy of policies.filter((each) => !isInconsistent(each))) {
  const { mode, server, serverData, data } = policy;
  test(`tls ${mode}, server-tls ${server}, server-data-tls ${serverData}, tls-data ${data}: ports are open for what sessions can agree on`, () => {
    const ends = agreements(policy).some((agreed) =>
      Object.values(tlsEndsHere(agreed, policy)).includes(true),
    );
    assert.equal(reasonOfRelay({ plane: 'kernel', tls: policy }), ends ? 'ends here' : undefined);
  });
}

test('TLS that both sides have is passed on, and of one side alone it ends here', () => {
  const policy: TlsPolicy = { ...noTls, mode: 'terminate', server: 'explicit', data: 'server' };
  const agreed = { client: true, server: true, wasSecured: true, isSizeSaid: true, isDataProtected: true };
  assert.deepEqual(tlsEndsHere(agreed, policy), { client: false, server: false });
  assert.deepEqual(tlsEndsHere(agreed, { ...policy, serverData: 'clear' }), { client: true, server: false });
  assert.deepEqual(tlsEndsHere(agreed, { ...policy, data: 'relay' }), { client: true, server: true });
});

test('the relay plane has ports for both modes, and TLS that is passed for passive mode alone', () => {
  for (const [plane, mode, expected] of [
    ['relay', 'refuse', [true, true]],
    ['kernel', 'refuse', [false, false]],
    ['kernel', 'terminate', [true, true]],
    ['kernel', 'pass', [true, false]],
  ] as const) {
    const settings = { plane, tls: { ...noTls, mode } };
    assert.deepEqual([relaysPassive(settings), relaysActive(settings)], expected, `${plane} ${mode}`);
  }
});
