import type { AdminAnswer } from './admin-answer.ts';

/** How long an answer about the state is given again, in milliseconds. */
const freshFor = 100;

/** Answers that were made a moment ago: a flood of requests costs one answer a moment. */
export class Fresh {
  readonly #kept = new Map<
    string,
    { readonly at: number; readonly answer: AdminAnswer | Promise<AdminAnswer> }
  >();

  get(key: string, make: () => AdminAnswer | Promise<AdminAnswer>): AdminAnswer | Promise<AdminAnswer> {
    const known = this.#kept.get(key);
    if (known && performance.now() - known.at < freshFor) return known.answer;
    const answer = inBytes(make());
    this.#kept.set(key, { at: performance.now(), answer });
    return answer;
  }

  /** Something was changed. */
  clear(): void {
    this.#kept.clear();
  }
}

/** Ready to be sent, however often that is. */
function inBytes(answer: AdminAnswer | Promise<AdminAnswer>): AdminAnswer | Promise<AdminAnswer> {
  if (answer instanceof Promise || answer.kind !== 'whole' || typeof answer.body !== 'string') return answer;
  return { ...answer, body: Buffer.from(answer.body) };
}
