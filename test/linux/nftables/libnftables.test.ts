import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { NftError } from '../../../src/linux/nftables/error.ts';
import { loadNft } from '../../../src/linux/nftables/libnftables.ts';
import type { Nft } from '../../../src/linux/nftables/nft.ts';
import type { Statement } from '../../../src/linux/nftables/statement.ts';

// What changes tables is tested in network namespaces; a check changes nothing anywhere.
const present = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'].some(
  (folder) => existsSync(`${folder}/libnftables.so.1`),
);

function statement(text: string): Statement {
  return { kind: 'table', change: 'make', table: 'pinhole-test', text };
}

test('libnftables answers in this process, with typed errors', async (t) => {
  let nft: Nft;
  try {
    nft = await loadNft('the test');
  } catch (error) {
    assert.ok(error instanceof NftError && error.kind === 'no-library' && !present, String(error));
    t.skip(error.message);
    return;
  }
  const isRoot = process.getuid?.() === 0;
  const kind = isRoot ? 'other' : 'no-permission';
  assert.throws(() => {
    nft.check([statement('no statement at all\n')]);
  }, NftError);
  assert.throws(
    () => {
      nft.check([statement('add rule inet pinhole-test chain nonsense\n')]);
    },
    { name: 'NftError', kind },
  );
  nft.close();
});
