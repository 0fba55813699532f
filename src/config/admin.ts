import type { Config } from './config.ts';

/** Where the admin socket is. */
export interface AdminPlace {
  readonly path: string;
  readonly group: string;
  /** Somebody has named it: that it cannot be had is an error. */
  readonly isNamed: boolean;
}

/** What stands for no socket. */
const noAdmin = 'off';

/**
 * Where the admin socket is, as `admin` says; if that is unset, `/run/pinhole/admin.sock` for root, for others in their own folder
 * of that kind (XDG_RUNTIME_DIR), and under `npm start` in the folder that it runs in.
 *
 * @param uid this process's user; undefined where there are none
 * @returns undefined: there is none
 */
export function adminPlaceOf(
  { admin, adminGroup: group }: Pick<Config, 'admin' | 'adminGroup'>,
  uid: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): AdminPlace | undefined {
  if (admin === noAdmin) return undefined;
  if (admin !== undefined) return { path: admin, group, isNamed: true };
  const path = defaultPath(uid, env);
  return path === undefined ? undefined : { path, group, isNamed: false };
}

/** Where a draining process has its socket: beside its successor's. */
export function retiredPath(path: string, pid: number): string {
  return `${path}.${pid}`;
}

/** Where a command looks for the socket of a running relay, in this order, if it is not told. */
export function adminPathsToTry(
  uid: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const paths = [projectPath, rootPath, defaultPath(uid, env)];
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** `npm start` has it in the project's own folder. */
const projectPath = 'admin.sock';
const rootPath = '/run/pinhole/admin.sock';

function defaultPath(
  uid: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  // npm runs a script in the folder of its package.
  if (env['npm_package_name'] === 'pinhole' && env['npm_lifecycle_event'] === 'start') return projectPath;
  const runtime = env['XDG_RUNTIME_DIR'];
  if (uid === 0) return rootPath;
  return runtime === undefined || runtime === '' ? undefined : `${runtime}/pinhole/admin.sock`;
}
