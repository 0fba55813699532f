"""
pyftpdlib-server.py ADDRESS PORT ROOT USER PASSWORD FIRST-PASSIVE-PORT LAST-PASSIVE-PORT [CERT KEY REQUIRES]

With a certificate it knows AUTH TLS; REQUIRES is what may not pass in the clear: nothing, login or everything.
"""

import sys

import pyftpdlib
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

address, port, root, user, password, first, last, *tls = sys.argv[1:]

authorizer = DummyAuthorizer()
authorizer.add_user(user, password, root, perm='elradfmwMT')

if tls:
    # Missing without pyOpenSSL.
    from pyftpdlib.handlers import TLS_FTPHandler as handler

    handler.certfile, handler.keyfile, requires = tls
    handler.tls_control_required = requires != 'nothing'
    handler.tls_data_required = requires == 'everything'
else:
    handler = FTPHandler
handler.authorizer = authorizer
handler.passive_ports = range(int(first), int(last) + 1)
handler.banner = 'pyftpdlib ready.'

FTPServer((address, int(port)), handler).serve_forever()
