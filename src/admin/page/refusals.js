// What was refused, how often, and what it means: docs/what-it-does.md in short.
import { element, keepChildren, setText, byId } from './dom.js';
import { countText, visible } from './format.js';

/** @typedef {{ kind: string, reason: string, count: number, meaning: string }} Refusal */

/** @type {Readonly<Record<string, string>>} */
const kinds = {
  'command-refused': 'command',
  'session-refused': 'session',
  'pinhole-refused': 'data connection',
  'pinhole-closed': 'pinhole',
  'login-failed': 'login',
};

/** @type {Readonly<Record<string, string>>} */
export const meanings = {
  // Commands
  'line-too-long': 'A line of more than 8192 bytes.',
  'nul-byte': 'A command with a NUL byte, which servers read differently.',
  'bare-cr': 'A command with a CR without an LF, which servers read differently.',
  http: 'The first line was HTTP: a browser was directed here.',
  'not-ftp': 'The first bytes belong to another protocol.',
  'not-logged-in': 'A data connection was announced before the server had accepted a login.',
  syntax: 'Not in the form of RFC 959 or RFC 2428.',
  'not-the-peer':
    "The address in PORT or EPRT is not the client's: often a client behind a NAT in active mode; passive mode works there.",
  'port-below-1024': 'Services listen below port 1024, not clients.',
  'denied-port': 'The port is in deny-ports, or not in server-passive-ports.',
  'protocol-not-served': 'The other address family, or an old command for data connections.',
  'epsv-all': 'PORT, EPRT or PASV after EPSV ALL.',
  'tls-refused': 'The client asked for TLS, and tls is refuse.',
  'tls-required': 'A login without TLS, and require-tls is set.',
  'data-tls-required': 'A transfer without PROT P, and require-data-tls is set.',
  'tls-out-of-order': 'AUTH, PBSZ, PROT, CCC or REIN out of the order of RFC 4217.',
  'tls-not-understood': 'A mechanism other than TLS, or a level other than C and P.',
  'tls-pipelined': 'Something came with AUTH or CCC that anybody may have injected.',
  'ccc-refused': 'The client asked to leave TLS, and tls-ccc is refuse.',
  'no-free-port':
    'Every port of the range is in use for this client: make passive-ports or active-ports larger.',
  'plane-failed': 'The system refused to open the pinhole; the log has the error.',
  'data-connection-failed': 'Active mode: the client cannot be reached.',
  'not-delivered': 'Not the whole file arrived; the success of the server was not passed on.',
  // Pinholes
  stranger: 'A connection from an address that was not expected; the pinhole stayed open.',
  expired: 'Nobody connected within expect-timeout: often a firewall before the port range.',
  'too-many-channels': 'Every session of that address has 16 data connections open.',
  // Sessions
  'server-unreachable': 'The connection to the server failed, or took longer than connect-timeout.',
  'server-tls-failed': 'TLS with the server failed.',
  'server-closed': 'The server closed the control connection.',
  'server-reset': 'The server reset the control connection.',
  'tls-failed': "The client's TLS handshake failed.",
  'tls-on-clear-port': 'Implicit FTPS on a port for explicit FTPS.',
  'client-closed': 'The client closed before the session began.',
  'client-reset': 'The client reset the connection before the session began.',
  'login-timeout': 'No login within login-timeout.',
  'too-many-descriptors': 'The process has no descriptors left: raise its limit (ulimit -n).',
  'too-many-sessions': 'max-sessions were open.',
  'too-many-sessions-of-client': 'max-sessions-per-client were open from that address.',
  'too-many-new-sessions': 'One client began too many sessions without a login.',
  loop: 'The session would have led to the relay itself.',
  'destination-not-allowed': 'The server that the client meant is not in intercept-networks.',
  'closed-by-administrator': 'An administrator ended it.',
  shutdown: 'The relay was stopping.',
};

/**
 * What of the counters is a refusal.
 *
 * @param {Readonly<Record<string, number>>} counters
 * @returns {Refusal[]} the most frequent first
 */
export function refusalsOf(counters) {
  /** @type {Map<string, Refusal>} */
  const found = new Map();
  for (const [name, count] of Object.entries(counters)) {
    const [type = '', reason = ''] = name.split(' ');
    const kind = kinds[type];
    // A pinhole that closes for another reason than that nobody came is no failure.
    if (kind === undefined || (type === 'pinhole-closed' && reason !== 'expired')) continue;
    const meaning = type === 'login-failed' ? 'The server refused the login.' : (meanings[reason] ?? '');
    const key = `${kind} ${reason}`;
    const known = found.get(key)?.count ?? 0;
    found.set(key, { kind, reason: reason === '' ? 'login-failed' : reason, count: known + count, meaning });
  }
  return [...found.values()].sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason));
}

/** @param {Readonly<Record<string, number>>} counters */
export function showRefusals(counters) {
  const place = byId('reasons');
  const refusals = refusalsOf(counters);
  if (refusals.length === 0) {
    place.replaceChildren(element('p', { class: 'empty' }, 'Nothing was refused.'));
    return;
  }
  let list = place.querySelector('ul');
  if (!list) {
    list = /** @type {HTMLUListElement} */ (element('ul', { class: 'reasons' }));
    place.replaceChildren(list);
  }
  const most = refusals[0]?.count ?? 1;
  keepChildren(list, refusals, {
    key: ({ kind, reason }) => `${kind} ${reason}`,
    make: ({ kind, reason, meaning }) =>
      element(
        'li',
        {},
        element('b', { class: 'times' }),
        element(
          'div',
          {},
          element(
            'p',
            {},
            element('code', {}, visible(reason)),
            ' ',
            element('span', { class: 'kind' }, kind),
          ),
          element('p', { class: 'detail' }, meaning),
          element('div', { class: 'amount', 'aria-hidden': 'true' }, element('div')),
        ),
      ),
    update: (made, { count }) => {
      const times = made.querySelector('.times');
      const bar = made.querySelector('.amount div');
      if (times) setText(times, countText(count));
      if (bar instanceof HTMLElement) bar.style.width = `${((count / most) * 100).toFixed(1)}%`;
    },
  });
}
