/** ufw and firewalld as they come unpacked, on folders of their own: nothing of the host's is read or changed. */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFolder } from '../project.ts';
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

export interface Firewalld {
  /** What holds a `firewall-cmd` whose changes come into force as `start` is run again. */
  readonly bin: string;
  /** The command line, for `sh`, that puts its rules into the network that it runs in. */
  readonly start: string;
}

/** firewalld on a configuration of its own, without D-Bus: its permanent configuration is all that it has. */
export function prepareFirewalld(folder: string): Firewalld {
  const { folder: tree, program } = unpackedServer('firewalld');
  const config = join(folder, 'firewalld');
  cpSync(join(tree, 'etc/firewalld'), config, { recursive: true });
  const stock = join(tree, 'usr/lib/firewalld');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const wrapper = join(bin, 'firewall-cmd');
  writeFileSync(
    wrapper,
    `#!/bin/sh
[ "$1" = --reload ] && exit
[ "$1" = --permanent ] || exit 2
shift
exec ${debianPython} ${program} --system-config ${config} --default-config ${stock} "$@"
`,
  );
  chmodSync(wrapper, 0o755);
  return {
    bin,
    start: `${debianPython} ${join(sourceFolder(import.meta.dirname), 'firewalld.py')} ${config} ${stock}`,
  };
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
