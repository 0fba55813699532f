import { readFileSync } from 'node:fs';

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const scripts: readonly string[] = [
  ...['page', 'dom', 'figures', 'format', 'ladder', 'lists', 'plot', 'rates', 'refusals', 'relay', 'table'],
];

const files: ReadonlyMap<string, readonly [name: string, type: string]> = new Map<
  string,
  readonly [string, string]
>([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/page.css', ['page.css', 'text/css; charset=utf-8']],
  ...scripts.map(
    (name) => [`/${name}.js`, [`${name}.js`, 'text/javascript; charset=utf-8'] as const] as const,
  ),
]);

/** Nothing from outside, and nobody may show the page within another. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const read = new Map<string, PageFile>();

/** The file of the page at a path; undefined: none. Each is read once. */
export function pageFile(path: string): PageFile | undefined {
  const known = read.get(path);
  if (known) return known;
  const [name, type] = files.get(path) ?? [];
  if (name === undefined || type === undefined) return undefined;
  const file = { type, body: readFileSync(new URL(`page/${name}`, import.meta.url)), headers };
  read.set(path, file);
  return file;
}
