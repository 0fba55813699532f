#!/usr/bin/env python3
"""A session that outlasts restarts: lasting-session.py PORT FILE. Downloads slowly, waits until FILE.go is there, downloads
again, and quits. FILE gets `begun` while the first download is under way, and at the end `whole` or what went wrong."""
import ftplib, os, sys, time

port, file = int(sys.argv[1]), sys.argv[2]


def say(words):
    with open(file + ".new", "w") as out:
        out.write(words + "\n")
    os.rename(file + ".new", file)


try:
    ftp = ftplib.FTP()
    ftp.connect("127.0.0.1", port, timeout=20)
    ftp.login()
    size = 1 << 20
    data = ftp.transfercmd("RETR pub/zeros.bin")
    got = len(data.recv(65536))
    say("begun")
    while not os.path.exists(file + ".go"):
        time.sleep(0.1)
    while chunk := data.recv(1 << 20):
        got += len(chunk)
    data.close()
    ftp.voidresp()
    again = []
    ftp.retrbinary("RETR welcome.txt", again.append)
    ftp.quit()
    say("whole" if got == size and again else f"{got} of {size} bytes")
except Exception as error:
    say(repr(error))
