/* global module */
// The layers of docs/architecture.md: imports go downward only.
const layers = [
  ['cli, worker, packaging', '^src/(cli|worker)\\.ts$|^src/packaging/'],
  ['commands', '^src/commands/'],
  ['daemon', '^src/daemon/'],
  ['workers', '^src/workers/'],
  ['admin', '^src/admin/'],
  ['log', '^src/log/'],
  ['proxy, ruleset, doctor, demo', '^src/(proxy|ruleset|doctor|demo)/'],
  ['config', '^src/config/'],
  ['plane', '^src/plane/'],
  ['helper', '^src/helper/'],
  [
    'expectation, ftp, server-settings, status, tls, linux with addresses',
    '^src/(expectation|ftp|server-settings|status|tls)/|^src/linux/(nftables/|conntrack/|original-destination\\.ts$)',
  ],
  ['net', '^src/net/'],
  [
    'linux without addresses, node-internals',
    '^src/node-internals/|^src/linux/(netlink/|(accounts|allocator|libc|notify-socket|port-holder|privileges|process-limits|socket-calls|sysctl)\\.ts$)',
  ],
];

/** A layer may import what stands below it, never what stands above. */
const downward = layers.slice(1).map(([name, path], index) => ({
  name: `not-upward-from ${name}`,
  severity: 'error',
  from: { path },
  to: { path: layers.slice(0, index + 1).map(([, above]) => above) },
}));

module.exports = {
  forbidden: [
    ...downward,
    {
      name: 'koffi-is-loaded-in-one-place',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/linux/libc\\.ts$' },
      to: { path: '(^|/)koffi(/|$)' },
    },
    {
      name: 'node-internals-know-nothing-of-this-program',
      severity: 'error',
      from: { path: '^src/node-internals/' },
      to: { path: '^src/', pathNot: '^src/node-internals/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$|^src/admin/page/' },
      to: {},
    },
    {
      name: 'proxy-knows-only-the-type-of-a-plane',
      severity: 'error',
      from: { path: '^src/proxy/' },
      to: { path: '^src/plane/', pathNot: '^src/plane/(plane|data-channel)\\.ts$' },
    },
    {
      name: 'a-session-knows-nothing-of-admission',
      severity: 'error',
      from: { path: '^src/proxy/session/' },
      to: { path: '^src/proxy/', pathNot: '^src/proxy/session/' },
    },
    {
      name: 'siblings-stay-apart',
      comment: 'the subjects of one layer know nothing of each other; the daemon and the commands join them',
      severity: 'error',
      from: { path: '^src/(proxy|ruleset|doctor|demo)/' },
      to: { path: '^src/(proxy|ruleset|doctor|demo)/', pathNot: '^src/$1/' },
    },
    {
      name: 'pure-layers-touch-no-socket',
      severity: 'error',
      from: {
        path: '^src/(net|ftp|helper|expectation|server-settings)/',
        pathNot: '^src/net/(socket|dial|listen|shared-lookup|channel|keepalive|send-queue|urgent)\\.ts$',
      },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|fs|dns|tls|child_process|timers)' },
    },
    {
      name: 'config-and-log-are-leaves',
      comment:
        'but for the types of the settings that decisions use, which decisions declare, and the direction of a transfer',
      severity: 'error',
      from: { path: '^src/(config|log)/' },
      to: {
        path: '^src/',
        pathNot: '^src/(net/|events\\.ts|config/|log/|ftp/transfer\\.ts|helper/(tls-)?policy\\.ts)',
      },
    },
    {
      name: 'demo-knows-the-grammar-alone',
      comment: 'what the relay is shown in front of shares no decision with it',
      severity: 'error',
      from: { path: '^src/demo/' },
      to: { path: '^src/', pathNot: '^src/(demo|ftp|net)/|^src/events\\.ts$' },
    },
    { name: 'src-never-imports-tests', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
    reporterOptions: { archi: { collapsePattern: '^src/[^/]+' } },
  },
};
