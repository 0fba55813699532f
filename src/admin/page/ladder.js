// The dialogue of one session as a ladder, as it happens: client | relay | server, the newest at the bottom.
import { byId, element, setAttributes, setText } from './dom.js';
import { bytesText, clockText, countOf, countText, visible } from './format.js';

const mostRungs = 500;
/** Pauses before the stream is asked for again, in milliseconds; the last again and again. */
const pauses = [1000, 2000, 4000, 8000, 15_000, 30_000];
/** Pixels from the end at which the newest is still followed. */
const near = 40;

/** @typedef {{ kind: string, time: string, client?: string, arrow: string, server?: string, note?: string }} Rung */

const types = [
  ...['session-opened', 'session-closed', 'session-secured', 'session-logged-in', 'session-cleared'],
  ...['session-opaque', 'login-failed', 'command', 'command-refused', 'reply', 'reply-remarked'],
  ...['pinhole-opened', 'pinhole-taken', 'pinhole-closed', 'transfer-begun', 'data-channel-closed'],
  ...['transfer-ended', 'missed'],
];

/**
 * What an event draws, as in `npx pinhole demo`.
 *
 * @param {string} type
 * @param {any} event
 * @returns {Rung[]}
 */
export function rungsOf(type, event) {
  const time = clockText(Date.parse(event.time ?? '') || Date.now(), true);
  const note = (/** @type {string} */ text, kind = 'note') => [{ kind, time, arrow: '', note: text }];
  // A line that goes on as it came is said once.
  const { received = event.line, sent = event.line } = event;
  switch (type) {
    case 'command': {
      const kind = sent === received ? 'command' : 'command changed';
      return [{ kind, time, client: received, arrow: '→', server: sent ?? '(not sent)' }];
    }
    case 'command-refused':
      return [
        {
          kind: 'command refused',
          time,
          client: event.command,
          arrow: '✕',
          server: `refused: ${event.reason}`,
        },
        { kind: 'reply changed', time, client: event.reply, arrow: '←', server: '(the relay)' },
      ];
    case 'reply': {
      const kind = sent === received ? 'reply' : 'reply changed';
      return [{ kind, time, client: sent, arrow: '←', server: received ?? '(the relay)' }];
    }
    case 'pinhole-opened':
      return note(`pinhole opened: ${event.peer} → ${event.at} ⇒ ${event.to}`);
    case 'pinhole-taken':
      return note(`pinhole taken: ${event.from} → ${event.at}`);
    case 'pinhole-closed':
      return note(`pinhole closed: ${event.reason}`);
    case 'transfer-ended': {
      const what = `${bytesText(event.bytes ?? 0)} (${event.command ?? 'no command'})`;
      return note(`data connection closed: ${event.cause}, ${what}`);
    }
    case 'data-channel-closed':
      return note(`data connection closed: ${event.cause}, no transfer`);
    case 'transfer-begun':
      return [];
    case 'missed':
      return note(`${countOf(event.events, 'event')} left out: the page did not keep up`, 'note bad');
    case 'session-closed':
      return note(`session closed: ${event.reason}`, 'note bad');
    case 'session-secured':
      return note(`TLS with the ${event.side}: ${event.protocol}`);
    default:
      return note([event.what ?? type, event.reason].filter((word) => word !== undefined).join(': '));
  }
}

/** The ladder of the session that the address names, `#session=12`. */
export class Ladder {
  #choose = /** @type {HTMLSelectElement} */ (byId('choose'));
  #state = element('p', { class: 'hint', id: 'ladder-state' });
  #rungs = element('ol', { class: 'rungs' });
  #scroll = element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Dialogue' });
  #newest = element('button', { type: 'button', class: 'newest', hidden: true });
  /** @type {EventSource | undefined} */
  #stream;
  /** @type {number | undefined} */
  #session;
  /** @type {ReadonlySet<number>} */
  #live = new Set();
  /** @type {Rung[]} */
  #waiting = [];
  #isPlanned = false;
  #unseen = 0;
  #failures = 0;
  /** @type {number | undefined} */
  #timer;
  #hasEnded = false;

