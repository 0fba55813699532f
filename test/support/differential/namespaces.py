"""Sockets in the lab's network namespaces, made by one process, and waiting for them."""
import ctypes
import os
import select
import socket
import time

# Seconds. Where nothing has happened for so long, that is the result.
LIMIT = 5.0
TICK = 0.001

libc = ctypes.CDLL(None, use_errno=True)
home = os.open('/proc/self/ns/net', os.O_RDONLY)


def enter(namespace):
    if libc.setns(namespace, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


def socket_in(namespace, family):
    enter(namespace)
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    finally:
        enter(home)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setblocking(False)
    return made


def listener_in(namespace, family, port):
    made = socket_in(namespace, family)
    made.bind(('', port))
    made.listen(64)
    return made


def until(done, *sockets):
    """Waits for `done`, called whenever one of the sockets may be read and every tick. Returns whether it came."""
    end = time.monotonic() + LIMIT
    while not done():
        if time.monotonic() > end:
            return False
        select.select([each for each in sockets if each.fileno() >= 0], [], [], TICK)
    return True
