"""TCP sockets of this process, which granian has opened and tells nobody of."""

import ctypes
import fcntl
import os
import socket
import stat
import struct
import termios
from collections.abc import Collection, Iterator
from contextlib import suppress

DESCRIPTORS = "/dev/fd"
_DROP_UNSENT = struct.pack("ii", 1, 0)  # see socket(7), SO_LINGER
# Linux has it (socket(7)), and Python has no name for it.
_SO_ATTACH_FILTER = 26
# Its program, a row for each instruction: take the byte of flags out of the TCP header, and SYN and
# ACK out of that. Drop the packet where SYN stands alone, as it does in the first of a connection.
_DROP_OPENINGS = [
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
]
# Where these are in `struct tcp_info` (tcp(7), <linux/tcp.h>). In that of a listening socket the
# first one is the number of connections that wait until they are taken.
_UNACKED, _BYTES_RECEIVED = 24, 128


def sockets() -> Iterator[socket.socket]:
    """Yield the TCP sockets of this process, each with a descriptor of its own.

    Other files get no new descriptor. To close one would end SQLite's locks on its database, which
    a process loses with the first descriptor that it closes (fcntl(2)).
    """
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):  # closed meanwhile
            if not _is_socket(os.stat(f"{DESCRIPTORS}/{name}")):
                continue
            descriptor = os.dup(int(name))
            if not _is_socket(os.fstat(descriptor)):
                continue  # another file has this number now, and must not be closed
            found = socket.socket(fileno=descriptor)
            if found.family in (socket.AF_INET, socket.AF_INET6):
                yield found
            else:
                found.close()


def listening() -> list[socket.socket]:
    """Return the sockets that take connections, each with a descriptor of its own."""
    found = []
    for each in sockets():
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.append(each)
        else:
            each.close()
    return found


def connected(ports: Collection[int]) -> Iterator[socket.socket]:
    """Yield the connections to these ports, each with a descriptor of its own."""
    for each in sockets():
        with suppress(OSError):  # closed meanwhile
            if each.getsockname()[1] in ports and each.getpeername():
                yield each
                continue
        each.close()


def peer(connection: socket.socket) -> str:
    """Return the address and port of the other end, written as granian writes them."""
    host, port, *_rest = connection.getpeername()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def unsent(connection: socket.socket) -> int:
    """Return the number of bytes that the other end has not acknowledged (tcp(7), SIOCOUTQ)."""
    buffer = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
    (count,) = struct.unpack("i", buffer)
    return int(count)


def break_off(connection: socket.socket) -> None:
    """Close a connection for every holder of it, and forget what has not been sent."""
    # Once granian closes it as well, the system forgets what it has yet to send.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_UNSENT)
    connection.shutdown(socket.SHUT_RDWR)


def ignore_openings(listener: socket.socket) -> None:
    """Have the system leave new connections to this socket unanswered.

    Those that are made, and those that are being made, are not touched. A client asks again after
    a second; when the socket is closed by then, it is refused.
    """
    code = b"".join(struct.pack("HBBI", *row) for row in _DROP_OPENINGS)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_DROP_OPENINGS), ctypes.addressof(buffer))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def has_waiting(listener: socket.socket) -> bool:
    """Tell whether a connection waits until this socket takes it."""
    told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNACKED + 4)
    (count,) = struct.unpack_from("I", told, _UNACKED)
    return bool(count)


def has_received(connection: socket.socket) -> bool:
    """Tell whether the other end has ever sent something."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED + 8)
    (count,) = struct.unpack_from("Q", told, _BYTES_RECEIVED)
    return bool(count)


def _is_socket(status: os.stat_result) -> bool:
    return stat.S_ISSOCK(status.st_mode)