  constructor() {
    const heading = element(
      'div',
      { class: 'rung head', 'aria-hidden': 'true' },
      ...['Time', 'Client', 'Relay', 'Server'].map((name) => element('span', {}, name)),
    );
    this.#scroll.append(this.#rungs);
    byId('ladder').append(
      this.#state,
      element('div', { class: 'frame' }, heading, this.#scroll, this.#newest),
    );
    this.#newest.addEventListener('click', () => {
      this.#toEnd();
      this.#scroll.focus();
    });
    this.#scroll.addEventListener('scroll', () => {
      if (this.#isAtEnd()) this.#seen();
    });
    this.#choose.addEventListener('change', () => {
      location.hash = this.#choose.value === '' ? '#dialogue' : `#session=${this.#choose.value}`;
    });
    addEventListener('hashchange', () => this.#follow(true));
    this.#follow(/^#session=/.test(location.hash));
  }

  /** @param {readonly { id: number, user: string | null, client: string }[]} sessions those that are open */
  offer(sessions) {
    this.#live = new Set(sessions.map(({ id }) => id));
    // An open list of choices is left as it is.
    if (document.activeElement !== this.#choose || this.#choose.options.length <= 1) this.#fill(sessions);
    this.#say();
  }

  /** @param {readonly { id: number, user: string | null, client: string }[]} sessions */
  #fill(sessions) {
    const options = sessions.slice(-mostRungs).map(({ id, user, client }) => ({
      value: `${id}`,
      text: `${id} · ${visible(user ?? 'no user').slice(0, 40)} · ${client}`,
    }));
    if (this.#session !== undefined && !this.#live.has(this.#session))
      options.unshift({ value: `${this.#session}`, text: `${this.#session} · not open` });
    options.unshift({ value: '', text: sessions.length > 0 ? 'Choose one' : 'None is open' });
    const isSame =
      options.length === this.#choose.options.length &&
      options.every(({ value, text }, index) => {
        const known = this.#choose.options[index];
        return known?.value === value && known.text === text;
      });
    if (!isSame) this.#choose.replaceChildren(...options.map(({ value, text }) => new Option(text, value)));
    this.#choose.value = this.#session === undefined ? '' : `${this.#session}`;
  }

  /** The relay is back: its stream is asked for at once. */
  retry() {
    if (this.#session === undefined || this.#stream !== undefined || this.#hasEnded) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  /** Takes the session from the address. @param {boolean} isAsked whether somebody went there */
  #follow(isAsked) {
    const [, id] = /^#session=(\d{1,15})$/.exec(location.hash) ?? [];
    if (id === undefined) {
      if (location.hash === '#dialogue') this.#leave();
      return;
    }
    const session = Number(id);
    if (session !== this.#session) {
      this.#leave();
      this.#session = session;
      this.#open();
    }
    if (!isAsked) return;
    byId('dialogue').scrollIntoView({ block: 'start' });
    this.#scroll.focus({ preventScroll: true });
  }

  #leave() {
    this.#stream?.close();
    this.#stream = undefined;
    clearTimeout(this.#timer);
    this.#session = undefined;
    this.#waiting = [];
    this.#hasEnded = false;
    this.#failures = 0;
    this.#rungs.replaceChildren();
    this.#seen();
    this.#choose.value = '';
    this.#say();
  }

  #open() {
    const stream = new EventSource(`v1/events?session=${this.#session}&dialogue=1`);
    this.#stream = stream;
    stream.addEventListener('open', () => {
      this.#failures = 0;
      this.#say();
    });
    stream.addEventListener('error', () => {
      // It would ask again each few seconds, for ever.
      stream.close();
      this.#stream = undefined;
      const pause = pauses[Math.min(this.#failures++, pauses.length - 1)];
      if (!this.#hasEnded) this.#timer = setTimeout(() => this.retry(), pause);
      this.#say();
    });
    for (const type of types) {
      stream.addEventListener(type, (event) => {
        this.#take(type, JSON.parse(/** @type {MessageEvent<string>} */ (event).data));
      });
    }
    this.#say();
  }

  /**
   * @param {string} type
   * @param {any} event
   */
  #take(type, event) {
    this.#waiting = [...this.#waiting, ...rungsOf(type, event)].slice(-mostRungs);
    if (type === 'session-closed') {
      this.#hasEnded = true;
      this.#say();
    }
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#isPlanned = false;
    const isFollowing = this.#isAtEnd();
    const added = this.#waiting;
    this.#waiting = [];
    this.#rungs.append(...added.map(rungElement));
    while (this.#rungs.childElementCount > mostRungs) this.#rungs.firstElementChild?.remove();
    if (isFollowing) this.#toEnd();
    else {
      this.#unseen += added.length;
      setText(this.#newest, `↓ ${countText(this.#unseen)} new`);
      setAttributes(this.#newest, { hidden: this.#unseen === 0 });
    }
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < near;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#seen();
  }

  #seen() {
    this.#unseen = 0;
    this.#newest.hidden = true;
  }

  /** Says how it stands. */
  #say() {
    setText(this.#state, this.#words());
    setAttributes(byId('ladder'), { 'data-empty': this.#session === undefined });
  }

  #words() {
    const id = this.#session;
    if (id === undefined) return 'Choose a session here, or by its number in a table above.';
    if (this.#hasEnded) return `Session ${id} has ended.`;
    if (!this.#stream) return 'The stream of events was cut off; trying again.';
    if (this.#stream.readyState === EventSource.CONNECTING) return 'Connecting.';
    if (!this.#live.has(id)) return `Session ${id} is not open.`;
    return `Session ${id}, from the moment that this was opened. Passwords are not shown.`;
  }
}

/** @param {Rung} rung */
function rungElement({ kind, time, client, arrow, server, note }) {
  const text = (/** @type {string | undefined} */ words, /** @type {string} */ side) =>
    element('bdi', { class: side }, visible(words ?? ''));
  return element(
    'li',
    { class: `rung ${kind}` },
    element('time', {}, time),
    ...(note === undefined
      ? [text(client, 'client'), element('span', { class: 'arrow' }, arrow), text(server, 'server')]
      : [element('bdi', { class: 'note' }, visible(note))]),
  );
}
