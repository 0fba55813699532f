import type { Endpoint } from '../net/endpoint.ts';

/** Where something stands in a text: from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An endpoint as it was announced, and where. */
export interface Found extends Span {
  readonly endpoint: Endpoint;
}

/** A port as it was announced, and where. */
export interface FoundPort extends Span {
  readonly port: number;
}

/** The text with each span replaced and every other byte as it was. The spans are in order and apart. */
export function replaceSpans(text: string, spans: readonly Span[], replacement: string): string {
  let result = '';
  let from = 0;
  for (const { start, end } of spans) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}
