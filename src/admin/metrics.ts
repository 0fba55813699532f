import type { HistogramCounts } from '../status/histogram.ts';
import type { Inside } from './inside.ts';

type Labels = Readonly<Record<string, string | number>>;

/** One value of a family. */
interface Value {
  readonly labels: Labels;
  readonly value: number;
}

/** One family of the text format, in the order of its lines. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly values: readonly Value[];
}

/** The metrics as Prometheus reads them (text format 0.0.4), in base units: seconds, bytes, seconds since 1970. */
export function metricsText(inside: Inside): string {
  return [...eventFamilies(inside), ...stateFamilies(inside), ...processFamilies(inside)]
    .map(formatFamily)
    .join('');
}

// ---- What has happened ----

/** Families that count events: the event's type, and the labels that the words behind it in a counter's key are. */
const counted: readonly (readonly [name: string, help: string, type: string, ...labels: string[]])[] = [
  ['pinhole_sessions_opened_total', 'Sessions that began.', 'session-opened'],
  ['pinhole_sessions_closed_total', 'Sessions that ended.', 'session-closed', 'reason'],
  [
    'pinhole_sessions_refused_total',
    'Clients that were refused before a session began.',
    'session-refused',
    'reason',
  ],
  ['pinhole_logins_total', 'Logins that the server accepted.', 'session-logged-in'],
  ['pinhole_login_failures_total', 'Logins that the server refused.', 'login-failed'],
  ['pinhole_commands_refused_total', 'Commands that the relay answered itself.', 'command-refused', 'reason'],
  ['pinhole_replies_remarked_total', 'Replies with a remarkable announcement.', 'reply-remarked', 'reason'],
  ['pinhole_pinholes_opened_total', 'Pinholes opened.', 'pinhole-opened', 'mode', 'plane'],
  ['pinhole_pinholes_taken_total', 'Pinholes that a data connection used.', 'pinhole-taken', 'mode', 'plane'],
  ['pinhole_pinholes_closed_total', 'Pinholes that went away unused.', 'pinhole-closed', 'reason', 'plane'],
  [
    'pinhole_pinhole_refusals_total',
    'Connections to pinholes that were refused.',
    'pinhole-refused',
    'reason',
  ],
  ['pinhole_transfers_total', 'Transfers that ended.', 'transfer-ended', 'cause', 'direction', 'plane'],
  [
    'pinhole_data_connections_closed_total',
    'Data connections without a transfer.',
    'data-channel-closed',
    'cause',
  ],
  [
    'pinhole_public_address_failures_total',
    'Lookups of the public address that failed.',
    'public-address-failed',
  ],
  [
    'pinhole_table_restorations_total',
    "Times that the kernel plane's table had been deleted.",
    'table-restored',
  ],
];

/** Before a family without labels has counted anything it is 0: a rate needs a first value. */
function eventFamilies({ counters }: Inside): Family[] {
  const counts = Object.entries(counters.read()).map(([key, value]) => ({ words: key.split(' '), value }));
  return counted.map(([name, help, type, ...labels]) => {
    const own = counts.filter(({ words }) => words[0] === type);
    const values = own.map(({ words, value }) => ({
      labels: Object.fromEntries(labels.map((label, index) => [label, words[index + 1] ?? ''])),
      value,
    }));
    const none = labels.length === 0 && values.length === 0 ? [{ labels: {}, value: 0 }] : [];
    return { name, type: 'counter', help, values: [...values, ...none] };
  });
}

// ---- How it stands ----

function stateFamilies(inside: Inside): Family[] {
  const { roster, counters } = inside;
  const { sessions, sessionsPerClient, passivePorts, activePorts, descriptors } = inside.limits();
  const bytes = bytesOf(inside);
  const opening = counters.opening();
  const delay = inside.eventLoopDelay();
  return [
    {
      ...{ name: 'pinhole_transfer_bytes_total', type: 'counter' },
      help: 'Bytes of transfers, those under way among them where they are counted.',
      values: bytes,
    },
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
    histogram('pinhole_pinhole_open_seconds', 'Time that it took to open a pinhole.', [
      [{ plane: 'relay' }, opening.relay],
      [{ plane: 'kernel' }, opening.kernel],
    ]),
    histogram(
      'pinhole_first_byte_seconds',
      'Time from a data connection to its first byte, on the relay plane.',
      [[{}, counters.firstByte()]],
    ),
    {
      ...{ name: 'pinhole_event_loop_delay_seconds', type: 'gauge' },
      help: 'How late the process comes to what has happened, since its start.',
      values: (['median', 'p99', 'worst'] as const).map((quantile) => ({
        labels: { quantile: { median: 0.5, p99: 0.99, worst: 1 }[quantile] },
        value: delay[quantile] / 1000,
      })),
    },
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

/** Bytes by direction and plane; what goes on is added, so that a long transfer shows while it lasts. */
function bytesOf(inside: Inside): Value[] {
  const ended = inside.counters.bytes();
  const progress = new Map(inside.progress().map((each) => [each.expectation, each]));
  return (['relay', 'kernel'] as const).flatMap((plane) => {
    const open = [...inside.roster.open]
      .filter((pinhole) => pinhole.plane === plane)
      .map(({ id }) => progress.get(id));
    const upload = open.reduce((sum, each) => sum + (each?.uploaded ?? 0), ended[plane].upload);
    const download = open.reduce((sum, each) => sum + (each?.downloaded ?? 0), ended[plane].download);
    return [
      { labels: { direction: 'upload', plane }, value: upload },
      { labels: { direction: 'download', plane }, value: download },
    ];
  });
}

/** By the names that all exporters use for a process. */
function processFamilies({ started }: Inside): Family[] {
  const { user, system } = process.cpuUsage();
  return [
    {
      ...{ name: 'process_cpu_seconds_total', type: 'counter' },
      help: 'Processor time of the process.',
      values: [{ labels: {}, value: (user + system) / 1e6 }],
    },
    gauge('process_resident_memory_bytes', 'Memory of the process.', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'When the process started.', started / 1000),
  ];
}

// ---- The text format ----

function gauge(name: string, help: string, value: number | undefined): Family {
  const isKnown = value !== undefined && Number.isFinite(value);
  return { name, type: 'gauge', help, values: isKnown ? [{ labels: {}, value }] : [] };
}

/** As `NAME_bucket`, `NAME_sum` and `NAME_count`. */
function histogram(
  name: string,
  help: string,
  rows: readonly (readonly [Labels, HistogramCounts])[],
): Family {
  const values = rows.flatMap(([labels, { bounds, counts, sum }]) => {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      return {
        labels: { ...labels, __name__: '_bucket', le: String(bounds[index] ?? '+Inf') },
        value: total,
      };
    });
    return [
      ...buckets,
      { labels: { ...labels, __name__: '_sum' }, value: sum },
      { labels: { ...labels, __name__: '_count' }, value: total },
    ];
  });
  return { name, type: 'histogram', help, values };
}

function formatFamily({ name, type, help, values }: Family): string {
  if (values.length === 0) return '';
  const lines = values.map(({ labels, value }) => {
    const { __name__: suffix = '', ...rest } = labels;
    const shown = Object.entries(rest).map(([label, text]) => `${label}="${escaped(String(text))}"`);
    return `${name}${suffix}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
