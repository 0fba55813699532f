import { bytesOfAddress } from '../../net/address.ts';
import { MessageWriter, readErrno, readHeader } from '../netlink/attributes.ts';
import type { AddElement, DeleteElement, Fields, Statement } from './statement.ts';

/**
 * Statements that only add and delete elements of sets and maps, as netlink messages (linux/netfilter/nf_tables.h);
 * undefined where one is of a whole table. An opened pinhole is no more than elements; libnftables would read the text
 * and ask the kernel for all tables and sets first, which takes several times as long as the transaction.
 */
export function toMessages(statements: readonly Statement[]): Uint8Array | undefined {
  const writer = new MessageWriter();
  writer.message({ type: type.begin, flags: flag.request, family: 0, resource: nfTables });
  for (const statement of statements) {
    if (statement.kind === 'table') return undefined;
    writeElement(writer, statement);
  }
  return writer.message({ type: type.end, flags: flag.request, family: 0, resource: nfTables }).bytes();
}

/** nf_tables' number among netfilter's subsystems. */
const nfTables = 10;
const type = {
  error: 2,
  begin: 0x10,
  end: 0x11,
  newElements: (nfTables << 8) | 12,
  deleteElements: (nfTables << 8) | 14,
} as const;
const flag = { request: 1, exclusive: 0x200, create: 0x400 } as const;
const inet = 1;
const inList = { table: 1, set: 2, elements: 3 } as const;
const inElements = { element: 1 } as const;
const inElement = { key: 1, data: 2, timeout: 4 } as const;
const inData = { value: 1 } as const;

function writeElement(writer: MessageWriter, statement: AddElement | DeleteElement): void {
  const adds = statement.kind === 'add-element';
  const kind = adds ? type.newElements : type.deleteElements;
  const flags = flag.request | (adds ? flag.create | (statement.isNew === true ? flag.exclusive : 0) : 0);
  writer.message({ type: kind, flags, family: inet }, () => {
    writer.text(inList.table, statement.table);
    writer.text(inList.set, statement.set);
    writer.nest(inList.elements, () => {
      writer.nest(inElements.element, () => {
        writer.nest(inElement.key, () => {
          writer.attribute(inData.value, bytesOfFields(statement.key));
        });
        if (adds) writeAddition(writer, statement);
      });
    });
  });
}

function writeAddition(writer: MessageWriter, { timeout, value }: AddElement): void {
  writer.long(inElement.timeout, timeout);
  if (value === undefined) return;
  writer.nest(inElement.data, () => {
    writer.attribute(inData.value, bytesOfFields(value));
  });
}

/** Addresses and ports, each padded to a multiple of 4 bytes. */
function bytesOfFields(fields: Fields): number[] {
  const bytes: number[] = [];
  for (const field of fields) {
    if (typeof field === 'number') bytes.push(field >>> 8, field & 0xff, 0, 0);
    else for (const byte of bytesOfAddress(field)) bytes.push(byte);
  }
  return bytes;
}

/** Whether the kernel reports a failure of the batch; on success it sends nothing. */
export function isFailure(datagram: Uint8Array): boolean {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const header = readHeader(view, 0);
  return header?.type === type.error && readErrno(view, 0) !== 0;
}
