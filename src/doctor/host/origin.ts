import type { Finding } from '../finding.ts';
import type { SourceText } from '../host-sources.ts';

/** A finding about a line of the whole names the file that the line came from. */
export function atOrigin(finding: Finding, source: SourceText | undefined): Finding {
  const { where } = finding;
  if (where?.line === undefined || where.file !== source?.file) return finding;
  const origin = source.origins?.[where.line - 1];
  return origin === undefined ? finding : { ...finding, where: origin };
}
