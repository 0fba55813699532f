import { textOf, type Reply } from '../../ftp/whole-replies.ts';
import type { MessageId } from '../messages/message.ts';
import { fine, type Finding } from '../finding.ts';
import type { ControlConnection } from './control-connection.ts';
import type { Visit } from './visit.ts';

/** The commands to test; no file of this name exists, and a server that supports the command replies accordingly. */
const nobody = 'no-such-file.pinhole';
const questions: readonly Question[] = [
  { command: `SIZE ${nobody}`, name: 'SIZE', missing: 'size-missing', isSupported: knowsTheFile },
  { command: `MDTM ${nobody}`, name: 'MDTM', missing: 'mdtm-missing', isSupported: knowsTheFile },
  { command: 'REST 1', name: 'REST', missing: 'rest-missing', isSupported: ({ code }) => code === 350 },
  // Last: it may be answered once or twice.
  {
    command: 'ABOR',
    name: 'ABOR',
    missing: 'abor-missing',
    isSupported: ({ code }) => code === 225 || code === 226 || code === 426,
  },
];

interface Question {
  readonly command: string;
  readonly name: string;
  readonly missing: MessageId;
  readonly isSupported: (reply: Reply) => boolean;
}

/** 550 means that there is no such file or, with vsftpd's `cmds_denied`, that the command is denied. */
function knowsTheFile(reply: Reply): boolean {
  return (
    reply.code === 213 ||
    (reply.code === 550 && !/permission|denied|not permitted|disabled/i.test(textOf(reply)))
  );
}

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
  const isSupported = (index: number): boolean => {
    const reply = answers[index];
    return reply !== undefined && (questions[index]?.isSupported(reply) ?? false);
  };
  const supported = questions.filter((_, index) => isSupported(index)).map(({ name }) => name);
  const missing = questions.flatMap(({ missing: id }, index): Finding[] => {
    const reply = answers[index];
    if (reply === undefined || isSupported(index)) return [];
    return [{ id, level: 'note', values: { reply: textOf(reply) }, remedies: [] }];
  });
  return supported.length === 0
    ? missing
    : [fine('features-fine', { commands: supported.join(', ') }), ...missing];
}
