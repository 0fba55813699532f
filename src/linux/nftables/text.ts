import type { Fields, Statement } from './statement.ts';

/**
 * Statements in nft's language, a line an element:
 *
 *     add element inet pinhole to4 { 198.51.100.10 . 198.51.100.1 . 50000 timeout 310000ms : 10.77.0.2 . 30000 }
 *     delete element inet pinhole to4 { 198.51.100.10 . 198.51.100.1 . 50000 }
 */
export function toText(statements: readonly Statement[]): string {
  return statements.map(textOfStatement).join('');
}

/** `198.51.100.1 . 50000` */
export function textOfFields(fields: Fields): string {
  return fields.join(' . ');
}

function textOfStatement(statement: Statement): string {
  switch (statement.kind) {
    case 'add-element': {
      const { table, set, key, timeout, value, isNew } = statement;
      const leadsTo = value === undefined ? '' : ` : ${textOfFields(value)}`;
      return `${isNew === true ? 'create' : 'add'} element inet ${table} ${set} { ${textOfFields(key)} timeout ${timeout}ms${leadsTo} }\n`;
    }
    case 'delete-element': {
      const { table, set, key } = statement;
      return `delete element inet ${table} ${set} { ${textOfFields(key)} }\n`;
    }
    case 'table':
      return statement.text;
  }
}
