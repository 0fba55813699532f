"""Sends echo requests, and prints the answers in the order in which they came, as JSON: [[NUMBER, MS], ...].

    ping.py ADDRESS COUNT INTERVAL [SIZE]

INTERVAL is the ms from request to request, SIZE the bytes of an echo message, which is never fragmented on its way.
Ends with the last answer, or 1 s after the last request.
"""
import json
import select
import socket
import struct
import sys
import time

from echo import checksum

target, count, interval = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000
size = int(sys.argv[4]) if len(sys.argv) > 4 else 64
v6 = ':' in target
family = socket.AF_INET6 if v6 else socket.AF_INET
ask, answer = (128, 129) if v6 else (8, 0)
SO_RCVBUFFORCE = 33
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2

icmp = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
icmp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024)
if v6:
    icmp.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DO)
else:
    icmp.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
icmp.connect((target, 0))
icmp.setblocking(False)
name = time.monotonic_ns() & 0xFFFF
sent = []
answers = []


def send(number):
    # Of ICMPv6 the kernel makes the checksum. The zeros behind the header add nothing to it.
    total = 0 if v6 else checksum(struct.pack('!BBHHH', ask, 0, 0, name, number))
    sent.append(time.monotonic())
    icmp.send(struct.pack('!BBHHH', ask, 0, total, name, number) + bytes(size - 8))


def collect(until):
    while len(answers) < count:
        readable = select.select([icmp], [], [], max(0, until - time.monotonic()))[0]
        if not readable:
            return
        packet = icmp.recv(2048)
        arrived = time.monotonic()
        message = packet if v6 else packet[(packet[0] & 15) * 4:]
        kind, _, _, whose, number = struct.unpack('!BBHHH', message[:8])
        if kind == answer and whose == name:
            answers.append([number, round((arrived - sent[number]) * 1000, 3)])


start = time.monotonic()
for number in range(count):
    collect(start + number * interval)
    send(number)
collect(time.monotonic() + 1)
print(json.dumps(answers))
