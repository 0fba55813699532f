/** Whether to print colours: on a terminal, unless NO_COLOR is set (no-color.org). */
export function isColoured(): boolean {
  return process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
}
