import { messageOf } from '../net/error.ts';
import type { Answer } from './messages.ts';

/** Questions to another process, and its answers. */
export class Questions<Question> {
  readonly #send: (message: { kind: 'question'; number: number; question: Question }) => void;
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #last = 0;

  constructor(send: (message: { kind: 'question'; number: number; question: Question }) => void) {
    this.#send = send;
  }

  /** @throws what the other process has said, or that it is gone */
  ask(question: Question): Promise<unknown> {
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(number, { resolve, reject });
      this.#send({ kind: 'question', number, question });
    });
  }

  answered({ number, value, error }: Answer): void {
    const waiting = this.#open.get(number);
    this.#open.delete(number);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  /** The other process is gone. */
  end(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new Error('the other process has ended'));
  }
}

/** The answer to a question, whatever it comes to. */
export async function answerTo(number: number, work: () => unknown): Promise<Answer> {
  try {
    return { kind: 'answer', number, value: await work() };
  } catch (error) {
    return { kind: 'answer', number, error: messageOf(error) };
  }
}
