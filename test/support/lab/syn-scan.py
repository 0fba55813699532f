"""Sends a SYN to every TCP port of an address, and prints the ports that answered, as ranges: 21,50000-50999.

What an echo request behind the last SYN finds answered, all before it have been answered or dropped.
"""
import socket
import struct
import sys

from echo import checksum, echo

target, local = sys.argv[1:3]
v6 = ':' in target
family = socket.AF_INET6 if v6 else socket.AF_INET
source_port = 61000

tcp = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
tcp.bind((local, 0))
SO_RCVBUFFORCE = 33
tcp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 * 1024 * 1024)

addresses = socket.inet_pton(family, local) + socket.inet_pton(family, target)
pseudo = addresses + (struct.pack('!I3xB', 20, 6) if v6 else struct.pack('!BBH', 0, 6, 20))


segment = bytearray(struct.pack('!HHIIBBHHH', source_port, 0, 1, 0, 5 << 4, 2, 64240, 0, 0))
# Of the one's complement sum (RFC 1071) the port alone differs from SYN to SYN.
sum_without_port = ~checksum(pseudo + bytes(segment)) & 0xffff


def send_syn(port):
    total = sum_without_port + port
    struct.pack_into('!H', segment, 2, port)
    struct.pack_into('!H', segment, 16, ~(total + (total >> 16)) & 0xffff)
    tcp.sendto(segment, (target, 0))


# Neighbours are known before it begins: what waits for them is a short queue.
echo(local, target)
answered = set()


def collect():
    tcp.setblocking(False)
    while True:
        try:
            packet = tcp.recv(2048)
        except BlockingIOError:
            break
        segment = packet if v6 else packet[(packet[0] & 15) * 4:]
        if struct.unpack('!H', segment[2:4])[0] == source_port:
            answered.add(struct.unpack('!H', segment[:2])[0])
    tcp.setblocking(True)


for port in range(1, 65536):
    send_syn(port)
    if port % 256 == 0:
        collect()
echo(local, target)
collect()

ranges = []
for port in sorted(answered):
    if ranges and ranges[-1][1] == port - 1:
        ranges[-1][1] = port
    else:
        ranges.append([port, port])
print(','.join(str(a) if a == b else f'{a}-{b}' for a, b in ranges))
