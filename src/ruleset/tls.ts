import type { RulesetOptions, TlsOptions } from './plan.ts';

/** Whether any control channel may be TLS, on either side. */
export function usesTls({ mode, server }: TlsOptions): boolean {
  return mode !== 'refuse' || server !== 'off';
}

/** Why the relay carries data on the kernel plane too; undefined where the kernel carries all of it. */
function reasonOfRelay({ tls }: RulesetOptions): 'passed' | 'ends here' | undefined {
  const { mode, data, server, serverData } = tls;
  if (mode === 'pass') return 'passed';
  // Then TLS of a data channel begins and ends at its two ends alone.
  if (data === 'server') return undefined;
  const endsHere = mode === 'terminate' || (server !== 'off' && serverData === 'protected');
  return endsHere ? 'ends here' : undefined;
}

/** Whether some data comes to passive ports of this host. */
export function relaysPassive(options: RulesetOptions): boolean {
  return options.plane === 'relay' || reasonOfRelay(options) !== undefined;
}

/** Behind AUTH that is passed there is no active mode, so that the kernel carries all that there is of it. */
export function relaysActive(options: RulesetOptions): boolean {
  return options.plane === 'relay' || reasonOfRelay(options) === 'ends here';
}

/** Said behind a rule that the kernel plane would not have without TLS; empty where that is not why. */
export function whyRelayed(options: RulesetOptions): string {
  if (options.plane === 'relay') return '';
  switch (reasonOfRelay(options)) {
    case 'ends here':
      return '. TLS ends here, which the kernel cannot do: Pinhole carries what is protected';
    case 'passed':
      return '. Behind AUTH TLS nobody tells the kernel which port: Pinhole carries what is passed';
    case undefined:
      return '';
  }
}
