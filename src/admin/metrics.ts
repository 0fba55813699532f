import { readdirSync } from 'node:fs';
import {
  commandReasons,
  pinholeReasons,
  replyReasons,
  sessionReasons,
  transferCauses,
  type Carrier,
} from '../events.ts';
import type { Rising } from '../status/rising.ts';
import { progressByExpectation } from './answers.ts';
import type { Inside, WorkerFacts } from './inside.ts';
import { formatFamily, gauge, histogram, type Family, type Value } from './metrics-text.ts';

/**
 * The metrics as Prometheus reads them (text format 0.0.4), in base units: seconds, bytes, seconds since 1970. Labels have
 * values of closed lists, and no session, client, user or path: how many series there are does not depend on who comes.
 */
export function metricsText(inside: Inside, rising: Rising): string {
  return [
    ...eventFamilies(inside),
    bytesFamily(inside, rising),
    ...stateFamilies(inside),
    ...timeFamilies(inside),
    ...processFamilies(inside),
    ...workerFamilies(inside.workers()),
  ]
    .map(formatFamily)
    .join('');
}

// ---- What has happened ----

interface Counted {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** The words behind the type in a counter's key, in their order, each with what it can be. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

/** Families that count events. */
function countedOf(planes: readonly Carrier[]): readonly Counted[] {
  const plane = planes;
  const mode = ['passive', 'active'];
  return [
    { name: 'sessions_opened', help: 'Sessions that began.', type: 'session-opened' },
    {
      ...{ name: 'sessions_closed', help: 'Sessions that ended.', type: 'session-closed' },
      labels: { reason: sessionReasons },
    },
    {
      ...{ name: 'sessions_refused', help: 'Clients that were refused before a session began.' },
      ...{ type: 'session-refused', labels: { reason: sessionReasons } },
    },
    { name: 'logins', help: 'Logins that the server accepted.', type: 'session-logged-in' },
    { name: 'login_failures', help: 'Logins that the server refused.', type: 'login-failed' },
    {
      ...{ name: 'commands_refused', help: 'Commands that the relay answered itself.' },
      ...{ type: 'command-refused', labels: { reason: commandReasons } },
    },
    {
      ...{ name: 'replies_remarked', help: 'Replies with a remarkable announcement.' },
      ...{ type: 'reply-remarked', labels: { reason: replyReasons } },
    },
    {
      ...{ name: 'pinholes_opened', help: 'Pinholes opened.' },
      ...{ type: 'pinhole-opened', labels: { mode, plane } },
    },
    {
      ...{ name: 'pinholes_taken', help: 'Pinholes that a data connection used.' },
      ...{ type: 'pinhole-taken', labels: { mode, plane } },
    },
    {
      ...{ name: 'pinholes_closed', help: 'Pinholes that went away unused.' },
      ...{ type: 'pinhole-closed', labels: { reason: pinholeReasons, plane } },
    },
    {
      ...{ name: 'pinhole_refusals', help: 'Connections to pinholes that were refused.' },
      ...{ type: 'pinhole-refused', labels: { reason: pinholeReasons } },
    },
    {
      ...{ name: 'transfers', help: 'Transfers that ended.', type: 'transfer-ended' },
      labels: { cause: transferCauses, direction: ['upload', 'download'], plane },
    },
    {
      ...{ name: 'data_connections_closed', help: 'Data connections without a transfer.' },
      ...{ type: 'data-channel-closed', labels: { cause: transferCauses } },
    },
    {
      ...{ name: 'public_address_failures', help: 'Lookups of the public address that failed.' },
      type: 'public-address-failed',
    },
    {
      ...{ name: 'table_restorations', help: "Times that the kernel plane's table had been deleted." },
      type: 'table-restored',
    },
  ];
}

/**
 * Every combination of labels is there from the start, with 0: a rate needs a value before the first event, and the first
 * refusal is what an alert is for. A reason that cannot happen in a family stays 0.
 */
function eventFamilies(inside: Inside): Family[] {
  const counts = inside.counters.read();
  return countedOf(planesOf(inside)).map(({ name, help, type, labels = {} }) => {
    const values = combinations(labels).map((combination) => ({
      labels: combination,
      value: counts[[type, ...Object.values(combination)].join(' ')] ?? 0,
    }));
    return { name: `pinhole_${name}_total`, type: 'counter', help, values };
  });
}

/** What carries data here: beside the kernel plane this process carries what the kernel cannot. */
function planesOf({ plane }: Inside): readonly Carrier[] {
  return plane === 'relay' ? ['relay'] : ['relay', 'kernel'];
}

/** `{ a: ['1', '2'], b: ['3'] }` as `{ a: '1', b: '3' }` and `{ a: '2', b: '3' }`. */
function combinations(labels: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (made, [label, words]) => made.flatMap((each) => words.map((word) => ({ ...each, [label]: word }))),
    [{}],
  );
}

// ---- How it stands ----

