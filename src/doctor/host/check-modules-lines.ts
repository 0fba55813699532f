import { fine, type Finding } from '../finding.ts';
import type { Facts } from './facts.ts';
import { readModulesLines } from './iptables-config.ts';
import { helperModule, natHelperModule } from './modules.ts';
import { remedy } from './remedies.ts';
import { fault } from './say.ts';

/** /etc/sysconfig/iptables-config: which modules are loaded before the rules, and in which order. */
export function checkModulesLines({ sources: { iptablesConfig } }: Facts): Finding[] {
  if (iptablesConfig === undefined) return [];
  const { file, text } = iptablesConfig;
  const lines = readModulesLines(text);
  const last = lines.at(-1);
  if (last === undefined) return [];
  const lost = lines.slice(0, -1).filter(({ value }) => value.some((name) => !last.value.includes(name)));
  const written = new Set(lines.flatMap((line) => line.written));
  const together = remedy('iptables-config', `IPTABLES_MODULES="${inOrder([...written]).join(' ')}"`);
  const overridden = lost.map(({ line, written: names }) =>
    fault('modules-line-overridden', {
      values: { modules: names.join(' '), last: last.line },
      file,
      line,
      remedies: [together],
    }),
  );
  const [conntrack, nat] = [last.value.indexOf(helperModule), last.value.indexOf(natHelperModule)];
  const isReversed = nat !== -1 && conntrack > nat;
  const [first = '', second = ''] = [last.written[nat], last.written[conntrack]];
  const reversed = isReversed
    ? [fault('nat-module-first', { values: { first, second }, file, line: last.line, remedies: [together] })]
    : [];
  const findings = [...overridden, ...reversed];
  return findings.length > 0 ? findings : [fine('modules-line-fine', { modules: last.written.join(' ') })];
}

/** The helper that finds announcements before the one that rewrites them. */
function inOrder(names: readonly string[]): string[] {
  const rank = (name: string): number =>
    /^(?:ip|nf)_conntrack_ftp$/.test(name) ? 0 : /^(?:ip|nf)_nat_ftp$/.test(name) ? 1 : 2;
  return [...names].sort((one, other) => rank(one) - rank(other));
}
