"""A server that greets, and then says replies that nobody asked for as fast as they are taken: strangers-server.py PORT"""
import selectors
import socket
import sys

block = b'200 More of it.\r\n' * 4000
selector = selectors.DefaultSelector()
listener = socket.create_server(('', int(sys.argv[1])), backlog=128)
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            connection, _ = listener.accept()
            connection.sendall(b'220 Ready\r\n')
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_WRITE)
            continue
        try:
            key.fileobj.send(block)
        except BlockingIOError:
            pass
        except OSError:
            selector.unregister(key.fileobj)
            key.fileobj.close()
