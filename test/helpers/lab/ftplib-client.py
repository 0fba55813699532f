"""
ftplib-client.py MODE OPERATION HOST PORT USER PASSWORD [REMOTE LOCAL]

One FTP operation with Python's ftplib. It picks PASV or EPSV, PORT or EPRT by the address family; the other pair is
reached through its own parse229 and sendeprt.
"""

import ftplib
import os
import sys

mode, operation, host, port, user, password, *rest = sys.argv[1:]
remote, local = rest if rest else (None, None)


class Client(ftplib.FTP):
    def makepasv(self):
        if mode == 'extended-passive':
            return ftplib.parse229(self.sendcmd('EPSV'), self.sock.getpeername())
        return super().makepasv()

    def sendport(self, host, port):
        if mode == 'extended-active':
            return self.sendeprt(host, port)
        return super().sendport(host, port)


client = Client()
client.set_debuglevel(1)
client.connect(host, int(port), timeout=20)
client.login(user, password)
client.set_pasv(mode.endswith('passive'))

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
client.quit()
