import type { EventFilter } from './event-stream.ts';

/** What is sent back: a whole body, or events as they happen. */
export type AdminAnswer =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly type: string;
      readonly body: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'events'; readonly filter: EventFilter };
