"""What peers say to each other, made by hand: frames and the few shapes of msgpack that a hello has. An
implementation of its own, from the description in sync/src/stream and sync/src/peer/messages.hpp."""
import struct
import time

WELCOME, BYE = 2, 12


def _table():
    out = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        out.append(n)
    return out


TABLE = _table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def frame(kind, body, flags=0, version=1):
    head = bytes([version, kind, flags, 0])
    return struct.pack(">I", 8 + len(body)) + head + struct.pack(">I", crc32c(head + body)) + body


def number(value):
    return bytes([value]) if value < 128 else b"\xcf" + struct.pack(">Q", value)


def text(value):
    data = value.encode()
    return (bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xd9" + bytes([len(data)])) + data


def hello(cluster, node, boot, incarnation, low=1, high=1):
    fields = [text(cluster), text(node), number(boot), number(incarnation), number(low), number(high),
              number(0), number(time.time_ns())]
    return frame(1, bytes([0x90 | len(fields)]) + b"".join(fields))


def split(data):
    """[(type, body)] of whole frames; their checksums hold."""
    out = []
    while len(data) >= 12:
        size, = struct.unpack_from(">I", data)
        if len(data) < 4 + size:
            break
        head, body = data[4:8], data[12:4 + size]
        if struct.unpack_from(">I", data, 8)[0] != crc32c(head + body):
            raise ValueError("a checksum is wrong")
        out.append((head[1], body))
        data = data[4 + size:]
    return out
