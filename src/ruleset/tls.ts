import { reasonOfRelay } from '../config/carrying.ts';
import type { RulesetOptions, TlsOptions } from './plan.ts';

/** Whether any control channel may be TLS, on either side. */
export function usesTls({ mode, server }: TlsOptions): boolean {
  return mode !== 'refuse' || server !== 'off';
}

function reasonIn({
  tls: { mode, data, server, serverData },
}: RulesetOptions): ReturnType<typeof reasonOfRelay> {
  return reasonOfRelay({ tls: mode, tlsData: data, serverTls: server, serverDataTls: serverData });
}

/** Whether some data comes to passive ports of this host. */
export function relaysPassive(options: RulesetOptions): boolean {
  return options.plane === 'relay' || reasonIn(options) !== undefined;
}

/** Behind AUTH that is passed there is no active mode, so that the kernel carries all that there is of it. */
export function relaysActive(options: RulesetOptions): boolean {
  return options.plane === 'relay' || reasonIn(options) === 'ends here';
}

/** Said behind a rule that the kernel plane would not have without TLS; empty where that is not why. */
export function whyRelayed(options: RulesetOptions): string {
  if (options.plane === 'relay') return '';
  switch (reasonIn(options)) {
    case 'ends here':
      return '. TLS ends here, which the kernel cannot do: Pinhole carries what is protected';
    case 'passed':
      return '. Behind AUTH TLS nobody tells the kernel which port: Pinhole carries what is passed';
    case undefined:
      return '';
  }
}
