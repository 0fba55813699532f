import type { LadderLine } from '../../demo/ladder.ts';
import { fold } from '../../net/columns.ts';

/** A heading, where another session goes on, or a line of a ladder. */
export type SvgLine = LadderLine | { readonly kind: 'heading'; readonly text: string };

const size = { width: 1080, margin: 24, row: 17, gap: 9, character: 7.3 };
const clientX = size.margin + 8;
const relayX = size.width / 2;
const serverX = size.width - clientX;
const sideColumns = Math.floor((relayX - clientX - 24) / size.character);
const noteColumns = 110;

const styles = `
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2328; white-space: pre; }
.title { font-weight: bold; font-size: 14px; } .head { font-weight: bold; text-anchor: middle; }
.life { stroke: #d0d7de; stroke-width: 1.5; } .arrow { stroke: #57606a; stroke-width: 1.2; }
.rewritten { fill: #9a4a00; font-weight: bold; } .note { fill: #6639a6; text-anchor: middle; }
.noteBox { fill: #f6f0ff; stroke: #d8c7f5; } .headingBox { fill: #eef2f6; }
`;

/** A ladder as a picture of its own: nothing is loaded from elsewhere. */
export function ladderSvg(title: string, lines: readonly SvgLine[]): string {
  const parts: string[] = [];
  const top = 78;
  let y = top + 10;
  for (const line of lines) {
    const drawn = line.kind === 'rung' ? drawRung(line, y) : drawBox(line, y);
    parts.push(drawn.text);
    y = drawn.bottom + size.gap;
  }
  const height = y + size.margin;
  const life = [clientX, relayX, serverX].map(
    (x) => `<line class="life" x1="${x}" y1="${top - 8}" x2="${x}" y2="${height - size.margin}"/>`,
  );
  const heads = [
    `<text class="head" x="${clientX + 22}" y="${top - 16}">client</text>`,
    `<text class="head" x="${relayX}" y="${top - 16}">relay</text>`,
    `<text class="head" x="${serverX - 22}" y="${top - 16}">server</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${styles}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
    `<rect width="${size.width}" height="${height}" fill="#ffffff"/>`,
    `<text class="title" x="${size.margin}" y="30">${escapeText(title)}</text>`,
    ...life,
    ...heads,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Drawn {
  readonly text: string;
  readonly bottom: number;
}

function drawRung({ client, arrow, server }: LadderLine & { kind: 'rung' }, y: number): Drawn {
  // What the relay says of itself in parentheses has no server: nothing came from there.
  const own = server.text.startsWith('(the relay');
  const sides = [
    { ...client, from: clientX, to: relayX },
    { ...server, from: relayX, to: serverX },
  ].map((side) => ({ ...side, rows: side.text === '' ? [] : fold(side.text, sideColumns) }));
  const height = Math.max(...sides.map(({ rows }) => rows.length)) * size.row;
  const parts = sides.flatMap(({ rows, style, from, to }, index) => {
    if (rows.length === 0) return [];
    const isRewritten = style === 'rewritten' ? ' class="rewritten"' : '';
    const texts = rows.map(
      (row, line) =>
        `<text${isRewritten} x="${from + 12}" y="${y + height - (rows.length - line - 1) * size.row - 6}">${escapeText(row)}</text>`,
    );
    if (index === 1 && own) return texts;
    const [x1, x2] = arrow === '-->' ? [from + 3, to - 3] : [to - 3, from + 3];
    const at = y + height;
    return [
      ...texts,
      `<line class="arrow" x1="${x1}" y1="${at}" x2="${x2}" y2="${at}" marker-end="url(#tip)"/>`,
    ];
  });
  return { text: parts.join('\n'), bottom: y + height };
}

function drawBox({ kind, text }: Exclude<SvgLine, { kind: 'rung' }>, y: number): Drawn {
  const rows = fold(text, noteColumns);
  const height = rows.length * size.row + 6;
  const isHeading = kind === 'heading';
  const width = isHeading
    ? size.width - 2 * size.margin
    : Math.max(...rows.map(({ length }) => length)) * size.character + 20;
  const box = `<rect class="${isHeading ? 'headingBox' : 'noteBox'}" x="${relayX - width / 2}" y="${y}" width="${width}" height="${height}" rx="4"/>`;
  const texts = rows.map(
    (row, index) =>
      `<text class="${isHeading ? 'head' : 'note'}" x="${relayX}" y="${y + (index + 1) * size.row - 2}">${escapeText(row)}</text>`,
  );
  return { text: [box, ...texts].join('\n'), bottom: y + height };
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