function stateFamilies(inside: Inside): Family[] {
  const { roster } = inside;
  const { sessions, sessionsPerClient, passivePorts, activePorts, descriptors } = inside.limits();
  return [
    gauge('pinhole_sessions', 'Sessions that are open.', sessions.now),
    gauge('pinhole_sessions_limit', 'Sessions that there can be.', sessions.most),
    gauge('pinhole_sessions_per_client_limit', 'Sessions that one client can have.', sessionsPerClient.most),
    gauge('pinhole_expectations', 'Pinholes that nobody has connected to yet.', roster.pendingCount),
    gauge('pinhole_data_connections', 'Data connections that are open.', roster.openCount),
    {
      ...{ name: 'pinhole_ports_in_use', type: 'gauge' },
      help: 'Ports at which somebody is expected.',
      values: [
        { labels: { range: 'passive' }, value: passivePorts.now },
        { labels: { range: 'active' }, value: activePorts.now },
      ],
    },
    {
      ...{ name: 'pinhole_ports_limit', type: 'gauge' },
      help: 'Ports of the range.',
      values: [
        { labels: { range: 'passive' }, value: passivePorts.most ?? 0 },
        { labels: { range: 'active' }, value: activePorts.most ?? 0 },
      ],
    },
    gauge('pinhole_connection_descriptors', 'File descriptors that connections have.', descriptors.now),
    gauge('pinhole_connection_descriptors_limit', 'File descriptors that they can have.', descriptors.most),
    {
      ...{ name: 'pinhole_certificate_not_after_timestamp_seconds', type: 'gauge' },
      help: 'When a certificate that clients are shown expires.',
      values: inside.certificates().map(({ file, notAfter }) => ({
        labels: { file },
        value: notAfter.getTime() / 1000,
      })),
    },
    gauge('pinhole_draining', 'Whether no new sessions are accepted.', inside.isDraining() ? 1 : 0),
    {
      ...{ name: 'pinhole_build_info', type: 'gauge' },
      help: 'The build, and the plane that it runs on.',
      values: [{ labels: { version: inside.version, node: process.version, plane: inside.plane }, value: 1 }],
    },
  ];
}

function timeFamilies(inside: Inside): Family[] {
  const { counters } = inside;
  const opening = counters.opening();
  return [
    histogram(
      'pinhole_pinhole_open_seconds',
      'Time that it took to open a pinhole.',
      planesOf(inside).map((plane) => [{ plane }, opening[plane]]),
    ),
    histogram(
      'pinhole_first_byte_seconds',
      'Time from a data connection to its first byte, on the relay plane.',
      [[{}, counters.firstByte()]],
    ),
    histogram('pinhole_event_loop_delay_seconds', 'How late the process comes to what has happened.', [
      [{}, inside.eventLoopDelays()],
    ]),
  ];
}

/**
 * Bytes by direction and plane; those of transfers under way are added, so that a long transfer shows while it lasts. At
 * its end a transfer has what its receiver acknowledged, which can be less than had moved: a counter that fell would be
 * taken for one that began anew, with all its bytes.
 */
function bytesFamily(inside: Inside, rising: Rising): Family {
  const ended = inside.counters.bytes();
  const progress = progressByExpectation(inside);
  const values = planesOf(inside).flatMap((plane) => {
    const open = [...inside.roster.open].filter((pinhole) => pinhole.plane === plane);
    const valueOf = (direction: 'upload' | 'download', moved: 'uploaded' | 'downloaded'): Value => ({
      labels: { direction, plane },
      value: rising.of(
        `${direction} ${plane}`,
        open.reduce((sum, { id }) => sum + (progress.get(id)?.[moved] ?? 0), ended[plane][direction]),
      ),
    });
    return [valueOf('upload', 'uploaded'), valueOf('download', 'downloaded')];
  });
  return {
    ...{ name: 'pinhole_transfer_bytes_total', type: 'counter', values },
    help: 'Bytes of transfers, those under way among them where they are counted.',
  };
}

/** By the names that all exporters use for a process, and for Node. */
function processFamilies({ started, descriptorLimit, lostLogLines }: Inside): Family[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return [
    {
      ...{ name: 'pinhole_log_lines_lost_total', type: 'counter' },
      help: 'Log lines that could not be written and for which there was no room.',
      values: [{ labels: {}, value: lostLogLines() }],
    },
    {
      ...{ name: 'process_cpu_seconds_total', type: 'counter' },
      help: 'Processor time of the process.',
      values: [{ labels: {}, value: (user + system) / 1e6 }],
    },
    gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
    gauge('process_start_time_seconds', 'When the process started.', started / 1000),
    gauge('process_open_fds', 'File descriptors that are open.', openDescriptors()),
    gauge('process_max_fds', 'File descriptors that the process may have open.', descriptorLimit),
    gauge('nodejs_heap_size_used_bytes', 'Heap of JavaScript that is in use.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'Heap of JavaScript that is reserved.', heapTotal),
    gauge(
      'nodejs_external_memory_bytes',
      'Memory of objects outside that heap, buffers among them.',
      external,
    ),
  ];
}

/** Of each worker by its place; none where this process has the sessions. */
function workerFamilies(workers: readonly WorkerFacts[]): Family[] {
  if (workers.length === 0) return [];
  const family = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    of: (facts: WorkerFacts) => number,
  ): Family => ({
    ...{ name: `pinhole_worker_${name}`, type, help },
    values: workers.map((facts) => ({ labels: { worker: String(facts.worker) }, value: of(facts) })),
  });
  return [
    family('sessions', 'gauge', 'Sessions of the worker.', ({ sessions }) => sessions),
    family('data_connections', 'gauge', 'Its data connections.', ({ dataConnections }) => dataConnections),
    family('cpu_seconds_total', 'counter', 'Its processor time.', ({ processorTime }) => processorTime),
    family('resident_memory_bytes', 'gauge', 'Its memory.', ({ memory }) => memory),
    family(
      'event_loop_delay_p99_seconds',
      'gauge',
      'How late it comes to what has happened, the 99th percentile since its start.',
      ({ eventLoopDelay }) => eventLoopDelay.p99 / 1000,
    ),
  ];
}

/** undefined where there is no /proc, or none is left to look with. */
function openDescriptors(): number | undefined {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
