/** Restarts under transfers, in short; `npm run soak -- --restarts 200 --clients 50` is the long form. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { restartUnderLoad } from '../soak/restarts.ts';

const missing = await requirements();
const short = { restarts: 6, clients: 8, interval: 0.1, seed: 'restarts' };
const flawless = { refused: 0, cut: 0, wrong: 0, code: 0, failures: {} };

describe('restarts under transfers', { concurrency: true }, () => {
  for (const plane of ['relay', 'kernel'] as const)
    for (const [isTls, workers, isOwn] of [
      [false, 1, true],
      [true, 1, false],
      [true, 2, true],
    ] as const)
      test(`refuse nobody and cut nothing on the ${plane} plane ${isTls ? 'with TLS' : 'in clear'}, ${workers} at work, ${isOwn ? 'own' : 'given'} sockets`, async (t) => {
        if (skipOrFail(t, missing)) return;
        const done = await restartUnderLoad({ plane, isTls, workers, isOwn, ...short });
        t.diagnostic(JSON.stringify(done));
        const { refused, cut, wrong, code, failures } = done;
        assert.deepEqual({ refused, cut, wrong, code, failures }, flawless);
        assert.ok(done.transfers > 20 && done.slow > 0 && done.processes > 1);
      });
});
