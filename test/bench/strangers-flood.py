"""
Attackers without end, until it is killed: connections that send a line as fast as it is taken and throw away what comes.
Who is sent away comes again. Prints `flooding` when all have begun.

    strangers-flood.py HOST PORT COUNT LINE [USER PASSWORD]

LINE is JSON; with an empty one they only read.
"""
import json
import selectors
import socket
import sys

host, port, count, line, *login = sys.argv[1:]
line = json.loads(line).encode('latin-1')
block = line * (65_536 // len(line)) if line else b''
selector = selectors.DefaultSelector()


def connect():
    connection = socket.create_connection((host, int(port)), 20)
    connection.recv(1000)
    for word, argument in zip(('USER', 'PASS'), login):
        connection.sendall(f'{word} {argument}\r\n'.encode())
        connection.recv(1000)
    connection.setblocking(False)
    wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if block else 0)
    selector.register(connection, wanted)


def again(connection):
    selector.unregister(connection)
    connection.close()
    try:
        connect()
    except OSError:
        pass


for _ in range(int(count)):
    connect()
print('flooding', flush=True)
while True:
    for key, events in selector.select():
        try:
            if events & selectors.EVENT_READ and key.fileobj.recv(262_144) == b'':
                again(key.fileobj)
            elif events & selectors.EVENT_WRITE:
                key.fileobj.send(block)
        except BlockingIOError:
            pass
        except OSError:
            again(key.fileobj)
