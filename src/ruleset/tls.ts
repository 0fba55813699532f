import { reasonOfRelay } from '../helper/carrying.ts';
import type { RulesetOptions, TlsOptions } from './plan.ts';

/** Whether any control channel may be TLS, on either side. */
export function usesTls({ mode, server }: TlsOptions): boolean {
  return mode !== 'refuse' || server !== 'off';
}

/** The comment on a rule that the kernel plane needs only for TLS; empty if there is another reason. */
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
