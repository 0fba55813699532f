"""A path between two network namespaces that can be made slow, lossy, disordered, narrow or dead while it is in use.

    path.py NAMESPACE DEVICE NAMESPACE DEVICE

Makes a TAP device in each namespace and forwards Ethernet frames between the two. Prints `ready`, then reads settings,
one JSON object a line, and answers the Nth with `set N`. An object replaces the one before it, and what it leaves out is
perfect:

    delay    ms of a round trip; each direction has half
    jitter   ms that a round trip takes longer at most, at random; order stays
    loss     the probability that a frame is lost
    reorder  the probability that a frame is held back for 5 ms, while those behind it overtake
    rate     bytes a second in each direction; 200 ms worth of frames queue, or 256 KiB if that is more; the rest is lost
    down     whether no IP packet arrives
    seed     of the random numbers; 1

ARP and IPv6's neighbour and multicast discovery always pass at once. The program ends when its standard input does.
"""
import collections
import ctypes
import errno
import fcntl
import json
import os
import random
import select
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
PR_SET_TIMERSLACK = 29
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SIOCSIFTXQLEN = 0x8943

# More than the frames of a TCP window of 8 MiB.
TX_QUEUE_LENGTH = 10_000
# Of an MTU of 1500, with the Ethernet header and a VLAN's tag.
LONGEST_FRAME = 1518
# Frames read in one go: long enough to save system calls, short enough to delay none that is due (0.2 ms).
BATCH = 64
HELD_BACK = 0.005
# With so many frames under way it rests, in seconds, and then moves several: to wake for each costs more than to move it.
MANY, REST = 32, 0.0002

libc = ctypes.CDLL(None, use_errno=True)
monotonic = time.monotonic


def enter(path):
    with open(path) as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f'setns {path}')


def make_tap(namespace, device):
    """The descriptor that frames of the device are read from and written to."""
    home = os.open('/proc/self/ns/net', os.O_RDONLY)
    enter(f'/run/netns/{namespace}')
    try:
        tap = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH22x', device.encode(), IFF_TAP | IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFTXQLEN, struct.pack('16si20x', device.encode(), TX_QUEUE_LENGTH))
        return tap
    finally:
        enter(f'/proc/self/fd/{home}')
        os.close(home)


def deliver(tap, frame):
    try:
        os.write(tap, frame)
    except OSError as error:
        # A device that is not up yet, or a host without memory: the frame is lost, as on any link.
        if error.errno not in (errno.EIO, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM):
            raise


def finds_neighbours(frame):
    """Whether it is ARP, neighbour discovery, or multicast listener discovery, which alone has hop-by-hop options."""
    kind = frame[12] << 8 | frame[13]
    if kind != 0x86DD:
        return kind != 0x0800
    return frame[20] == 0 or (frame[20] == 58 and 133 <= frame[54] <= 137)


class Direction:
    """Frames from one device to the other: those in order, and those held back, each by the time that it is due."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.ordered = collections.deque()
        self.held = collections.deque()
        # When the last frame has left at the rate, and when the last in order is due.
        self.sent = self.due = 0.0
        self.set({}, 1)

    def set(self, settings, seed):
        self.random = random.Random(seed).random
        self.delay = settings.get('delay', 0) / 2000
        self.jitter = settings.get('jitter', 0) / 2000
        self.loss = settings.get('loss', 0)
        self.reorder = settings.get('reorder', 0)
        self.rate = settings.get('rate', 0)
        self.longest_wait = max(0.2, 262_144 / self.rate) if self.rate else 0
        self.down = settings.get('down', False)
        self.perfect = not any((self.delay, self.jitter, self.loss, self.reorder, self.rate, self.down))
        if self.down:
            self.ordered.clear()
            self.held.clear()
            self.sent = self.due = 0.0

    def take(self):
        """Takes what the source has sent, up to a batch."""
        read, source, sink = os.read, self.source, self.sink
        # Frames from before the settings changed come first.
        straight = self.perfect and not self.ordered
        try:
            for _ in range(BATCH):
                frame = read(source, LONGEST_FRAME)
                if straight or finds_neighbours(frame):
                    deliver(sink, frame)
                elif not self.down:
                    self.queue(frame)
        except BlockingIOError:
            pass

    def queue(self, frame):
        leaves = monotonic()
        if self.rate:
            if self.sent > leaves:
                if self.sent - leaves > self.longest_wait:
                    return
                leaves = self.sent
            leaves = self.sent = leaves + len(frame) / self.rate
        if self.loss and self.random() < self.loss:
            return
        due = leaves + self.delay
        if self.jitter:
            due += self.random() * self.jitter
        if due < self.due:
            due = self.due
        self.due = due
        if self.reorder and self.random() < self.reorder:
            self.held.append((due + HELD_BACK, frame))
        else:
            self.ordered.append((due, frame))

    def release(self):
        """Delivers what is due, and says when the next will be; infinity where nothing waits."""
        soonest = float('inf')
        for waiting in (self.ordered, self.held):
            while waiting:
                due = waiting[0][0]
                if due > monotonic():
                    soonest = min(soonest, due)
                    break
                deliver(self.sink, waiting.popleft()[1])
        return soonest


def main(names):
    ends = [make_tap(*names[:2]), make_tap(*names[2:])]
    # The standard 50 µs by which a timer may be late are more than a frame takes.
    libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        # A cable waits for no processor.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass
    os.set_blocking(0, False)
    directions = [Direction(*ends), Direction(*reversed(ends))]
    print('ready', flush=True)

    text = b''
    count = 0
    next_due = float('inf')
    while True:
        if any(len(direction.ordered) > MANY for direction in directions):
            time.sleep(REST)
        wait = None if next_due == float('inf') else max(0, next_due - monotonic())
        readable = select.select([0, *ends], [], [], wait)[0]
        if 0 in readable:
            more = os.read(0, 65536)
            if more == b'':
                return
            *lines, text = (text + more).split(b'\n')
            for line in lines:
                settings = json.loads(line)
                for number, direction in enumerate(directions):
                    direction.set(settings, 2 * settings.get('seed', 1) + number)
                count += 1
                print('set', count, flush=True)
        for direction in directions:
            if direction.source in readable:
                direction.take()
        next_due = min(direction.release() for direction in directions)


main(sys.argv[1:])
