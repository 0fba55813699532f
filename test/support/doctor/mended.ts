import type { Finding, Remedy } from '../../../src/doctor/finding.ts';
import type { HostSources } from '../../../src/doctor/host-sources.ts';

type Texts = Partial<Record<keyof HostSources, string>>;

const sourceOf: Readonly<Record<string, keyof HostSources>> = {
  'vsftpd.conf': 'vsftpd',
  'proftpd.conf': 'proftpd',
  'pure-ftpd': 'pureFtpd',
  nftables: 'nftables',
  iptables: 'iptables',
};

/** The texts with the remedies of findings written into them as a reader would. */
export function mended(texts: Texts, findings: readonly Finding[]): Texts {
  const result = { ...texts };
  // From below, so that the numbers of lines stay those that were told.
  const ordered = [...findings].sort((a, b) => (b.where?.line ?? 0) - (a.where?.line ?? 0));
  for (const finding of ordered)
    for (const remedy of finding.remedies) {
      const name = sourceOf[remedy.target] ?? (finding.where?.file as keyof HostSources);
      result[name] = written(result[name] ?? '', remedy, finding);
    }
  return result;
}

function written(text: string, { target, lines }: Remedy, { where }: Finding): string {
  const [first = ''] = lines;
  const all = text.split('\n');
  if (first.startsWith("sed -i '1s/^\\xEF\\xBB\\xBF//'")) return text.replace(/^\ufeff/, '');
  if (/^(?:nft|iptables|table|add) /.test(first)) return `${text}${lines.join('\n')}\n`;
  // An object belongs in its table.
  if (first.startsWith('ct helper '))
    return text.replace(/^table .*\{\n/m, (head) => `${head}${lines.join('\n')}\n`);
  if (/^:\S+ - /.test(first)) return [...lines, text].join('\n');
  const keyOf = (line: string): string => line.trim().split(/[=\s]/)[0] ?? '';
  const isCommand = target === 'pure-ftpd' && first.startsWith('-');
  if (isCommand) return text.replace(/-p \S+/, first);
  const own = new Set(lines.map(keyOf));
  const rest = all.filter(
    (line, index) => index + 1 !== where?.line && !(target.includes('ftpd') && own.has(keyOf(line))),
  );
  const at = where?.line === undefined ? rest.length - 1 : where.line - 1;
  return [...rest.slice(0, at), ...lines, ...rest.slice(at)].join('\n');
}
