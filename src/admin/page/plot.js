// A plot of the last hour as SVG, with a readout by pointer and by keyboard, and its values as a table.
import { element, setAttributes, setText, svg } from './dom.js';
import { clockText } from './format.js';

/**
 * @typedef {{ time: number } & Record<string, number | undefined>} Point
 * @typedef {{ key: string, name: string, text: (value: number) => string }} Series
 * @typedef {{
 *   id: string, heading: string, series: readonly Series[],
 *   tick: (value: number) => string, least: number, isWhole?: boolean, isBytes?: boolean,
 * }} PlotFacts `least`: what the axis reaches at least; `isBytes`: its units are powers of 1024
 */

const hour = 3_600_000;
/** Between two samples further apart nothing is known. */
const longestStep = 25_000;
const height = 180;
const margin = { top: 10, right: 12, bottom: 24 };

/** @param {PlotFacts} facts */
export function makePlot(facts) {
  return new Plot(facts);
}

class Plot {
  /** @type {PlotFacts} */
  #facts;
  #drawing = svg('svg', { 'aria-hidden': 'true', height });
  #cursor = svg('g', { class: 'cursor' });
  /** @type {HTMLElement} */
  #focus;
  #readout = element('p', { class: 'readout' });
  #summary = element('p', { class: 'detail' });
  #rows = element('tbody');
  /** @type {HTMLElement} */
  element;
  /** @type {readonly Point[]} */
  #points = [];
  /** @type {number | undefined} the most of what is plotted, drawn where it is near */
  #limit;
  /** The point that is read out; undefined: the latest. @type {number | undefined} */
  #chosen;
  /** How long ago it was, so that it stays when points are added. @type {number | undefined} */
  #chosenTime;
  #scale = { left: 0, right: 0, most: 1, from: 0 };
  #width = 0;

