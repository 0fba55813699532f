"""
cut-upload.py HOST PORT USER PASSWORD CA SIZE TIMES [VERSION]

Uploads over TLS by a client that never says close_notify: its end is FIN alone. Prints for each upload the code of the
final reply. The files are cut-0, cut-1 ..., of SIZE bytes.
"""
import ftplib
import socket
import ssl
import sys

host, port, user, password, authority, size, times, *version = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
if version == ["1.2"]:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


class Client(ftplib.FTP_TLS):
    def ntransfercmd(self, command, rest=None):
        connection, length = ftplib.FTP.ntransfercmd(self, command, rest)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session), length


client = Client(context=context)
client.connect(host, int(port), timeout=30)
client.login(user, password)
client.prot_p()
client.voidcmd("TYPE I")
content = (b"0123456789abcdef" * (int(size) // 16 + 1))[: int(size)]
for n in range(int(times)):
    data = client.transfercmd("STOR cut-%d" % n)
    data.sendall(content)
    # Of the TCP connection alone: TLS is told nothing.
    socket.socket.shutdown(data, socket.SHUT_WR)
    try:
        print(client.voidresp()[:3])
    except ftplib.Error as error:
        print(str(error)[:3])
    data.close()
client.quit()
