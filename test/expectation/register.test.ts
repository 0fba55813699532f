import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectationRegister } from '../../src/expectation/register.ts';
import { ExpectationTable } from '../../src/expectation/table.ts';
import { address } from '../data/sessions.ts';

test('two tables of one register number their expectations in one row, and know what the other has', () => {
  const register = new ExpectationRegister();
  const expired = (): void => undefined;
  const tables = [
    new ExpectationTable({ plane: 'kernel', register, expired }),
    new ExpectationTable({ plane: 'relay', register, expired }),
  ];
  assert.deepEqual([register.nextId(), register.nextId()], [1, 2]);

  const at = { address: address('203.0.113.1'), port: 50000 };
  const peer = address('198.51.100.10');
  for (const table of tables) {
    const expectation = {
      id: register.nextId(),
      session: 1,
      plane: 'kernel',
      mode: 'passive',
      peer,
      alsoFrom: [],
      at,
      to: at,
      expires: 1000,
    } as const;
    assert.ok(!register.has(at, peer));
    const pinhole = { expectation };
    table.add(pinhole);
    assert.ok(register.has(at, peer));
    assert.ok(!register.has({ ...at, port: 50001 }, peer));
    table.close(pinhole);
  }
});
