import type { Line } from '../../ftp/lines.ts';
import { ReplyReader } from '../../ftp/reply.ts';
import type { ExchangeQueue } from '../../helper/exchange-queue.ts';
import { announcingVerb, isUnreadAnnouncement } from '../../helper/inspect-reply.ts';

/**
 * What a line of the server comes to.
 * - `lines`: lines that end no reply.
 * - `last`: the line that ends a reply with this code.
 * - `whole`: all lines of a reply that was held until its end had come.
 * - `unusable`: lines of an announcement whose end will not be waited for.
 * - `piece`: a piece of an overlong line; `ends` is the code of the reply that it ends.
 * - `unread`: nothing to pass on; in a line of the next step clients may read an announcement, and nobody here did.
 */
export type ReplyStep =
  | { readonly kind: 'lines' | 'unusable'; readonly lines: readonly Line[] }
  | { readonly kind: 'last' | 'whole'; readonly code: number; readonly lines: readonly Line[] }
  | { readonly kind: 'piece'; readonly text: string; readonly ends: number | undefined }
  | { readonly kind: 'unread'; readonly text: string };

/** The lines so far of a reply that is held. */
interface HeldReply {
  readonly lines: Line[];
  bytes: number;
  /** Whether it announces a data connection. */
  readonly isAnnouncement: boolean;
  /** Whether no line of it may be sent on before all have arrived, because other lines may replace them. */
  readonly isRewritten: boolean;
}

/** How much of a reply of several lines is held until its end has come, in bytes. */
const mostHeld = 65_536;

/** Assembles the server's lines into replies; lines that need not be held are sent on one by one. Pure. */
export class ServerReplies {
  readonly #reader = new ReplyReader();
  readonly #begins: (code: number) => boolean;
  readonly #exchanges: () => ExchangeQueue;
  #held: HeldReply | undefined;
  /** The code of the final reply of which an overlong line is being passed on in pieces. */
  #overlongCode: number | undefined;
  /** The first four bytes of that line. */
  #overlongStart = '';

  /**
   * @param begins is told the code of each reply that begins, and says whether it is to be held
   * @param exchanges those of the session, which say how far to trust a reply that does not end
   */
  constructor(begins: (code: number) => boolean, exchanges: () => ExchangeQueue) {
    this.#begins = begins;
    this.#exchanges = exchanges;
  }

  /** Takes the next line; returns what can be sent on now, in order. */
  push(line: Line): ReplyStep[] {
    const steps = this.#read(line);
    // The case of nearly every line: it is sent on alone, and its code announces nothing.
    if (steps.length <= 1 && !line.text.startsWith('22') && isAlone(steps[0])) return steps;
    return steps.flatMap((step) => [...this.#unreadIn(step), step]);
  }

  /** The held lines will not be completed. */
  end(): ReplyStep[] {
    if (!this.#held) return [];
    const kind = this.#held.isAnnouncement ? 'unusable' : 'lines';
    return [{ kind, lines: this.#giveUp() }];
  }

  #read(line: Line): ReplyStep[] {
    if (line.piece === 'more') return [this.#piece(line, this.#overlongCode)];
    const before: ReplyStep[] = [];
    const part = this.#reader.push(line.text, (open, code) => {
      const isEnded = this.#exchanges().endsOpen(open, code);
      if (isEnded) before.push(...this.end());
      return isEnded;
    });
    const code = part.kind === 'single' || part.kind === 'last' ? part.code : undefined;
    const isHeld = (part.kind === 'single' || part.kind === 'first') && this.#begins(part.code);
    const seemsLast = part.kind === 'middle' && part.seemsLast;
    if (line.piece === 'first') {
      if (seemsLast) this.#exchanges().seemsEnded();
      this.#overlongStart = line.text.slice(0, 4);
      return [...before, ...this.end(), this.#piece(line, code)];
    }
    if (isHeld) this.#held = this.#newHeld(part.code);
    if (seemsLast && !this.#held?.isRewritten) {
      // Who takes it for the end waits for it.
      this.#exchanges().seemsEnded();
      return [{ kind: 'lines', lines: [...this.#giveUp(), line] }];
    }
    if (this.#held) return [...before, ...this.#hold(this.#held, line, code)];
    const lines = [line];
    return [...before, code === undefined ? { kind: 'lines', lines } : { kind: 'last', code, lines }];
  }

  #newHeld(code: number): HeldReply {
    const isAnnouncement = announcingVerb(code, this.#exchanges()) !== undefined;
    return { lines: [], bytes: 0, isAnnouncement, isRewritten: isAnnouncement || code === 211 };
  }

  /** The lines that were held, and no longer are. */
  #giveUp(): readonly Line[] {
    const lines = this.#held?.lines ?? [];
    this.#held = undefined;
    return lines;
  }

  #hold(held: HeldReply, line: Line, code: number | undefined): ReplyStep[] {
    held.lines.push(line);
    held.bytes += line.text.length + 2;
    if (code === undefined) return held.bytes > mostHeld ? this.end() : [];
    return [{ kind: 'whole', code, lines: this.#giveUp() }];
  }

  /** The reply that an overlong line ends is settled when the whole of it has gone on. */
  #piece({ text, end }: Line, code: number | undefined): ReplyStep {
    const isOpen = end === '';
    this.#overlongCode = isOpen ? code : undefined;
    return { kind: 'piece', text: text + end, ends: isOpen ? undefined : code };
  }

  /** What is held to be rewritten is read by whoever rewrites it. */
  #unreadIn(step: ReplyStep): ReplyStep[] {
    const unread = this.#textsIn(step).filter(isUnreadAnnouncement);
    return unread.map((text) => ({ kind: 'unread', text }));
  }

  #textsIn(step: ReplyStep): readonly string[] {
    switch (step.kind) {
      case 'lines':
      case 'last':
        return step.lines.map(({ text }) => text);
      case 'whole':
        return announcingVerb(step.code, this.#exchanges()) ? [] : step.lines.map(({ text }) => text);
      case 'piece':
        // The beginning of the line shows its kind, and any piece of it may have the numbers.
        return [step.text.startsWith(this.#overlongStart) ? step.text : this.#overlongStart + step.text];
      case 'unusable':
      case 'unread':
        return [];
    }
  }
}

function isAlone(step: ReplyStep | undefined): boolean {
  return step === undefined || ('lines' in step && step.lines.length === 1);
}
