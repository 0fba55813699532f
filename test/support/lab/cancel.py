"""
cancel.py HOST PORT USER PASSWORD FILE AFTER FORM

Downloads FILE, cancels it by the Telnet Synch and ABOR when AFTER bytes have come, and reads on until the end. Prints the
codes behind the 150, and how many bytes came after the cancel. FORM: iac-urgent, dm-urgent, dm-alone.
"""
import re
import socket
import sys

host, port, user, password, path, after, form = sys.argv[1:]
control = socket.create_connection((host, int(port)), timeout=30)
pending = b""


def reply():
    global pending
    while True:
        while b"\n" not in pending:
            pending += control.recv(4096)
        line, pending = pending.split(b"\n", 1)
        if line[3:4] != b"-":
            return line.decode("latin-1")


def command(text):
    control.sendall(text.encode() + b"\r\n")
    return reply()


reply()
command("USER " + user)
command("PASS " + password)
command("TYPE I")
numbers = [int(n) for n in re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", command("PASV")).groups()]
data = socket.create_connection((host, numbers[4] * 256 + numbers[5]), timeout=30)
command("RETR " + path)
count = 0
while count < int(after):
    count += len(data.recv(65536))
if form == "iac-urgent":
    control.send(b"\xff\xf4\xff", socket.MSG_OOB)
    control.sendall(b"\xf2ABOR\r\n")
elif form == "dm-urgent":
    control.sendall(b"\xff\xf4")
    control.send(b"\xff\xf2", socket.MSG_OOB)
    control.sendall(b"ABOR\r\n")
else:
    control.sendall(b"\xff\xf4\xff")
    control.send(b"\xf2", socket.MSG_OOB)
    control.sendall(b"ABOR\r\n")
came = 0
try:
    while chunk := data.recv(65536):
        came += len(chunk)
except ConnectionResetError:
    pass
data.close()
print(reply()[:3], reply()[:3], came)
