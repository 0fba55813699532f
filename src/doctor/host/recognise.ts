import type { HostSources } from '../host-sources.ts';
import { meaningfulLines } from './lines.ts';

/** What at least one line of each text looks like. Pinhole's own configuration is judged by Pinhole. */
const looks: Readonly<
  Record<Exclude<keyof HostSources, 'pinhole' | 'pinholeCommand' | 'legacyIptables' | 'nftablesJson'>, RegExp>
> = {
  vsftpd: /^[a-z0-9_]+\s*=/i,
  proftpd:
    /^(?:<(?:Anonymous|Directory|Global|If\w+|Limit|VirtualHost)\b|(?:Allow|Auth|Default|Delay|Deny|Group|Include|Load|Masquerade|Max|Passive|Port|Require|Root|Server|System|TLS|Timeout|Transfer|Umask|Use)\w*\s)/i,
  pureFtpd: /^(?:-{1,2}[a-z]|\S*pure-ftpd\b|[A-Z][A-Za-z0-9]+\s+\S+)/,
  iptables: /^(?:\*[a-z]+$|:\S+\s)|(?:^|\s)(?:-[AINP]|--(?:append|insert|new-chain|policy))\s/,
  savedIptables: /^(?:\*[a-z]+$|:\S+\s)|(?:^|\s)-[AINP]\s/,
  ip6tables: /^(?:\*[a-z]+$|:\S+\s)|(?:^|\s)(?:-[AINP]|--(?:append|insert|new-chain|policy))\s/,
  nftables:
    /^(?:\S*nft\s+)?(?:table|chain|add|create|define|delete|destroy|flush|include|insert|rule|tcp|udp|ct|iif|iifname|ip|ip6|meta)\s/,
  iptablesConfig: /^(?:export\s+)?[A-Z0-9_]+\+?=/,
  modules: /^(?:Module\b|[a-z0-9_-]+(?:\s+\d|$)|\S+\.ko\b)/,
  sysctl: /^-?[a-z0-9_./*-]+\s*=/i,
  listening: /^(?:State|Netid|Proto|Active)\b|\bLISTEN\b/,
  addresses: /^\d+:\s|\binet6?\s/,
};

/** Whether the text is, or may be, the kind of file that it is named as: an empty one may be anything. */
export function isRecognised(source: keyof HostSources, text: string): boolean {
  const lines = meaningfulLines(text);
  const look = looks[source as keyof typeof looks] as RegExp | undefined;
  return look === undefined || lines.length === 0 || lines.some(({ value }) => look.test(value));
}
