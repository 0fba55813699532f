"""pyftpdlib-server.py ADDRESS PORT ROOT USER PASSWORD FIRST-PASSIVE-PORT LAST-PASSIVE-PORT"""

import sys

import pyftpdlib
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

address, port, root, user, password, first, last = sys.argv[1:]

authorizer = DummyAuthorizer()
authorizer.add_user(user, password, root, perm='elradfmwMT')

handler = FTPHandler
handler.authorizer = authorizer
handler.passive_ports = range(int(first), int(last) + 1)
handler.banner = 'pyftpdlib ready.'

FTPServer((address, int(port)), handler).serve_forever()
