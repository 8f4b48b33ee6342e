"""NKeys and the JWTs of NATS (github.com/nats-io/nkeys, /jwt), so that a server can be given users,
accounts and an operator without its tools. Ed25519 as in RFC 8032, section 6: slow, and of tests."""
import base64
import hashlib
import json

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
PREFIX = {"operator": 14 << 3, "account": 0, "user": 20 << 3}  # 'O', 'A', 'U'


def x_of(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    return P - x if x & 1 != odd else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y, 1, x_of(BASE_Y, 0) * BASE_Y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def sha(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def text(data):
    """Base32 with the checksum of NKeys (CRC-16/XMODEM, low byte first)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return base64.b32encode(data + crc.to_bytes(2, "little")).decode().rstrip("=")


class Key:
    """`kind`: operator, account or user; the same `name` gives the same key."""

    def __init__(self, kind, name):
        secret = hashlib.sha256(f"{kind}/{name}".encode()).digest()
        head = sha(secret)
        self.scalar = (int.from_bytes(head[:32], "little") & (1 << 254) - 8) | 1 << 254
        self.rest, self.kind, self.name = head[32:], kind, name
        self.public_bytes = packed(times(self.scalar, BASE))
        prefix = PREFIX[kind]
        self.public = text(bytes([prefix]) + self.public_bytes)
        self.seed = text(bytes([18 << 3 | prefix >> 5, (prefix & 31) << 3]) + secret)

    def sign(self, message):
        nonce = int.from_bytes(sha(self.rest, message), "little") % Q
        point = packed(times(nonce, BASE))
        hashed = int.from_bytes(sha(point, self.public_bytes, message), "little")
        return point + ((nonce + hashed * self.scalar) % Q).to_bytes(32, "little")

    def jwt(self, issuer, **claims):
        """What `issuer` says of this key."""
        def coded(value):
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            return base64.urlsafe_b64encode(data).decode().rstrip("=")

        body = {"jti": hashlib.sha256(self.public.encode()).hexdigest(), "iat": 1_700_000_000,
                "iss": issuer.public, "name": self.name, "sub": self.public,
                "nats": {**claims, "type": self.kind, "version": 2}}
        signed = f"{coded({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{coded(body)}"
        return f"{signed}.{coded(issuer.sign(signed.encode()))}"

    def credentials(self, jwt):
        return (f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
                f"-----BEGIN USER NKEY SEED-----\n{self.seed}\n------END USER NKEY SEED------\n")
