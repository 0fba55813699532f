"""
ftps-sessions.py HOST PORT USER PASSWORD CA

Prints how many sessions a second 4 threads come to that connect, say AUTH TLS, log in, say PROT P and quit.
"""

import ftplib
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

host, port, user, password, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
each = 30
threads = 4


def many(_):
    for _ in range(each):
        ftp = ftplib.FTP_TLS(context=context, timeout=20)
        ftp.connect(host, int(port))
        ftp.login(user, password)
        ftp.prot_p()
        ftp.quit()


start = time.monotonic()
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(many, range(threads)))
print(each * threads / (time.monotonic() - start))
