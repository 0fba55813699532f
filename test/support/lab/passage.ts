import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSession, type ClientName, type ClientSession } from './clients.ts';
import type { Network } from './network.ts';
import type { LabServer } from './servers.ts';

/**
 * Lists, uploads and downloads in one session, and compares both files.
 *
 * @param context what a failure tells beside the client's own words
 */
export async function passage(
  network: Network,
  client: ClientName,
  session: Omit<ClientSession, 'user' | 'password'>,
  server: LabServer,
  content: Buffer,
  context = (): string => '',
): Promise<void> {
  const { user, password } = server;
  const [up, down] = ['up', 'down'].map((name) => join(network.folder, name)) as [string, string];
  server.put('file', content);
  rmSync(join(server.root, 'up'), { force: true });
  rmSync(down, { force: true });
  writeFileSync(up, content);
  const { ok, output } = await runSession(network, client, { ...session, user, password }, [
    { operation: 'list' },
    { operation: 'upload', remote: 'up', local: up },
    { operation: 'download', remote: 'file', local: down },
  ]);
  assert.ok(ok, `${output}\n${context()}`);
  assert.ok(readFileSync(down).equals(content));
  assert.ok(server.read('up').equals(content));
}
