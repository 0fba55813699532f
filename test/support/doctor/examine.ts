/**
 *     examine.ts HOST PORT USER PASSWORD TIMEOUT IDLE
 *
 * Examines a server from the network namespace that this runs in, and prints the findings as JSON; times in ms.
 */
import { examineServer } from '../../../src/doctor/server.ts';

const [host = '', port, user = '', password = '', timeout, idle] = process.argv.slice(2);
const findings = await examineServer(
  { host, port: Number(port), user, password },
  { timeout: Number(timeout), idle: Number(idle) },
);
process.stdout.write(`${JSON.stringify(findings)}\n`);
