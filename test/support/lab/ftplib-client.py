"""
ftplib-client.py MODE HOST PORT USER PASSWORD STEPS [TLS]

FTP operations with Python's ftplib. STEPS and TLS are Step[] and ClientTls as JSON. It picks PASV or EPSV, PORT or EPRT
by the address family; the other pair is reached through its own parse229 and sendeprt.
"""

import ftplib
import json
import os
import ssl
import sys

mode, host, port, user, password, steps, *rest = sys.argv[1:]
tls = json.loads(rest[0]) if rest else None


class Modes:
    def makepasv(self):
        if mode == 'extended-passive':
            return ftplib.parse229(self.sendcmd('EPSV'), self.sock.getpeername())
        return super().makepasv()

    def sendport(self, host, port):
        if mode == 'extended-active':
            return self.sendeprt(host, port)
        return super().sendport(host, port)


class Client(Modes, ftplib.FTP):
    pass


class SecureClient(Modes, ftplib.FTP_TLS):
    def __init__(self):
        context = ssl.create_default_context(cafile=tls['ca'])
        if 'maxVersion' in tls:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        super().__init__(context=context)

    def connect(self, *arguments, **named):
        if tls['kind'] == 'explicit':
            return super().connect(*arguments, **named)
        # It has no implicit TLS: the greeting would be read before a handshake.
        greeted, self.getresp = self.getresp, lambda: ''
        super().connect(*arguments, **named)
        self.getresp = greeted
        self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)
        self.file = self.sock.makefile(mode='r', encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(self, command, rest=None):
        if not (tls.get('reuse') and self._prot_p):
            return super().ntransfercmd(command, rest)
        connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
        # With the session it is what servers ask for that demand a resumed one.
        session = self.sock.session
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size


client = SecureClient() if tls else Client()
client.set_debuglevel(1)
client.connect(host, int(port), timeout=20)
client.login(user, password)
if tls and tls['data'] == 'protected':
    client.prot_p()
elif tls:
    # ProFTPD protects unless told otherwise after implicit TLS, and pyftpdlib wants PBSZ first.
    client.voidcmd('PBSZ 0')
    client.prot_c()
client.set_pasv(mode.endswith('passive'))


def do(operation, remote, local):
    if operation == 'list':
        listing = []
        client.retrlines('LIST', listing.append)
        for line in listing:
            print('listing:', line)
    elif operation in ('download', 'resume-download'):
        start = os.path.getsize(local) if operation == 'resume-download' else None
        with open(local, 'ab' if start else 'wb') as file:
            client.retrbinary('RETR ' + remote, file.write, rest=start)
    elif operation in ('upload', 'resume-upload'):
        start = None
        if operation == 'resume-upload':
            # ProFTPD refuses SIZE in ASCII, the type at first.
            client.voidcmd('TYPE I')
            start = client.size(remote)
        with open(local, 'rb') as file:
            file.seek(start or 0)
            client.storbinary('STOR ' + remote, file, rest=start)


for step in json.loads(steps):
    do(step['operation'], step['remote'], step['local'])
client.quit()
