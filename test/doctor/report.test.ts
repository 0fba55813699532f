import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost } from '../../src/doctor/host.ts';
import { languageOf, reportJson, reportText } from '../../src/doctor/report.ts';
import { server, sourcesOf } from './host-sets.ts';

const findings = examineHost(
  sourcesOf({
    vsftpd: `${server.vsftpd}run_as_launching_user=YES\n`,
    iptables: server.iptables,
    sysctl: '',
    addresses: server.addresses,
  }),
);

test('reports for each fault what was seen, what it means, what to change, and the exact lines', () => {
  assert.equal(
    reportText(findings, 'en'),
    `✘ vsftpd:5: vsftpd: active data connections come from port 20, and run_as_launching_user=YES drops the privilege to use it
    means: only root may use port 20: every transfer in active mode fails
    change: give up port 20 for active mode, or run with root privileges
      vsftpd.conf:
        connect_from_port_20=NO
    (port-20-unprivileged)
✔ vsftpd: passive range 50000-50099
✔ the firewall accepts port 21 and the passive range 50000-50099

One fault.
`,
  );
});

test('reports the same in another language, with the same lines', () => {
  const text = reportText(findings, 'zh');
  assert.match(text, /含义: 只有 root 可以使用端口 20/);
  assert.match(text, /connect_from_port_20=NO/);
  assert.match(text, /一处故障。\n$/);
});

test('counts faults', () => {
  assert.match(reportText([], 'en'), /Nothing needs to be changed\.\n$/);
  for (const language of ['en', 'zh'] as const) {
    const beyond = /ftp:\/\/HOST/;
    assert.match(reportText([], language, { isOfHost: true }), beyond);
    assert.match(reportJson([], language, { isOfHost: true }), beyond);
    assert.doesNotMatch(reportText([], language), beyond);
    // What is broken comes first.
    assert.doesNotMatch(reportText(findings, language, { isOfHost: true }), beyond);
    assert.doesNotMatch(reportJson(findings, language, { isOfHost: true }), beyond);
  }
  assert.match(reportText([...findings, ...findings], 'en'), /\n2 faults\.\n$/);
});

test('gives machines the findings with their words', () => {
  const report = JSON.parse(reportJson(findings, 'zh')) as {
    healthy: boolean;
    findings: Record<string, unknown>[];
  };
  assert.equal(report.healthy, false);
  assert.deepEqual(Object.keys(report.findings[0] ?? {}), [
    'id',
    'level',
    'values',
    'where',
    'remedies',
    'seen',
    'means',
    'change',
  ]);
  assert.equal((JSON.parse(reportJson([], 'en')) as { healthy: boolean }).healthy, true);
});

const unseen = examineHost(sourcesOf({ vsftpd: server.vsftpd, addresses: server.addresses }));

test('never says that all is well of what was not examined, and lists it', () => {
  assert.equal(
    reportText(unseen, 'en'),
    `? no rules of a firewall were read
    means: whether clients reach the ports is not known
    change: run this as root on the host itself, or name copies of the rules (--iptables, --nftables)
    (firewall-not-seen)
✔ vsftpd: passive range 50000-50099

Healthy as far as seen: no fault was found, but something that matters is not known.
Not known:
  ? no rules of a firewall were read
`,
  );
  const report = JSON.parse(reportJson(unseen, 'en')) as Record<string, unknown>;
  assert.equal(report['healthy'], false);
  assert.equal(report['verdict'], 'as-far-as-seen');
  assert.deepEqual(report['notKnown'], [
    { id: 'firewall-not-seen', what: 'no rules of a firewall were read' },
  ]);
});

test('breaks long lines of a terminal between words, and none that is to be copied', () => {
  for (const language of ['en', 'zh'] as const) {
    const long = reportText(findings, language);
    const text = reportText(findings, language, { width: 40 });
    assert.equal(text.replace(/\s+/g, ''), long.replace(/\s+/g, ''));
    assert.ok(text.includes('\n        connect_from_port_20=NO\n'));
    const words = new Set(long.split(/\s+/));
    if (language === 'en') for (const word of text.split(/\s+/)) assert.ok(words.has(word), word);
    for (const line of text.split('\n')) assert.ok(line.length <= 40 || !line.trim().includes(' '), line);
  }
});

test('speaks the language that the environment asks for', () => {
  assert.equal(languageOf({ LANG: 'zh_CN.UTF-8' }), 'zh');
  assert.equal(languageOf({ LANG: 'zh_CN.UTF-8', LC_ALL: 'C.UTF-8' }), 'en');
  assert.equal(languageOf({ LC_MESSAGES: 'zh' }), 'zh');
  assert.equal(languageOf({ LANG: '' }), 'en');
  assert.equal(languageOf({}), 'en');
});

test('what a terminal would act on is not printed', () => {
  const vsftpd = server.vsftpd.replace(/$/, 'pasv_address=evil\u001b]0;x\u0007\u001b[31m\u202e\n');
  const text = reportText(examineHost(sourcesOf({ vsftpd, addresses: server.addresses })), 'en');
  assert.match(text, /evil\ufffd\]0;x/);
  assert.doesNotMatch(text, /[\u001b\u0007\u202e]/);
});
