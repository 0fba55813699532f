/**
 * Other files in the place of the host's for one program alone. `ip netns exec` gives each of its programs a mount
 * namespace, so nothing of this is seen outside and nothing has to be undone.
 */
import { existsSync } from 'node:fs';

/**
 * The argument list that mounts each source over its target before it becomes `argv`. For programs that run through
 * `ip netns exec` only: elsewhere it would change the host. A target that the host lacks is left out.
 */
export function withMounts(sources: Readonly<Record<string, string>>, argv: readonly string[]): string[] {
  const pairs = Object.entries(sources).filter(([target]) => existsSync(target));
  const script = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"';
  return ['sh', '-ec', script, 'sh', ...pairs.flatMap(([target, source]) => [source, target]), '--', ...argv];
}
