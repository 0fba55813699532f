"""An echo request whose answer says that all packets sent before it have been taken or dropped.

Only one processor is used from then on: one processor, one queue, and packets stay in order.
"""
import os
import socket
import struct

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(local, target):
    """Raises TimeoutError where no answer comes within 10 s."""
    v6 = ':' in target
    family = socket.AF_INET6 if v6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP) as icmp:
        icmp.bind((local, 0))
        icmp.settimeout(10)
        name = os.getpid() & 0xFFFF
        request = struct.pack('!BBHHH', 128 if v6 else 8, 0, 0, name, 1)
        if not v6:
            request = struct.pack('!BBHHH', 8, 0, checksum(request), name, 1)
        icmp.sendto(request, (target, 0))
        while True:
            reply = icmp.recv(2048)
            body = reply if v6 else reply[(reply[0] & 15) * 4:]
            if body[0] == (129 if v6 else 0) and body[4:6] == struct.pack('!H', name):
                return
