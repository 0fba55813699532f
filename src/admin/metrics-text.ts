import type { HistogramCounts } from '../status/histogram.ts';

type Labels = Readonly<Record<string, string | number>>;

/** One value of a family. */
export interface Value {
  readonly labels: Labels;
  readonly value: number;
}

/** One family of the text format, in the order of its lines. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly values: readonly Value[];
}

export function gauge(name: string, help: string, value: number | undefined): Family {
  const isKnown = value !== undefined && Number.isFinite(value);
  return { name, type: 'gauge', help, values: isKnown ? [{ labels: {}, value }] : [] };
}

/** As `NAME_bucket`, `NAME_sum` and `NAME_count`. */
export function histogram(
  name: string,
  help: string,
  rows: readonly (readonly [Labels, HistogramCounts])[],
): Family {
  const values = rows.flatMap(([labels, { bounds, counts, sum }]) => {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      return {
        labels: { ...labels, __name__: '_bucket', le: String(bounds[index] ?? '+Inf') },
        value: total,
      };
    });
    return [
      ...buckets,
      { labels: { ...labels, __name__: '_sum' }, value: sum },
      { labels: { ...labels, __name__: '_count' }, value: total },
    ];
  });
  return { name, type: 'histogram', help, values };
}

/** With its comments; nothing where it has no value. */
export function formatFamily({ name, type, help, values }: Family): string {
  if (values.length === 0) return '';
  const lines = values.map(({ labels, value }) => {
    const { __name__: suffix = '', ...rest } = labels;
    const shown = Object.entries(rest).map(([label, text]) => `${label}="${escaped(String(text))}"`);
    return `${name}${suffix}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