  /** @param {PlotFacts} facts */
  constructor(facts) {
    this.#facts = facts;
    const { id, heading, series } = facts;
    this.#focus = element(
      'div',
      {
        ...{ class: 'plot', tabindex: 0, role: 'slider', id: `plot-${id}` },
        ...{ 'aria-label': `${heading}, moment of the last hour`, 'aria-describedby': `plot-${id}-summary` },
      },
      this.#drawing,
    );
    this.#summary.id = `plot-${id}-summary`;
    const legend = series.map(({ key, name }) =>
      element(
        'li',
        {},
        svg(
          'svg',
          { class: 'key', viewBox: '0 0 22 8', 'aria-hidden': 'true' },
          svg('path', { class: `line ${key}`, d: 'M1 4H21' }),
        ),
        name,
      ),
    );
    this.element = element(
      'figure',
      {},
      element(
        'div',
        { class: 'caption' },
        element('h3', {}, heading),
        element('ul', { class: 'legend' }, ...legend),
      ),
      this.#readout,
      this.#focus,
      this.#summary,
      element('details', {}, element('summary', {}, 'As a table'), this.#table()),
    );
    this.#listen();
    new ResizeObserver(() => this.#draw()).observe(this.#focus);
  }

  /**
   * @param {readonly Point[]} points the oldest first
   * @param {number | null} [limit]
   */
  show(points, limit) {
    this.#points = points;
    this.#limit = limit ?? undefined;
    if (this.#chosenTime !== undefined) this.#choose(this.#nearest(this.#chosenTime));
    this.#draw();
    this.#summarize();
    this.#fillTable();
  }

  #listen() {
    const choose = (/** @type {PointerEvent} */ event) => {
      const { left, right, from } = this.#scale;
      const x = event.clientX - this.#focus.getBoundingClientRect().left;
      this.#choose(this.#nearest(from + ((x - left) / Math.max(1, right - left)) * hour));
      this.#readOut();
    };
    this.#focus.addEventListener('pointermove', choose);
    this.#focus.addEventListener('pointerdown', choose);
    this.#focus.addEventListener('pointerleave', () => this.#release());
    this.#focus.addEventListener('blur', () => this.#release());
    this.#focus.addEventListener('keydown', (event) => {
      const last = this.#points.length - 1;
      const at = this.#chosen ?? last;
      /** @type {Readonly<Record<string, number>>} */
      const moves = {
        ...{ ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1 },
        ...{ PageDown: at - 30, PageUp: at + 30, Home: 0, End: last },
      };
      const next = moves[event.key];
      if (event.key === 'Escape') this.#release();
      if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.#choose(Math.min(last, Math.max(0, next)));
      this.#readOut();
    });
  }

  #release() {
    this.#chosen = undefined;
    this.#chosenTime = undefined;
    this.#readOut();
  }

  /** @param {number} index */
  #choose(index) {
    this.#chosen = index;
    this.#chosenTime = this.#points[index]?.time;
  }

  /** @param {number} time */
  #nearest(time) {
    let best = 0;
    this.#points.forEach((point, index) => {
      const distance = (/** @type {Point | undefined} */ each) => Math.abs((each?.time ?? 0) - time);
      if (distance(point) < distance(this.#points[best])) best = index;
    });
    return best;
  }

  #draw() {
    const width = this.#focus.clientWidth;
    if (width === 0) return;
    this.#width = width;
    const { series, tick, least, isWhole = false, isBytes = false } = this.#facts;
    const values = this.#points.flatMap((point) => series.map(({ key }) => point[key] ?? 0));
    const highest = Math.max(least, ...values);
    // A limit that is far away would press the line to the ground.
    const isNear = this.#limit !== undefined && highest >= this.#limit / 2;
    const reached = isNear ? Math.max(highest, this.#limit ?? 0) : highest;
    const unit = isBytes ? 1024 ** Math.floor(Math.log(reached) / Math.log(1024)) : 1;
    const steps = stepsTo(reached / unit, isWhole).map((step) => step * unit);
    const most = steps.at(-1) ?? 1;
    const labels = steps.map(tick);
    const left = 10 + Math.max(...labels.map((label) => label.length)) * 6.6;
    const from = (this.#points.at(-1)?.time ?? Date.now()) - hour;
    this.#scale = { left, right: width - margin.right, most, from };
    setAttributes(this.#drawing, { width, viewBox: `0 0 ${width} ${height}` });
    this.#drawing.replaceChildren(
      ...steps.map((step, index) => this.#gridLine(step, labels[index] ?? '')),
      ...this.#times(),
      ...this.#limitLine(),
      ...series.flatMap(({ key }, index) => this.#series(key, index === 0)),
      this.#cursor,
    );
    this.#readOut();
  }

  /** @param {number} time */
  #x(time) {
    const { left, right, from } = this.#scale;
    return round(left + ((time - from) / hour) * (right - left));
  }

  /** @param {number} value */
  #y(value) {
    const bottom = height - margin.bottom;
    return round(bottom - (value / this.#scale.most) * (bottom - margin.top));
  }

  /**
   * @param {number} value
   * @param {string} label
   */
  #gridLine(value, label) {
    const { left, right } = this.#scale;
    const y = this.#y(value);
    return svg(
      'g',
      { class: value === 0 ? 'base' : 'grid' },
      svg('path', { d: `M${left} ${y}H${right}` }),
      svg('text', { x: left - 6, y: y + 4, 'text-anchor': 'end' }, label),
    );
  }

  /** Labels of the axis of time, each ten minutes; fewer where there is no room. */
  #times() {
    const { left, right, from } = this.#scale;
    const step = (right - left < 420 ? 20 : 10) * 60_000;
    const marks = [];
    // By this clock's own hours.
    const shift = new Date(from).getTimezoneOffset() * 60_000;
    for (let at = Math.ceil((from - shift) / step) * step + shift; at <= from + hour; at += step) {
      const x = this.#x(at);
      if (x < left + 12 || x > right - 12) continue;
      marks.push(
        svg(
          'g',
          { class: 'grid' },
          svg('path', { d: `M${x} ${height - margin.bottom}v4` }),
          svg('text', { x, y: height - 6, 'text-anchor': 'middle' }, clockText(at)),
        ),
      );
    }
    return marks;
  }

  #limitLine() {
    const { left, right, most } = this.#scale;
    if (this.#limit === undefined || this.#limit > most) return [];
    const y = this.#y(this.#limit);
    return [
      svg('path', { class: 'limit', d: `M${left} ${y}H${right}` }),
      svg('text', { class: 'limit', x: left + 4, y: y + 13 }, `limit: ${this.#facts.tick(this.#limit)}`),
    ];
  }

  /**
   * A line, broken where nothing is known; the first with its area.
   *
   * @param {string} key
   * @param {boolean} isFilled
   */
  #series(key, isFilled) {
    /** @type {{ x: number, y: number, time: number }[][]} */
    const runs = [];
    for (const point of this.#points) {
      const value = point[key];
      if (value === undefined || point.time < this.#scale.from) continue;
      const at = { x: this.#x(point.time), y: this.#y(value), time: point.time };
      const run = runs.at(-1);
      if (run && at.time - (run.at(-1)?.time ?? 0) <= longestStep) run.push(at);
      else runs.push([at]);
    }
    return runs.flatMap((run) => {
      const [first] = run;
      const last = run.at(-1);
      if (!first || !last) return [];
      const line = `M${run.map(({ x, y }) => `${x} ${y}`).join('L')}`;
      const area = svg('path', { class: `area ${key}`, d: `${line}V${this.#y(0)}H${first.x}Z` });
      // A run of one point is a dot, by the round ends of the line.
      const drawn = svg('path', { class: `line ${key}`, d: run.length === 1 ? `${line}h0.01` : line });
      return isFilled ? [area, drawn] : [drawn];
    });
  }

  /** What the readout, the cursor and a screen reader say. */
  #readOut() {
    const { series } = this.#facts;
    const last = this.#points.length - 1;
    const index = this.#chosen ?? last;
    const point = this.#points[index];
    if (!point) return;
    const values = series.flatMap(({ key, name, text }) => {
      const value = point[key];
      return value === undefined ? [] : [`${name} ${text(value)}`];
    });
    const when = this.#chosen === undefined ? 'Now' : clockText(point.time, true);
    const words = `${when}: ${values.length > 0 ? values.join(', ') : 'not known yet'}`;
    setText(this.#readout, words);
    setAttributes(this.#focus, {
      ...{ 'aria-valuemin': 0, 'aria-valuemax': Math.max(0, last), 'aria-valuenow': index },
      'aria-valuetext': words,
    });
    const x = this.#x(point.time);
    const dots = series.flatMap(({ key }) => {
      const value = point[key];
      return value === undefined ? [] : [svg('circle', { class: key, cx: x, cy: this.#y(value), r: 4 })];
    });
    const isShown = this.#chosen !== undefined && this.#width > 0;
    this.#cursor.replaceChildren(
      ...(isShown ? [svg('path', { d: `M${x} ${margin.top}V${height - margin.bottom}` }), ...dots] : []),
    );
  }

  #summarize() {
    const words = this.#facts.series.map(({ key, name, text }) => {
      const known = this.#points.filter((point) => point[key] !== undefined);
      const top = known.reduce(
        (/** @type {Point | undefined} */ best, point) =>
          !best || (point[key] ?? 0) > (best[key] ?? 0) ? point : best,
        undefined,
      );
      const value = top?.[key] ?? 0;
      return value > 0 && top
        ? `${name}: at most ${text(value)}, at ${clockText(top.time)}.`
        : `${name}: none.`;
    });
    setText(this.#summary, words.join(' '));
  }

  #table() {
    const { heading, series } = this.#facts;
    const head = ['Until', ...series.map(({ name }) => `${name}, at most`)];
    return element(
      'table',
      { class: 'values', 'aria-label': `${heading} of the last hour, each five minutes` },
      element('thead', {}, element('tr', {}, ...head.map((name) => element('th', { scope: 'col' }, name)))),
      this.#rows,
    );
  }

  /** The most of each five minutes. */
  #fillTable() {
    const { series } = this.#facts;
    const end = this.#points.at(-1)?.time ?? 0;
    const step = hour / 12;
    const rows = Array.from({ length: 12 }, (_none, index) => {
      const until = end - index * step;
      const within = this.#points.filter(({ time }) => time > until - step && time <= until);
      const cells = series.map(({ key, text }) => {
        const values = within.flatMap((point) => point[key] ?? []);
        return element('td', {}, values.length > 0 ? text(Math.max(...values)) : '–');
      });
      return element('tr', {}, element('th', { scope: 'row' }, clockText(until)), ...cells);
    });
    this.#rows.replaceChildren(...rows);
  }
}

/**
 * Values of an axis from 0 past `most`, at steps of 1, 2 or 5 times a power of ten.
 *
 * @param {number} most
 * @param {boolean} isWhole
 */
function stepsTo(most, isWhole) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  const step = isWhole ? Math.max(1, factor * power) : factor * power;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_none, index) => index * step);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
