import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { clientNames, modes, type ClientName, type Mode, type Operation } from './lab/clients.ts';
import type { Family } from './lab/network.ts';
import { serverNames, type ServerName } from './lab/servers.ts';
import { root } from './project.ts';

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

/** Prints a part of docs/compatibility.md, and with UPDATE_DOCS=1 writes it there, between the marks of its name. */
export function updateCompatibility(part: 'clear' | 'ftps', text: string): void {
  process.stdout.write(text);
  if (process.env['UPDATE_DOCS'] !== '1') return;
  const file = join(root, 'docs/compatibility.md');
  const marks = new RegExp(`(?<=<!-- ${part} -->\\n)[^]*(?=<!-- /${part} -->)`);
  const before = readFileSync(file, 'utf8');
  if (!marks.test(before)) throw new Error(`${file} has no marks of ${part}`);
  writeFileSync(
    file,
    before.replace(marks, () => text),
  );
}

/** Numbers the reasons that cells name, from 1 on. */
class Notes {
  readonly #texts: string[] = [];

  /** `(3)` */
  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return `(${this.#texts.indexOf(text) + 1})`;
  }

  list(): string {
    return this.#texts.map((text, index) => `${index + 1}. ${text}\n`).join('');
  }
}

function tableOf(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** The part of docs/compatibility.md about FTP without TLS. */
export function describeCompatibility(cells: readonly Cell[]): string {
  const notes = new Notes();
  const tables = ([4, 6] as const).map((family) => {
    const rows = serverNames.flatMap((server) =>
      clientNames.map((client) => [
        server,
        client,
        ...modes.map((mode) =>
          show(
            cells.find(
              (cell) =>
                cell.server === server &&
                cell.client === client &&
                cell.family === family &&
                cell.mode === mode,
            ),
            notes,
          ),
        ),
      ]),
    );
    const heading = ['server', 'client', ...modes.map((mode) => headings[mode])];
    return `### IPv${family}\n\n${tableOf(heading, rows)}`;
  });
  return `Servers: ${versionsOf(cells, 'server')}.

Clients: ${versionsOf(cells, 'client')}.

${tables.join('\n')}
${notes.list()}`;
}

/** Whether a client did what it was told with TLS, with one server in one mode. */
export interface FtpsCell {
  readonly server: ServerName;
  readonly client: ClientName;
  readonly mode: Mode;
  /** What TLS was where. */
  readonly column: string;
  /** A word why the client can't by itself. */
  readonly can: true | string;
}

const modeNames: Record<Mode, string> = {
  passive: 'PASV',
  'extended-passive': 'EPSV',
  active: 'PORT',
  'extended-active': 'EPRT',
};

/** The part of docs/compatibility.md about FTPS. */
export function describeFtps(columns: readonly string[], cells: readonly FtpsCell[]): string {
  const notes = new Notes();
  const rows = serverNames.flatMap((server) =>
    clientNames.map((client) => [
      server,
      client,
      ...columns.map((column) => {
        const found = cells.filter(
          (cell) => cell.server === server && cell.client === client && cell.column === column,
        );
        const did = found.filter(({ can }) => can === true).map(({ mode }) => modeNames[mode]);
        const why = new Set(found.map(({ can }) => can).filter((can) => can !== true));
        return [did.join(', ') || 'no', ...[...why].map((text) => notes.mark(text))].join(' ');
      }),
    ]),
  );
  return `${tableOf(['server', 'client', ...columns], rows)}
${notes.list()}`;
}

function show(cell: Cell | undefined, notes: Notes): string {
  if (!cell) return 'not run';
  const lacks = Object.entries(cell.lacks);
  if (lacks.length === 0) return 'all';
  const reasons = [...new Set(lacks.map(([, why]) => why))].map((why) => notes.mark(why)).join(' ');
  return cell.can.length === 0 ? `no ${reasons}` : `${cell.can.join(', ')} ${reasons}`;
}

function versionsOf(cells: readonly Cell[], side: 'server' | 'client'): string {
  const names: readonly (ServerName | ClientName)[] = side === 'server' ? serverNames : clientNames;
  return names
    .flatMap((name) => {
      const ran = cells.find((cell) => cell[side] === name && cell[`${side}Version`] !== undefined);
      return ran ? [`${name} ${ran[`${side}Version`] ?? ''}`] : [];
    })
    .join(', ');
}
