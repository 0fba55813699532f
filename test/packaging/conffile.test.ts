import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servable, wantsEmbeddedServer } from '../../src/commands/embedded.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { settings } from '../../src/config/table.ts';
import { makeConfFile } from '../../src/packaging/conffile.ts';

function load(text: string): LoadedConfig {
  return loadConfig({ flags: { config: 'pinhole.toml' }, env: {}, readFile: () => text });
}

const defaults = loadConfig({ flags: {}, env: {}, readFile: () => '' }).config;

test('has every setting with its default, commented out', () => {
  const text = makeConfFile();
  for (const { key } of settings) assert.match(text, new RegExp(`^#?${key} = `, 'm'));
  const { config } = load(text.replace(/^#(?=\S+ = )/gm, ''));
  assert.deepEqual(config, { ...defaults, listen: config.listen });
});

test('needs a server to be named before the service starts', () => {
  const text = makeConfFile();
  assert.throws(() => wantsEmbeddedServer(load(text)), /^ConfigError: server: not set, but needed/);
  const { config } = load(text.replace('#server = ""', 'server = "192.168.1.10"'));
  assert.equal(servable(config)?.server?.host, '192.168.1.10');
});
