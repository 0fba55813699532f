import type { MessageId } from '../messages/message.ts';
import { fine, type Finding } from '../finding.ts';
import { textOf, type ControlConnection, type Reply } from './control-connection.ts';
import type { Visit } from './visit.ts';

/** What the server is asked; a file of this name is not there, and a server that knows the command says so. */
const nobody = 'no-such-file.pinhole';
const questions: readonly { command: string; name: string; missing: MessageId }[] = [
  { command: `SIZE ${nobody}`, name: 'SIZE', missing: 'size-missing' },
  { command: `MDTM ${nobody}`, name: 'MDTM', missing: 'mdtm-missing' },
  { command: 'REST 1', name: 'REST', missing: 'rest-missing' },
  // Last: it may be answered once or twice.
  { command: 'ABOR', name: 'ABOR', missing: 'abor-missing' },
];

/** Which of the commands that clients like are supported. */
export async function checkFeatures(visit: Visit, control: ControlConnection): Promise<void> {
  // ProFTPD has no SIZE of a text.
  await control.ask('TYPE I');
  const answers: Reply[] = [];
  for (const { command } of questions) {
    answers.push(await control.ask(command));
    if (command === 'REST 1') await control.ask('REST 0');
  }
  for (const finding of judgeFeatures(answers)) visit.say(finding);
}

/** @param answers in the order of the questions */
function judgeFeatures(answers: readonly Reply[]): Finding[] {
  const isMissing = (reply: Reply | undefined): reply is Reply =>
    reply !== undefined && [500, 501, 502, 503, 504].includes(reply.code);
  const supported = questions.filter((_, index) => !isMissing(answers[index])).map(({ name }) => name);
  const missing = questions.flatMap(({ missing: id }, index): Finding[] => {
    const reply = answers[index];
    return isMissing(reply) ? [{ id, level: 'note', values: { reply: textOf(reply) }, remedies: [] }] : [];
  });
  return supported.length === 0
    ? missing
    : [fine('features-fine', { commands: supported.join(', ') }), ...missing];
}
