"""Connects through a gateway, and sees where that comes out."""
import errno
import socket
import struct

from namespaces import LIMIT, listener_in, socket_in, until

SO_ORIGINAL_DST = 80


class Catcher:
    """Listens on both sides for whatever the rules there lead to one port."""

    def __init__(self, namespaces, family, port):
        self.family = family
        self.listeners = [listener_in(namespaces[host], family, port) for host in ('server', 'client')]

    def accept(self):
        """The next connection, where it was going, and where it seems to come from."""
        for listener in self.listeners:
            try:
                connection, peer = listener.accept()
            except BlockingIOError:
                continue
            return connection, self.destination(connection), endpoint(peer[0], peer[1])
        return None

    def destination(self, connection):
        if self.family == socket.AF_INET6:
            raw = connection.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
            return endpoint(socket.inet_ntop(self.family, raw[8:24]), int.from_bytes(raw[2:4], 'big'))
        raw = connection.getsockopt(socket.IPPROTO_IP, SO_ORIGINAL_DST, 16)
        return endpoint(socket.inet_ntop(self.family, raw[4:8]), int.from_bytes(raw[2:4], 'big'))


class Dial:
    """A connection from one of the hosts: `leads` says where it came out, or `refused`."""

    def __init__(self, catcher, namespace, address, port, source_port=0):
        self.catcher = catcher
        self.connection = socket_in(namespace, catcher.family)
        self.connection.bind(('', source_port))
        self.accepted = None
        self.leads = None
        self.source = None
        self.failed = self.connection.connect_ex((address, port)) not in (0, errno.EINPROGRESS)
        if not until(self.look, self.connection, *catcher.listeners):
            self.leads = f'no answer within {LIMIT} s'

    def look(self):
        accepted = self.catcher.accept()
        if accepted is not None:
            self.accepted, self.leads, self.source = accepted
        elif self.failed or self.is_refused():
            self.leads = 'refused'
        return self.leads is not None

    def is_refused(self):
        try:
            return self.connection.recv(1) == b''
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self):
        for connection in (self.accepted, self.connection):
            if connection is not None:
                abort(connection)


def abort(connection):
    """Closes with a reset, so that nothing of it lingers."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


def endpoint(address, port):
    return f'[{address}]:{port}' if ':' in address else f'{address}:{port}'
