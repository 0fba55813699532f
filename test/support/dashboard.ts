import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './project.ts';

/** A dashboard of Grafana, as far as it is looked at. */
export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly expr: string }[];
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(root, 'rules/grafana/pinhole.json'), 'utf8')) as Dashboard;
}

export function panelsOf({ panels }: Dashboard): readonly Panel[] {
  return panels;
}

/** As they are written, with Grafana's variables. */
export function expressionsOf({ targets }: Panel): readonly string[] {
  return targets.map(({ expr }) => expr);
}
