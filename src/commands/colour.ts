/** Whether standard output is for colours: a terminal, and its user has not said no (no-color.org). */
export function isColoured(): boolean {
  return process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
}
