/** No wait of these tests takes longer, in milliseconds; a right relay needs a few of them, and a busy machine more. */
const limit = 20_000;

/** The promise, or an error that says what did not happen in time. `found` tells what did come instead. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  found: () => string = () => '',
  milliseconds: number = limit,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not in ${milliseconds} ms: ${what} ${found()}`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Something that several wait for: `look` is asked again whenever `wake` was called. */
export class Changes {
  #waiting: (() => void)[] = [];

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** @param look throws, or returns what was waited for, or `undefined` to wait on */
  async until<T>(
    what: string,
    look: () => T | undefined,
    found?: () => string,
    milliseconds: number = limit,
  ): Promise<T> {
    let over = false;
    const search = async (): Promise<T> => {
      for (;;) {
        const value = look();
        if (value !== undefined) return value;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        if (over) throw new Error(what);
      }
    };
    const searching = search();
    searching.catch(() => undefined);
    try {
      return await within(searching, what, found, milliseconds);
    } finally {
      over = true;
    }
  }
}

/** Lets whatever has come over loopback be read by everything in this process. */
export async function turns(count = 4): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}
