import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SessionAnswer } from '../../admin/answers.ts';
import { ConfigError } from '../../config/error.ts';
import { ladderHeading, ladderLines, type LadderEvent } from '../../demo/ladder.ts';
import { visibleControls } from '../../log/harmless-line.ts';
import { messageOf } from '../../net/error.ts';
import { readFlag, readNamed } from '../flags.ts';
import { ladderStyle } from '../ladder-style.ts';
import type { Subcommand } from '../subcommand.ts';
import { findRelay, type AdminClient, type StreamedEvent } from './admin-client.ts';
import { clientAddress, sessionName, withAdmin, type AdminFlags } from './flags.ts';
import { follow } from './follow.ts';
import { ladderSvg, type SvgLine } from './ladder-svg.ts';
import { ladderText, sideOf } from './ladder-text.ts';
import { PathMask } from './mask-paths.ts';
import { print, remark, shown, terminalWidth } from './print.ts';

interface TraceFlags extends AdminFlags {
  readonly session?: string | undefined;
  readonly client?: string | undefined;
  readonly svg?: string | undefined;
  readonly 'mask-paths': boolean;
}

export const traceCommand: Subcommand<TraceFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .positional('session', { type: 'string', describe: 'the number of a session, as list has it' })
      .option('client', { type: 'string', requiresArg: true, describe: 'all sessions from this address' })
      .option('svg', {
        type: 'string',
        requiresArg: true,
        describe: 'write the same as a picture to this file at the end',
      })
      .option('mask-paths', {
        type: 'boolean',
        default: false,
        describe: 'show path-1, path-2 in place of file names',
      })
      .usage('$0 trace SESSION\n$0 trace --client ADDR')
      .epilogue(
        'Each line as it came and as it went on, from now on: what was said earlier is not kept. Passwords are masked. Ends ' +
          'with the session, by Ctrl-C, and when the relay ends.',
      ),
  handler: async ({ admin, session, client, svg, 'mask-paths': isMasked }) => {
    if ((session === undefined) === (client === undefined)) {
      const wrong = session === undefined ? 'nothing to trace' : 'SESSION and --client were both given';
      throw new ConfigError(`${wrong}; allowed: trace SESSION (npx pinhole list), or trace --client ADDR`);
    }
    const name = session === undefined ? undefined : readNamed('SESSION', session, sessionName);
    const id = name?.id;
    const address = client === undefined ? undefined : readFlag('client', client, clientAddress);
    if (svg !== undefined) checkWritable(svg);
    const relay = await findRelay(admin, name?.process);
    const tracer = new Tracer(isMasked ? new PathMask() : undefined);
    tracer.know(await sessionsOf(relay, id));
    const query = {
      ...(id !== undefined && { session: String(id) }),
      ...(address !== undefined && { client: address }),
    };
    try {
      await follow(relay, { ...query, dialogue: '1' }, (event, stop) => {
        tracer.read(event);
        if (id !== undefined && event.type === 'session-closed') stop();
      });
    } finally {
      if (svg !== undefined) {
        const whose = id === undefined ? `client ${String(address)}` : `session ${id}`;
        writeFileSync(svg, ladderSvg(`Pinhole, ${whose}, ${new Date().toISOString()}`, tracer.drawn));
        remark(`wrote ${svg}`);
      }
    }
  },
};

/** @throws {ConfigError} before anything is traced in vain */
function checkWritable(file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new ConfigError(`flag --svg: ${messageOf(error)}; allowed: a file that can be written`, {
      cause: error,
    });
  }
}

/** @throws where the session is not there */
async function sessionsOf(relay: AdminClient, id: number | undefined): Promise<readonly SessionAnswer[]> {
  const { sessions } = await relay.get<{ readonly sessions: readonly SessionAnswer[] }>('/v1/sessions');
  if (id !== undefined && !sessions.some((each) => each.id === id))
    throw new Error(`there is no session ${id}`);
  return sessions;
}

/** Lines of a picture, at most; the first are left out. */
const mostDrawn = 2000;

/** Draws what happens, and keeps it for a picture. */
class Tracer {
  readonly drawn: SvgLine[] = [];
  readonly #mask: PathMask | undefined;
  readonly #style = ladderStyle();
  /** What the heading says of a session. */
  readonly #sessions = new Map<number, { readonly client: string; readonly server: string }>();
  #latest: number | undefined;

  constructor(mask: PathMask | undefined) {
    this.#mask = mask;
  }

  know(sessions: readonly SessionAnswer[]): void {
    for (const { id, client, server } of sessions) this.#sessions.set(id, { client, server });
  }

  read({ type, fields }: StreamedEvent): void {
    const session = Number(fields['session']);
    if (type === 'session-opened')
      this.#sessions.set(session, { client: String(fields['client']), server: String(fields['server']) });
    if (type === 'session-closed') {
      this.#draw(session, fields, [{ kind: 'note', text: `session closed: ${String(fields['reason'])}` }]);
      this.#sessions.delete(session);
    }
    if (!rungs.has(type)) return;
    const event = harmless({ ...fields, ...bothOf(fields), type } as unknown as LadderEvent);
    this.#draw(session, fields, ladderLines(this.#mask?.event(event) ?? event));
  }

  #draw(session: number, { user }: StreamedEvent['fields'], lines: readonly SvgLine[]): void {
    const width = terminalWidth();
    if (session !== this.#latest) {
      const { client = '-', server = '-' } = this.#sessions.get(session) ?? {};
      const name = typeof user === 'string' ? `, ${shown(user)}` : '';
      const text = `session ${session}: ${client}${name}, to ${server}`;
      if (this.#latest === undefined)
        print(ladderHeading(width === undefined ? undefined : sideOf(width)).trimEnd());
      print('', text);
      this.#keep({ kind: 'heading', text });
      this.#latest = session;
    }
    for (const line of lines) {
      this.#keep(line);
      if (line.kind !== 'heading') print(...ladderText(line, width, this.#style));
    }
  }

  #keep(line: SvgLine): void {
    this.drawn.push(line);
    if (this.drawn.length > mostDrawn) this.drawn.shift();
  }
}

const rungs: ReadonlySet<string> = new Set<LadderEvent['type']>([
  ...(['command', 'command-refused', 'reply', 'pinhole-opened', 'pinhole-taken'] as const),
  ...(['pinhole-closed', 'transfer-ended'] as const),
]);

/** A line of the dialogue that has gone on as it came is told once. */
function bothOf({ line }: StreamedEvent['fields']): object {
  return line === undefined ? {} : { received: line, sent: line };
}

/** No text of it does harm on a terminal. */
function harmless(event: LadderEvent): LadderEvent {
  const entries = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === 'string' ? visibleControls(value) : value,
  ]);
  return Object.fromEntries(entries) as LadderEvent;
}
