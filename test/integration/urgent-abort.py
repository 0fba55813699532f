"""Aborts a download by the Telnet synch of RFC 959 section 4.1.3, and prints the codes of what follows the 150.

    urgent-abort.py HOST USER PASSWORD FILE iac-urgent|dm-urgent|in-line
"""
import re
import socket
import sys

host, user, password, path, form = sys.argv[1:]
control = socket.create_connection((host, 21), timeout=10)
lines = control.makefile("rb")


def reply():
    """The code of the next whole reply, and its last line."""
    line = lines.readline().decode("latin-1")
    if line[3:4] == "-":
        end = line[:3] + " "
        while not line.startswith(end):
            line = lines.readline().decode("latin-1")
    return line[:3], line


def command(text):
    control.sendall(text.encode() + b"\r\n")
    return reply()


reply()
command("USER " + user)
command("PASS " + password)
command("TYPE I")
numbers = [int(n) for n in re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", command("PASV")[1]).groups()]
data = socket.create_connection((host, numbers[4] * 256 + numbers[5]), timeout=10)
command("RETR " + path)
# Nothing is read: the transfer can't come to its end by itself.
if form == "iac-urgent":
    control.send(b"\xff\xf4\xff", socket.MSG_OOB)
    control.sendall(b"\xf2ABOR\r\n")
elif form == "dm-urgent":
    control.sendall(b"\xff\xf4")
    control.send(b"\xff\xf2", socket.MSG_OOB)
    control.sendall(b"ABOR\r\n")
else:
    control.sendall(b"\xff\xf4\xff\xf2ABOR\r\n")
# vsftpd looks at its control channel when the data channel moves.
data.close()
print(reply()[0], reply()[0])
