// The relay, as this page asks it: again and again while somebody looks, and with growing pauses while it is gone.

/** How often it is asked, in milliseconds. */
const interval = 2000;
/** The history is the longest answer, and grows each 10 s. */
const historyEvery = 2;
const answerTime = 8000;
/** Pauses while it does not answer, in milliseconds; the last again and again. */
const pauses = [1000, 2000, 4000, 8000, 15_000, 30_000];

/**
 * @typedef {{
 *   status: any, data: any[], sessions: any[], counters: Record<string, number>, samples: any[] | undefined, time: number
 * }} Answers
 * @typedef {{
 *   answered: (answers: Answers) => void,
 *   gone: (reason: string, next: number) => void,
 * }} Listener
 */

/** @param {string} path */
async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(answerTime), cache: 'no-store' });
  if (!response.ok) throw new Error(`it answered ${response.status} to ${path}`);
  return response.json();
}

/**
 * Asks as long as the page is open and seen.
 *
 * @param {Listener} listener
 * @returns what asks at once
 */
export function watchRelay({ answered, gone }) {
  let failures = 0;
  let rounds = 0;
  let isAsking = false;
  /** @type {number | undefined} */
  let timer;

  const plan = (/** @type {number} */ pause) => {
    clearTimeout(timer);
    timer = document.hidden ? undefined : setTimeout(look, pause);
  };
  const look = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const answers = await askAll(failures > 0 || rounds % historyEvery === 0);
      rounds++;
      failures = 0;
      answered(answers);
      plan(interval);
    } catch (error) {
      const pause = pauses[Math.min(failures, pauses.length - 1)] ?? interval;
      failures++;
      gone(wordsOf(error), Date.now() + pause);
      plan(pause);
    } finally {
      isAsking = false;
    }
  };
  const now = () => {
    clearTimeout(timer);
    void look();
  };
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else now();
  });
  now();
  return now;
}

/**
 * @param {boolean} isWithHistory
 * @returns {Promise<Answers>}
 */
async function askAll(isWithHistory) {
  const [status, { data }, { sessions }, { counters }, history] = await Promise.all([
    ask('v1/status'),
    ask('v1/data'),
    ask('v1/sessions'),
    ask('v1/counters'),
    isWithHistory ? ask('v1/history') : undefined,
  ]);
  return { status, data, sessions, counters, samples: history?.samples, time: Date.now() };
}

/** @param {unknown} error */
function wordsOf(error) {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'It took longer than 8 s.';
  if (error instanceof TypeError) return 'The connection failed.';
  return error instanceof Error ? `${error.message}.` : '';
}
