import { columnsOf, cutEnd, cutMiddle, padEnd, padStart } from '../../net/columns.ts';

export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  readonly isNumber?: boolean;
  /** Columns of the terminal that it can do with, the middle of its cells left out; undefined: it is never shortened. */
  readonly least?: number;
  /** The column with the highest rank is the first that is left out where the terminal is narrow. */
  readonly rank: number;
}

const gap = 2;

/**
 * The lines of a table, its heading first.
 *
 * @param width columns of the terminal; undefined: as wide as it takes
 */
export function formatTable(columns: readonly Column[], width: number | undefined): string[] {
  let kept = [...columns];
  let widths = fit(kept, width);
  while (widths === undefined && kept.length > 1) {
    const last = kept.reduce((a, b) => (b.rank > a.rank ? b : a));
    kept = kept.filter((column) => column !== last);
    widths = fit(kept, width);
  }
  const given = widths ?? kept.map(() => width ?? 0);
  const rows = Math.max(0, ...columns.map(({ cells }) => cells.length));
  const line = (cellOf: (column: Column) => string): string =>
    kept
      .map((column, index) => {
        const most = given[index] ?? 0;
        const cell =
          column.least === undefined ? cutEnd(cellOf(column), most) : cutMiddle(cellOf(column), most);
        return column.isNumber === true ? padStart(cell, most) : padEnd(cell, most);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [
    line(({ title }) => title),
    ...Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? '')),
  ];
}

/** The widths of columns that fit together; undefined: they do not. */
function fit(columns: readonly Column[], width: number | undefined): number[] | undefined {
  const widths = columns.map(({ title, cells }) => Math.max(columnsOf(title), ...cells.map(columnsOf)));
  if (width === undefined) return widths;
  let over = widths.reduce((sum, each) => sum + each, gap * (columns.length - 1)) - width;
  // The widest gives first, and the path before names.
  const byWidth = columns
    .map(({ title, least }, index) => ({
      index,
      least: least === undefined ? Infinity : Math.max(least, columnsOf(title)),
    }))
    .sort((a, b) => (widths[b.index] ?? 0) - (widths[a.index] ?? 0));
  for (const { index, least } of byWidth) {
    const natural = widths[index] ?? 0;
    const given = Math.min(Math.max(0, natural - least), Math.max(0, over));
    widths[index] = natural - given;
    over -= given;
  }
  return over > 0 ? undefined : widths;
}
