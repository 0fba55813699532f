import { bytesOfAddress, parseAddress } from '../net/address.ts';
import { MessageWriter, readErrno, readHeader, shortBytes, wordBytes } from './netlink-attributes.ts';

/**
 * Statements that only add and delete elements of sets and maps, as netlink messages (linux/netfilter/nf_tables.h);
 * undefined for any other. An opened pinhole is no more than such; libnftables would read the text and ask the kernel
 * for all tables and sets first, which takes several times as long as the transaction.
 *
 *     add element inet pinhole to4 { 198.51.100.10 . 198.51.100.1 . 50000 timeout 310000ms : 10.77.0.2 . 30000 }
 *     delete element inet pinhole to4 { 198.51.100.10 . 198.51.100.1 . 50000 }
 */
export function elementBatch(statements: string): Uint8Array | undefined {
  const writer = new MessageWriter();
  writer.message({ type: type.begin, flags: flag.request, family: 0, resource: nfTables });
  for (const line of statements.split('\n')) {
    if (line !== '' && !writeStatement(writer, line)) return undefined;
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
const flag = { request: 1, create: 0x400 } as const;
const inet = 1;
const inList = { table: 1, set: 2, elements: 3 } as const;
const inElements = { element: 1 } as const;
const inElement = { key: 1, data: 2, timeout: 4 } as const;
const inData = { value: 1 } as const;

const pattern =
  /^(add|delete) element inet (\w+) (\w+) \{ ([^ ]+(?: \. [^ ]+)+)(?: timeout (\d+)ms)?(?: : ([^}]+))? \}$/;

function writeStatement(writer: MessageWriter, line: string): boolean {
  const [, verb, table = '', set = '', key = '', timeout, value] = pattern.exec(line) ?? [];
  const keyBytes = concatenated(key);
  const valueBytes = value === undefined ? [] : concatenated(value);
  if (verb === undefined || !keyBytes || !valueBytes) return false;
  const adds = verb === 'add';
  const kind = adds ? type.newElements : type.deleteElements;
  const flags = adds ? flag.request | flag.create : flag.request;
  writer.message({ type: kind, flags, family: inet }, () => {
    writer.attribute(inList.table, textBytes(table));
    writer.attribute(inList.set, textBytes(set));
    writer.nest(inList.elements, () => {
      writer.nest(inElements.element, () => {
        writer.nest(inElement.key, () => {
          writer.attribute(inData.value, keyBytes);
        });
        if (timeout !== undefined) {
          const ms = Number(timeout);
          writer.attribute(inElement.timeout, [
            ...wordBytes(Math.floor(ms / 2 ** 32)),
            ...wordBytes(ms % 2 ** 32),
          ]);
        }
        if (valueBytes.length > 0) {
          writer.nest(inElement.data, () => {
            writer.attribute(inData.value, valueBytes);
          });
        }
      });
    });
  });
  return true;
}

/** Addresses and ports, each padded to a multiple of 4 bytes; undefined where there is something else. */
function concatenated(text: string): number[] | undefined {
  const bytes: number[] = [];
  for (const part of text.split(' . ')) {
    if (/^\d{1,5}$/.test(part)) {
      bytes.push(...shortBytes(Number(part)), 0, 0);
      continue;
    }
    const address = /^\d+\.\d+\.\d+\.\d+$/.test(part) ? part.split('.').map(Number) : bytesOf6(part);
    if (!address) return undefined;
    bytes.push(...address);
  }
  return bytes;
}

function bytesOf6(text: string): Uint8Array | undefined {
  const address = parseAddress(text);
  return address && bytesOfAddress(address);
}

/** With the NUL behind it. */
function textBytes(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'latin1');
}

/** Whether the kernel's answer says that the batch has failed; it says nothing where all is well. */
export function isFailure(datagram: Uint8Array): boolean {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const header = readHeader(view, 0);
  return header?.type === type.error && readErrno(view, 0) !== 0;
}
