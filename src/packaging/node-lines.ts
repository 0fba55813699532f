/** A line of Node, and the oldest version of it that is served. */
interface NodeLine {
  readonly major: number;
  readonly minor: number;
}

/**
 * The lines of Node that `engines` of package.json allows.
 *
 *     ^20.19 || ^22.12 || ^24  ->  20.19, 22.12, 24.0
 *
 * @throws where it is written in another way
 */
export function nodeLines(engines: string): NodeLine[] {
  return engines.split('||').map((range) => {
    const [, major, minor = '0'] = /^\^(\d+)(?:\.(\d+))?$/.exec(range.trim()) ?? [];
    if (major === undefined) throw new Error(`engines.node is ${engines}; allowed: ranges like ^20.19`);
    return { major: Number(major), minor: Number(minor) };
  });
}

/** `20.19 22.12 24.0`, for the program that looks for one. */
export function linesText(lines: readonly NodeLine[]): string {
  return lines.map(({ major, minor }) => `${major}.${minor}`).join(' ');
}

/** `20 (20.19 or later), 22 (22.12 or later) or 24` */
export function linesInWords(lines: readonly NodeLine[]): string {
  const words = lines.map(({ major, minor }) =>
    minor === 0 ? String(major) : `${major} (${major}.${minor} or later)`,
  );
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');
}
