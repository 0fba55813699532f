import { fine } from '../finding.ts';
import type { ControlConnection } from './control-connection.ts';
import { findPinhole, type Pinhole } from './pinhole.ts';
import type { Visit } from './visit.ts';

/** Whether it is Pinhole that the client speaks to. */
export async function checkPinhole(visit: Visit, control: ControlConnection): Promise<Pinhole> {
  const pinhole = await findPinhole(control);
  if (pinhole === 'here') visit.say(fine('pinhole-here'));
  return pinhole;
}
