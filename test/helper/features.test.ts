import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withOwnTls } from '../../src/helper/features.ts';

const own = [' AUTH TLS', ' PBSZ', ' PROT'];

for (const [what, lines, expected] of [
  [
    'adds the TLS of this side to features that know none',
    ['211-Features:', ' SIZE', ' UTF8', '211 End'],
    ['211-Features:', ' SIZE', ' UTF8', ...own, '211 End'],
  ],
  [
    "puts it in the place of the server's",
    ['211-Features:', ' AUTH TLS', ' AUTH SSL', ' CCC', ' PBSZ', ' PROT', ' SIZE', '211 End'],
    ['211-Features:', ' SIZE', ...own, '211 End'],
  ],
  [
    'knows it in the forms of other servers',
    ['211-Features:', ' AUTH TLS;SSL;', ' PROT C;P;', 'pbsz', ' EPRT', '211 End'],
    ['211-Features:', ' EPRT', ...own, '211 End'],
  ],
  [
    'knows it where each line repeats the code',
    ['211-Features:', '211-AUTH TLS', '211- PROT', '211-SIZE', '211 End'],
    ['211-Features:', '211-SIZE', ...own, '211 End'],
  ],
  [
    'leaves features alone whose names only begin so',
    ['211-Features:', ' AUTHORS', ' PROTX', ' PBSZ2', '211 End'],
    ['211-Features:', ' AUTHORS', ' PROTX', ' PBSZ2', ...own, '211 End'],
  ],
  ['makes a list of a reply that has none', ['211 No features.'], ['211-No features.', ...own, '211 End']],
  ['fills an empty list', ['211-Features:', '211 End'], ['211-Features:', ...own, '211 End']],
] as const) {
  test(what, () => {
    assert.deepEqual(withOwnTls(lines), expected);
  });
}
