import type { LadderEvent } from '../../demo/ladder.ts';

/** Commands whose argument is a path. */
const withPath: ReadonlySet<string> = new Set([
  ...[
    'RETR',
    'STOR',
    'STOU',
    'APPE',
    'DELE',
    'RNFR',
    'RNTO',
    'SIZE',
    'MDTM',
    'MFMT',
    'MFCT',
    'MFF',
    'AVBL',
    'HASH',
  ],
  ...[
    'CWD',
    'XCWD',
    'MKD',
    'XMKD',
    'RMD',
    'XRMD',
    'SMNT',
    'LIST',
    'NLST',
    'MLSD',
    'MLST',
    'STAT',
    'SITE',
    'XCRC',
    'XMD5',
  ],
]);

/** What may stand before the path: options of LIST, a time of MFMT, facts of MFF, a word of SITE and a mode of CHMOD. */
const before = /^(?:(?:-[a-z0-9]+|\d{14}(?:\.\d+)?|(?:[a-z.]+=[^; ]*;)+)\s+|-[a-z0-9]+$)+/i;
const beforeOfSite = /^[a-z]+(?:\s+(?:[0-7]{3,4}|\d{8,14})(?=\s))?\s*/i;

/**
 * Replaces the names of files in a dialogue by `path-1`, `path-2`..., each name always by the same: those that commands
 * name, and in replies those too that a server says by itself: an absolute path, a name in quotes, a line of a listing.
 */
export class PathMask {
  readonly #masks = new Map<string, string>();

  event(event: LadderEvent): LadderEvent {
    switch (event.type) {
      case 'command': {
        const { received, sent } = event;
        return {
          ...event,
          received: this.#command(received),
          sent: sent === undefined ? sent : this.#command(sent),
        };
      }
      case 'command-refused':
        return { ...event, command: this.#command(event.command), reply: this.#reply(event.reply) };
      case 'reply': {
        const { received, sent } = event;
        return {
          ...event,
          received: received === undefined ? received : this.#reply(received),
          sent: this.#reply(sent),
        };
      }
      default:
        return event;
    }
  }

  #command(text: string): string {
    const [, verb = '', blanks = '', argument = ''] = /^(\S*)(\s*)(.*)$/s.exec(text) ?? [];
    if (!withPath.has(verb.toUpperCase()) || argument === '') return text;
    const [kept = ''] = (verb.toUpperCase() === 'SITE' ? beforeOfSite : before).exec(argument) ?? [];
    const path = argument.slice(kept.length);
    return path === '' ? text : `${verb}${blanks}${kept}${this.#mask(path)}`;
  }

  #reply(text: string): string {
    // A line of a listing, or with facts of MLST: all that no code begins.
    if (!/^\d{3}[ -]/.test(text)) return text === '' ? text : this.#listed(text);
    let masked = text.slice(4).replace(/"((?:[^"]|"")+)"/g, (_, path: string) => `"${this.#mask(path)}"`);
    masked = masked.replace(
      /^(FILE: )(.+)$/i,
      (_, words: string, path: string) => `${words}${this.#mask(path)}`,
    );
    for (const [path, mask] of [...this.#masks].sort(([a], [b]) => b.length - a.length)) {
      masked = replaceWord(masked, path, mask);
    }
    // What is left of absolute paths: the server has resolved them.
    masked = masked.replace(/(?<![\w/.-])\/(?:[^\s"',;)]*[^\s"',;):])?/g, (path) => this.#mask(path));
    return `${text.slice(0, 4)}${masked}`;
  }

  /** `-rw-r--r-- 1 0 0 133 Nov 28 02:00 name`, ` type=file;size=133; name` */
  #listed(text: string): string {
    const [facts] =
      /^\s*(?:[a-z.-]+=[^;]*;)+ |^\S{10}\s+\d+\s+\S+\s+\S+\s+\d+\s+\S+\s+\S+\s+\S+ /i.exec(text) ?? [];
    if (facts !== undefined) return `${facts}${this.#mask(text.slice(facts.length))}`;
    return this.#reply(`000 ${text}`).slice(4);
  }

  #mask(path: string): string {
    const known = this.#masks.get(path);
    if (known !== undefined) return known;
    // What is masked already stays.
    if (/^path-\d+$/.test(path)) return path;
    const mask = `path-${this.#masks.size + 1}`;
    this.#masks.set(path, mask);
    return mask;
  }
}

/** A one-letter name is no part of a word. */
function replaceWord(text: string, word: string, by: string): string {
  const quoted = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}_./-])${quoted}(?![\\p{L}\\p{N}_/-])`, 'gu'), () => by);
}
