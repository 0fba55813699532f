/** ufw and firewalld as they come unpacked, on folders of their own: nothing of the host's is read or changed. */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPython, unpackedServer } from './provision.ts';
import { runProcess, type Finished } from './process.ts';

export interface Ufw {
  /** What holds `etc/ufw`. */
  readonly root: string;
  /** The command line, for `sh`. */
  readonly command: string;
}

/** ufw's files as its package would put them in place, in a folder. Enabled it is by `command --force enable`. */
export function prepareUfw(folder: string): Ufw {
  const { folder: tree, program } = unpackedServer('ufw');
  const root = join(folder, 'ufw');
  mkdirSync(root);
  for (const [from, to] of [
    ['etc/ufw', 'etc/ufw'],
    ['usr/share/ufw', 'etc/ufw'],
    ['etc/default', 'etc/default'],
    ['lib/ufw', 'lib/ufw'],
  ] as const) {
    // Its rules are links, and what is written into them must not get into the tree.
    cpSync(join(tree, from), join(root, to), { recursive: true, dereference: true });
  }
  // What it is called by may have a blank in it nowhere.
  const wrapper = join(root, 'ufw');
  const library = join(tree, 'usr/lib/python3/dist-packages');
  writeFileSync(
    wrapper,
    `#!/bin/sh\nPYTHONPATH=${library} exec ${debianPython} ${program} --rootdir=${root} --datadir=${root} "$@"\n`,
  );
  chmodSync(wrapper, 0o755);
  return { root, command: wrapper };
}

/** What firewalld itself says of a folder like /etc/firewalld. */
export function checkFirewalld(
  config: string,
  flags: readonly string[] = ['--check-config'],
): Promise<Finished> {
  const { folder: tree, program } = unpackedServer('firewalld');
  cpSync(join(tree, 'etc/firewalld'), config, { recursive: true, force: false });
  const stock = join(tree, 'usr/lib/firewalld');
  return runProcess([debianPython, program, '--system-config', config, '--default-config', stock, ...flags]);
}
