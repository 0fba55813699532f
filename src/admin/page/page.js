// The page: asks the relay every two seconds and shows what it says. It changes nothing.
import { byId, setText } from './dom.js';
import { showFigures, showGone, showState } from './figures.js';
import { countText, rateText } from './format.js';
import { Ladder } from './ladder.js';
import { makeSessions, makeTransfers } from './lists.js';
import { makePlot } from './plot.js';
import { pointsOf, Rates } from './rates.js';
import { showRefusals } from './refusals.js';
import { watchRelay } from './relay.js';

const showTransfers = makeTransfers();
const showSessions = makeSessions();
const ladder = new Ladder();
const rates = new Rates();

const throughput = makePlot({
  ...{ id: 'throughput', heading: 'Throughput', least: 1024, isBytes: true, tick: rateText },
  series: [
    { key: 'down', name: 'Down', text: rateText },
    { key: 'up', name: 'Up', text: rateText },
  ],
});
const ports = makePlot({
  ...{ id: 'ports', heading: 'Passive ports in use', least: 4, isWhole: true, tick: countText },
  series: [{ key: 'ports', name: 'Ports', text: countText }],
});
const people = makePlot({
  ...{ id: 'people', heading: 'Sessions and transfers', least: 4, isWhole: true, tick: countText },
  series: [
    { key: 'sessions', name: 'Sessions', text: countText },
    { key: 'transfers', name: 'Transfers', text: countText },
  ],
});
byId('plots').append(throughput.element, ports.element, people.element);

let points = pointsOf([]);
let isGone = false;
let nextTry = 0;
let lastAnswer = 0;
let reason = '';

const lookNow = watchRelay({
  answered: ({ status, data, sessions, counters, samples, time }) => {
    if (samples) {
      points = pointsOf(samples);
      throughput.show(points);
      ports.show(points, status.limits.passivePorts.most);
      people.show(points, status.limits.sessions.most);
    }
    rates.look(
      data.flatMap(({ id, uploaded, downloaded }) =>
        uploaded === null || downloaded === null ? [] : [{ id, total: uploaded + downloaded }],
      ),
      time,
    );
    lastAnswer = time;
    showState(status);
    showFigures(status, data, latest(), most());
    showTransfers(data.map((each) => ({ ...each, now: rates.of(each.id) })));
    showSessions(sessions);
    showRefusals(counters);
    ladder.offer(sessions);
    if (isGone) setText(byId('announce'), 'The relay answers again.');
    setGone(false);
    ladder.retry();
  },
  gone: (words, next) => {
    reason = words;
    nextTry = next;
    if (!isGone) setText(byId('announce'), 'The relay does not answer.');
    setGone(true);
    showGone();
    sayWhen();
  },
});

byId('try').addEventListener('click', lookNow);
setInterval(sayWhen, 1000);

/** @param {boolean} is */
function setGone(is) {
  isGone = is;
  byId('gone').hidden = !is;
  byId('content').classList.toggle('old', is);
}

function sayWhen() {
  if (!isGone) return;
  const seconds = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
  const since =
    lastAnswer === 0 ? '' : ` What is below is of ${new Date(lastAnswer).toLocaleTimeString('en-GB')}.`;
  setText(
    byId('gone-words'),
    `${reason} ${seconds > 0 ? `Next try in ${seconds} s.` : 'Trying now.'}${since}`,
  );
}

/** What flows now. */
function latest() {
  const { up, down } = points.at(-1) ?? { up: undefined, down: undefined };
  return { up, down };
}

function most() {
  const of = (/** @type {'up' | 'down'} */ key) => Math.max(0, ...points.map((point) => point[key] ?? 0));
  return { up: of('up'), down: of('down') };
}
