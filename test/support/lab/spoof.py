"""Sends one UDP datagram to TARGET as if it came from FALSE; LOCAL is an address of this host."""
import socket
import sys

from echo import echo

false, local, target = sys.argv[1:4]
echo(local, target)
IP_TRANSPARENT = 19
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
    datagram.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    datagram.bind((false, 0))
    datagram.sendto(b'false', (target, 9))
echo(local, target)
