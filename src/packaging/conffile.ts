import { stringify } from 'smol-toml';
import { loadConfig } from '../config/load.ts';
import { wrapWords } from '../net/columns.ts';
import { keyOf, names, table, writeSetting } from '../config/table.ts';

const width = 100;

/**
 * The file of a new installation: each setting with its default, commented out, but for `listen`. That it listens
 * where others reach it makes the missing server an error: the small server in memory is nothing for a service.
 */
export function makeConfFile(): string {
  const { config } = loadConfig({ flags: {}, env: {}, readFile: () => '' });
  const lines = names.flatMap((name, index) => {
    const { group, description, kind } = table[name];
    const previous = names[index - 1];
    const isFirst = previous === undefined || table[previous].group !== group;
    const value = stringify({ [keyOf(name)]: writeSetting(name, config) }).trimEnd();
    return [
      ...(isFirst ? ['', `# ---- ${group} ----`] : []),
      '',
      ...wrapWords(`${description} (${kind.allowed})`, width).map((line) => `# ${line}`),
      name === 'listen' ? 'listen = [21]' : `#${value}`,
    ];
  });
  return `# Settings of the service pinhole; pinhole.toml(5) and /usr/share/doc/pinhole/docs/configuration.md explain them.
# What is commented out is the default. The service needs a server, or intercept:
#
#     pinhole run --check --config /etc/pinhole/pinhole.toml
#     systemctl enable --now pinhole
${lines.join('\n')}
`;
}
