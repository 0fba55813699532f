import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Case } from './corpus.ts';
import { judge } from './judge.ts';
import type { Outcome } from './outcome.ts';

const script: Case = { name: 'a script', family: 4, client: [['PORT 198,51,100,10,78,100\r\n']] };
const opened: Outcome = {
  fate: 'ended',
  detail: '',
  toServer: 'PORT 198,51,100,10,78,100\r\n',
  toClient: '200 Done\r\n',
  lets: ['server => 198.51.100.10:20068 from 198.51.100.1:20'],
};
const heldUp: Outcome = { fate: 'held up', detail: 'client', toServer: '', toClient: '', lets: [] };
const refused: Outcome = { ...opened, toServer: '', toClient: '501 Illegal PORT command\r\n', lets: [] };

test('accepts what is equal, and what differs as the named decision has it', () => {
  assert.equal(judge(script, opened, opened), undefined);
  assert.equal(judge({ ...script, differs: 'split line' }, heldUp, opened), undefined);
  assert.equal(judge({ ...script, differs: 'exact form' }, opened, refused), undefined);
});

test('finds a difference that no decision explains', () => {
  assert.equal(judge(script, heldUp, opened), 'differs, and names no decision');
  const elsewhere = { ...opened, lets: ['server => 198.51.100.66:25 from 198.51.100.1:20'] };
  assert.equal(judge(script, opened, elsewhere), 'differs, and names no decision');
});

test('finds a difference that is not the one which the decision explains', () => {
  const named = { ...script, differs: 'split line' } as const;
  assert.match(
    judge(named, opened, refused) ?? '',
    /^names 'split line', which is not opens \/ refuses 501$/,
  );
  const kept = { ...script, differs: 'delimiter kept' } as const;
  const elsewhere = { ...opened, lets: ['server => 198.51.100.66:25 from 198.51.100.1:20'] };
  assert.match(judge(kept, opened, elsewhere) ?? '', /differs in more than bytes$/);
});

test('finds a decision that is named in vain', () => {
  assert.match(judge({ ...script, differs: 'split line' }, opened, opened) ?? '', /does not differ$/);
});
