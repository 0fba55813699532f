import { attributesAt } from '../netlink/attributes.ts';
import type { FilterStep } from '../netlink/socket.ts';
import { attribute, flag, inProtocolState, inTcp, states, type } from './protocol.ts';

/** Events without information that the events before and after them lack. */
const uninteresting = ['SYN_RECV', 'CLOSE_WAIT', 'LAST_ACK'] as const;

/**
 * Lets pass the events that matter of connections that bear the mark, so that no other connection of the host wakes
 * this process, and its own no more often than needed.
 */
export function onlyMarked(mark: number): FilterStep[] {
  return assemble([
    ...find(attribute.mark, 'drop'),
    [bpf.loadWord, inAttribute],
    [bpf.isEqual, mark, undefined, 'drop'],
    // What begins and what is gone passes, whatever its state.
    [bpf.loadHalfAt, typeAt],
    [bpf.isEqual, swapped(type.new), undefined, 'pass'],
    [bpf.loadHalfAt, flagsAt],
    [bpf.hasBits, swapped(flag.create), 'pass'],
    ...find(attribute.protocolState, 'pass'),
    ...findNested(inProtocolState.tcp, 'pass'),
    ...findNested(inTcp.state, 'pass'),
    [bpf.loadByte, inAttribute],
    ...uninteresting.map((state): Step => [bpf.isEqual, states.indexOf(state), 'drop']),
  ]);
}

type Verdict = 'pass' | 'drop';
/** Otherwise the next instruction follows. */
type Step = readonly [code: number, value: number, ifTrue?: Verdict | undefined, ifFalse?: Verdict];

/** Of the classic packet filter (linux/bpf_common.h); it has an accumulator A and an index X. */
const bpf = {
  set: 0x00,
  setIndex: 0x01,
  move: 0x07,
  call: 0x20,
  loadHalfAt: 0x28,
  loadWord: 0x40,
  loadByte: 0x50,
  isEqual: 0x15,
  hasBits: 0x45,
  end: 0x06,
} as const;
/** Calls: A becomes where the attribute X is, from A on or in the attribute at A; 0 where there is none. */
const findAttribute = 0xffff_f000 + 12;
const findNestedAttribute = 0xffff_f000 + 16;
/** In a message: where the header has these, and in an attribute its value. */
const typeAt = 4;
const flagsAt = 6;
const inAttribute = 4;
const all = 0xffff_ffff;

/** A and X become where the attribute is. */
function find(which: number, ifNone: Verdict): Step[] {
  return [
    [bpf.set, attributesAt],
    [bpf.setIndex, which],
    [bpf.call, findAttribute],
    [bpf.isEqual, 0, ifNone],
    [bpf.move, 0],
  ];
}

/** As `find`, in the attribute at A. */
function findNested(which: number, ifNone: Verdict): Step[] {
  return [
    [bpf.setIndex, which],
    [bpf.call, findNestedAttribute],
    [bpf.isEqual, 0, ifNone],
    [bpf.move, 0],
  ];
}

function assemble(steps: readonly Step[]): FilterStep[] {
  const ends = { pass: steps.length, drop: steps.length + 1 } as const;
  const distance = (verdict: Verdict | undefined, index: number): number =>
    verdict === undefined ? 0 : ends[verdict] - index - 1;
  return [
    ...steps.map(([code, value, ifTrue, ifFalse], index): FilterStep => [
      code,
      distance(ifTrue, index),
      distance(ifFalse, index),
      value,
    ]),
    [bpf.end, 0, 0, all],
    [bpf.end, 0, 0, 0],
  ];
}

/** A half word of the host's order as the filter reads it, which takes all for the network's. */
function swapped(half: number): number {
  return new DataView(Uint16Array.of(half).buffer).getUint16(0);
}
