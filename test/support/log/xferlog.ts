import assert from 'node:assert/strict';

/** What a line of xferlog(5) says. */
export interface XferlogLine {
  readonly seconds: number;
  readonly host: string;
  readonly bytes: number;
  readonly path: string;
  readonly type: string;
  readonly direction: string;
  readonly access: string;
  readonly user: string;
  readonly status: string;
}

const form =
  /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: \d|[123]\d) [012]\d:[0-5]\d:[0-6]\d \d{4} (?<seconds>\d+) (?<host>[\da-f.:]+) (?<bytes>\d+) (?<path>\S+) (?<type>[ab]) [CUT_] (?<direction>[iod]) (?<access>[agr]) (?<user>\S+) ftp [01] \* (?<status>[ci])$/;

/** Reads it as strictly as xferlog(5) says it; fails at what is none. */
export function readXferlog(text: string): XferlogLine[] {
  assert.ok(text === '' || text.endsWith('\n'));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { seconds, bytes, ...words } =
        form.exec(line)?.groups ?? assert.fail(`no line of xferlog: ${line}`);
      return { seconds: Number(seconds), bytes: Number(bytes), ...words } as unknown as XferlogLine;
    });
}
