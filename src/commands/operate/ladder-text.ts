import { lineText, type LadderLine, type LadderStyle } from '../../demo/ladder.ts';
import { fold, padEnd } from '../../net/columns.ts';

/** The mark of a line that goes on from the one above. */
const goesOn = '  ';

/** Columns of each side of a ladder that fits so many columns. */
export function sideOf(width: number): number {
  return Math.max(8, Math.floor((width - 5) / 2));
}

/**
 * The lines of a rung or a note.
 *
 * @param width columns of the terminal, in which long texts are folded; undefined: as long as they are
 */
export function ladderText(line: LadderLine, width: number | undefined, style: LadderStyle): string[] {
  if (width === undefined) return [lineText(line, style)];
  const side = sideOf(width);
  if (line.kind === 'note') {
    const indent = Math.min(side + 1, Math.max(0, width - 64));
    return folded(line.text, width - indent - 5).map(
      (piece, index) =>
        `${' '.repeat(indent)}${style(`${index === 0 ? '  *  ' : '     '}${piece}`, 'pinhole')}`,
    );
  }
  const { client, arrow, server } = line;
  const [left, right] = [folded(client.text, side), folded(server.text, side)];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const [leftPiece, rightPiece] = [padEnd(left[index] ?? '', side), right[index] ?? ''];
    const shownLeft = client.style ? style(leftPiece, client.style) : leftPiece;
    const shownRight = server.style && rightPiece !== '' ? style(rightPiece, server.style) : rightPiece;
    return `${shownLeft} ${index === 0 ? arrow : '   '} ${shownRight}`.trimEnd();
  });
}

function folded(text: string, columns: number): string[] {
  const [first = '', ...rest] = fold(text, columns);
  if (rest.length === 0) return [first];
  // The pieces below are indented, and folded for what room there is then.
  return [
    first,
    ...fold(text.slice(first.length).trimStart(), columns - goesOn.length).map(
      (piece) => `${goesOn}${piece}`,
    ),
  ];
}
