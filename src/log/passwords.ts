type Fields = Record<string, unknown>;

const hidden = '[Redacted]';

/**
 * The fields of a line without what is called `password` in them, or in a field of them. What is logged holds none, as
 * helper/redact sees to it: this is for what a later line may add. pino's own option for that copies every object.
 */
export function withoutPasswords(fields: Fields): Fields {
  for (const key in fields) {
    if (key === 'password' || holdsPassword(fields[key])) return hidePasswords(fields);
  }
  return fields;
}

function hidePasswords(fields: Fields): Fields {
  const shown = Object.entries(fields).map(([key, value]): [string, unknown] => {
    if (key === 'password') return [key, hidden];
    return [key, holdsPassword(value) ? { ...value, password: hidden } : value];
  });
  return Object.fromEntries(shown);
}

function holdsPassword(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'password' in value;
}
