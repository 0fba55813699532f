"""Prints what gets to port 546 of this host (`receive`), or sends DATA from PORT to port 546 of TARGET."""
import socket
import sys

with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagram:
    if sys.argv[1] == 'receive':
        datagram.bind(('::', 546))
        print('ready', flush=True)
        print(datagram.recv(100).decode(), flush=True)
    else:
        data, port, target = sys.argv[1:4]
        datagram.bind(('::', int(port)))
        datagram.sendto(data.encode(), socket.getaddrinfo(target, 546, socket.AF_INET6)[0][4])
