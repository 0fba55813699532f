import { clientNames, modes, operations, type ClientName, type Mode, type Operation } from './lab/clients.ts';
import type { Family } from './lab/network.ts';
import { serverNames, type ServerName } from './lab/servers.ts';

/** What one client did with one server in one mode, through the relay on either plane as without it. */
export interface Cell {
  readonly server: ServerName;
  readonly client: ClientName;
  readonly family: Family;
  readonly mode: Mode;
  readonly can: readonly Operation[];
  /** What the client can't do by itself, and why. */
  readonly lacks: Partial<Record<Operation, string>>;
  readonly clientVersion?: string;
  readonly serverVersion?: string;
}

const headings: Record<Mode, string> = {
  passive: 'passive (PASV)',
  'extended-passive': 'extended passive (EPSV)',
  active: 'active (PORT)',
  'extended-active': 'extended active (EPRT)',
};

/** docs/compatibility.md. */
export function describeCompatibility(cells: readonly Cell[]): string {
  const notes: string[] = [];
  const noteOf = (text: string): string => {
    if (!notes.includes(text)) notes.push(text);
    return `(${notes.indexOf(text) + 1})`;
  };
  const table = ([4, 6] as const).map((family) => {
    const rows = serverNames.flatMap((server) =>
      clientNames.map((client) => {
        const inRow = modes.map((mode) =>
          cells.find(
            (cell) =>
              cell.server === server &&
              cell.client === client &&
              cell.family === family &&
              cell.mode === mode,
          ),
        );
        return `| ${[server, client, ...inRow.map((cell) => show(cell, noteOf))].join(' | ')} |`;
      }),
    );
    const heading = ['server', 'client', ...modes.map((mode) => headings[mode])];
    return [
      `## IPv${family}`,
      '',
      `| ${heading.join(' | ')} |`,
      `|${heading.map(() => ' --- ').join('|')}|`,
      ...rows,
      '',
    ].join('\n');
  });
  return `# Compatibility

Written by a run of the tests (\`UPDATE_DOCS=1 npm run integration -- matrix\`). "all" is ${operations.join(', ')}:
each done directly and then through the relay, on the relay plane and on the kernel plane, with the files equal byte for
byte and the dialogues equal but for addresses and ports. What a client can't do by itself has a number.

Servers: ${versionsOf(cells, 'server')}.

Clients: ${versionsOf(cells, 'client')}.

${table.join('\n')}
${notes.map((note, index) => `${index + 1}. ${note}`).join('\n')}
`;
}

function show(cell: Cell | undefined, noteOf: (text: string) => string): string {
  if (!cell) return 'not run';
  const lacks = Object.entries(cell.lacks);
  if (lacks.length === 0) return 'all';
  const reasons = [...new Set(lacks.map(([, why]) => why))].map((why) => noteOf(why)).join(' ');
  return cell.can.length === 0 ? `no ${reasons}` : `${cell.can.join(', ')} ${reasons}`;
}

function versionsOf(cells: readonly Cell[], side: 'server' | 'client'): string {
  const versions = new Map(
    cells
      .map((cell) => [cell[side], side === 'server' ? cell.serverVersion : cell.clientVersion] as const)
      .filter(([, version]) => version),
  );
  return [...versions].map(([name, version]) => `${name} ${version ?? ''}`).join(', ');
}
