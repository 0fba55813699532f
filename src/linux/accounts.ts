import { readFileSync } from 'node:fs';

/** The number of a group by /etc/group (group(5)); undefined: there is no such group. */
export function groupId(group: string): number | undefined {
  const fields = fieldsOf('/etc/group', group);
  return fields === undefined ? undefined : Number(fields[2]);
}

/** The numbers of a user and of its own group by /etc/passwd (passwd(5)); undefined: there is no such user. */
export function accountOf(user: string): { readonly uid: number; readonly gid: number } | undefined {
  const fields = fieldsOf('/etc/passwd', user);
  return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]) };
}

function fieldsOf(file: string, name: string): readonly string[] | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.split(':')).find(([first]) => first === name);
  } catch {
    return undefined;
  }
}
