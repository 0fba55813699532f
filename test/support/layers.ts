/**
 * The picture of the layers in docs/architecture.md, drawn from what the files of src import.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What is read of dependency-cruiser's JSON. */
interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly {
      readonly resolved: string;
      readonly dependencyTypes: readonly string[];
    }[];
  }[];
}

/** Which node imports which; a node is a folder of src, or a file that lies in src itself. The parts of `linux/` stand above and below `net/`, and are nodes each. */
type Edges = ReadonlyMap<string, ReadonlyMap<string, 'type-only' | 'value'>>;

const cruiser = join('node_modules', '.bin', 'depcruise');

/** The picture of src as it is now. To be called in the project's root. */
export function drawLayers(): string {
  const output = execFileSync(process.execPath, [cruiser, '--output-type', 'json', 'src'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 120_000,
  });
  return renderLayers(edgesOf(JSON.parse(output) as Cruise));
}

function edgesOf({ modules }: Cruise): Edges {
  const edges = new Map<string, Map<string, 'type-only' | 'value'>>();
  for (const { source, dependencies } of modules) {
    const from = nodeOf(source);
    if (from === undefined) continue;
    const imported = edges.get(from) ?? new Map<string, 'type-only' | 'value'>();
    edges.set(from, imported);
    for (const { resolved, dependencyTypes } of dependencies) {
      const to = nodeOf(resolved);
      if (to === undefined || to === from) continue;
      const kind = dependencyTypes.includes('type-only') ? (imported.get(to) ?? 'type-only') : 'value';
      imported.set(to, kind);
    }
  }
  return edges;
}

/** `src/ftp/reply.ts` -> `ftp/`, `src/events.ts` -> `events.ts`, `src/linux/netlink/socket.ts` -> `linux/netlink/` */
function nodeOf(path: string): string | undefined {
  const [, folder, rest] = /^src\/((?:linux\/)?[^/]+)(\/.*)?$/.exec(path) ?? [];
  return folder === undefined ? undefined : rest === undefined ? folder : `${folder}/`;
}

/**
 * One block a level, the highest first; a node stands above everything that it imports. `(...)`: types alone.
 *
 *     commands/
 *         -> config.ts, daemon.ts, (events.ts)
 */
function renderLayers(edges: Edges): string {
  const levels = new Map<number, string[]>();
  for (const node of [...edges.keys()].sort()) {
    const height = heightOf(node, edges);
    levels.set(height, [...(levels.get(height) ?? []), node]);
  }
  const widest = Math.max(...[...edges.keys()].map((node) => node.length));
  return [...levels]
    .sort(([a], [b]) => b - a)
    .map(([, nodes]) => nodes.map((node) => lineOf(node, edges, widest)).join('\n'))
    .join('\n  |\n');
}

function lineOf(node: string, edges: Edges, width: number): string {
  const imported = [...(edges.get(node) ?? [])]
    .sort(([a], [b]) => heightOf(b, edges) - heightOf(a, edges) || (a < b ? -1 : 1))
    .map(([to, kind]) => (kind === 'value' ? to : `(${to})`));
  return `${node.padEnd(width)}  -> ${imported.join(' ')}`.replace(/\s+->\s*$/, '');
}

/** How many steps down the longest way from a node goes. */
function heightOf(node: string, edges: Edges, above: readonly string[] = []): number {
  if (above.includes(node)) throw new Error(`folders import in a circle: ${[...above, node].join(' -> ')}`);
  const below = [...(edges.get(node)?.keys() ?? [])].map((to) => heightOf(to, edges, [...above, node]));
  return below.length === 0 ? 0 : 1 + Math.max(...below);
}
