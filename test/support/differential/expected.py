"""Who may connect to where: what a gateway expects, as `[peer, address, port]` each. Run in its namespace."""
import ctypes
import re
import socket
import subprocess


def of_helper(family):
    listed = subprocess.run(
        ['conntrack', '-L', 'expect', '-f', f'ipv{family}'], capture_output=True, check=True, text=True
    )
    # 299 proto=6 src=198.51.100.10 dst=198.51.100.1 sport=0 dport=30000 mask-src=... helper=ftp
    return [list(found) for found in re.findall(r'src=(\S+) dst=(\S+) sport=0 dport=(\d+) mask', listed.stdout)]


def forget_of_helper():
    subprocess.run(['conntrack', '-F', 'expect'], capture_output=True, check=True)


class KernelPlane:
    """Reads the table's set by nftables' library: a program for each look would take most of the time."""

    def __init__(self, family):
        self.command = f'list set inet pinhole expect{family}'.encode()
        self.library = ctypes.CDLL('libnftables.so.1')
        self.library.nft_ctx_new.restype = ctypes.c_void_p
        self.library.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
        self.context = ctypes.c_void_p(self.library.nft_ctx_new(0))
        self.library.nft_ctx_buffer_output(self.context)

    def expected(self):
        if self.library.nft_run_cmd_from_buffer(self.context, self.command) != 0:
            raise RuntimeError('the table is not there')
        text = self.library.nft_ctx_get_output_buffer(self.context).decode()
        # 198.51.100.10 . 198.51.100.1 . 30000 timeout 5m expires 4m59s990ms
        return [list(found) for found in re.findall(r'([0-9a-f.:]+) \. ([0-9a-f.:]+) \. (\d+) timeout', text)]


def of_relay_plane(family, peers):
    """`peers`: an address of the gateway -> who connects to it. The relay listens for each that it expects."""
    with open('/proc/self/net/tcp6' if family == 6 else '/proc/self/net/tcp') as table:
        rows = [line.split() for line in table][1:]
    # 1: 016433C6:4E20 00000000:0000 0A ...: 198.51.100.1:20000 listens
    listening = [row[1].split(':') for row in rows if row[3] == '0A']
    endpoints = [(address_of(address), str(int(port, 16))) for address, port in listening]
    return [[peers[address], address, port] for address, port in endpoints if address in peers and port != '21']


def address_of(text):
    words = [bytes.fromhex(text[at:at + 8])[::-1] for at in range(0, len(text), 8)]
    return socket.inet_ntop(socket.AF_INET6 if len(words) == 4 else socket.AF_INET, b''.join(words))
