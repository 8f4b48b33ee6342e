#!/usr/bin/env python3
"""packaging/tests/hardening.py PROGRAM...: what an attacker who found a fault in memory would meet.
Reads the ELF file itself (32 and 64 bit, little-endian); one line a property, exit 1 when one that
we promise is missing. What the toolchain cannot give everywhere (control-flow integrity) is noted.
"""
import re
import struct
import sys

# Everything else is linked in: what a package upgrade of the node cannot change under us.
ALLOWED = re.compile(r"libc\.so\.6|libm\.so\.6|ld-linux(-x86-64|-aarch64|-armhf)\.so\.[0-9]")
ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY = 0x6474e551, 0x6474e552, 0x6474e553
PF_X, PF_W = 1, 2
DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_RPATH, DT_TEXTREL, DT_BIND_NOW = 1, 5, 6, 15, 22, 24
DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 29, 30, 0x6ffffffb
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x08000000
EM_X86_64, EM_AARCH64 = 62, 183


class Elf:
    """The parts of an ELF file that the loader and the kernel look at."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.bytes = f.read()
        if self.bytes[:4] != b"\x7fELF" or self.bytes[5] != 1:
            raise ValueError(f"{path} is no little-endian ELF file")
        self.wide = self.bytes[4] == 2
        self.type, self.machine = struct.unpack_from("<HH", self.bytes, 16)
        header = "<QQ" if self.wide else "<II"
        offset, _ = struct.unpack_from(header, self.bytes, 32 if self.wide else 28)
        size, count = struct.unpack_from("<HH", self.bytes, 54 if self.wide else 42)
        self.segments = [self.segment(offset + size * i) for i in range(count)]
        self.dynamic = self.read_dynamic()

    def segment(self, at):
        if self.wide:
            kind, flags, offset, address, _, length = struct.unpack_from("<IIQQQQ", self.bytes, at)
        else:
            kind, offset, address, _, length, _, flags = struct.unpack_from("<7I", self.bytes, at)
        return {"kind": kind, "flags": flags, "offset": offset, "address": address, "length": length}

    def of(self, kind):
        return [s for s in self.segments if s["kind"] == kind]

    def read_dynamic(self):
        pairs = []
        for segment in self.of(PT_DYNAMIC):
            form = "<qQ" if self.wide else "<iI"
            step = struct.calcsize(form)
            for at in range(segment["offset"], segment["offset"] + segment["length"], step):
                pairs.append(struct.unpack_from(form, self.bytes, at))
                if pairs[-1][0] == 0:
                    break
        return pairs

    def values(self, tag):
        return [value for key, value in self.dynamic if key == tag]

    def place(self, address):
        """Where in the file what is loaded at `address` stands."""
        for s in self.of(PT_LOAD):
            if s["address"] <= address < s["address"] + s["length"]:
                return address - s["address"] + s["offset"]
        raise ValueError(f"address {address:#x} is in no segment")

    def string(self, offset):
        start = self.place(self.values(DT_STRTAB)[0]) + offset
        return self.bytes[start:self.bytes.index(b"\0", start)].decode()

    def imports(self):
        """Names of the dynamic symbols. Their table ends where that of the names begins."""
        if not self.values(DT_SYMTAB):
            return set()
        start, end = self.place(self.values(DT_SYMTAB)[0]), self.place(self.values(DT_STRTAB)[0])
        step = 24 if self.wide else 16
        return {self.string(struct.unpack_from("<I", self.bytes, at)[0])
                for at in range(start, end, step)}

    def properties(self):
        """{type: value} of .note.gnu.property"""
        found = {}
        for segment in self.of(PT_GNU_PROPERTY):
            at, end = segment["offset"] + 16, segment["offset"] + segment["length"]
            while at + 8 <= end:
                kind, length = struct.unpack_from("<II", self.bytes, at)
                if length == 4:
                    found[kind] = struct.unpack_from("<I", self.bytes, at + 8)[0]
                at += 8 + (length + 7) // 8 * 8
        return found


def flag(elf, tag, bit):
    return any(value & bit for value in elf.values(tag))


def promises(elf):
    """(holds, property, why it matters or what was found)"""
    now = bool(elf.values(DT_BIND_NOW)) or flag(elf, DT_FLAGS, DF_BIND_NOW) or flag(elf, DT_FLAGS_1, DF_1_NOW)
    stack = elf.of(PT_GNU_STACK)
    mixed = [s for s in elf.segments if s["kind"] != PT_GNU_STACK and s["flags"] & PF_W and s["flags"] & PF_X]
    needed = [elf.string(v) for v in elf.values(DT_NEEDED)]
    foreign = [name for name in needed if not ALLOWED.fullmatch(name)]
    paths = [elf.string(v) for v in elf.values(DT_RPATH) + elf.values(DT_RUNPATH)]
    names = elf.imports()
    checked = sorted(n for n in names if re.fullmatch(r"__\w+_chk", n))
    return [
        (elf.type == ET_DYN and bool(elf.of(PT_INTERP)) and flag(elf, DT_FLAGS_1, DF_1_PIE), "PIE",
         "code lies at another address in every run"),
        (bool(elf.of(PT_GNU_RELRO)), "RELRO", "tables of pointers are read-only once loaded"),
        (now, "BIND_NOW", "so is the table of imported functions (full RELRO)"),
        (bool(stack) and not stack[0]["flags"] & PF_X, "NX stack", "no code on the stack"),
        (not mixed, "W^X", f"{len(mixed)} segments can be written and run"),
        (not elf.values(DT_TEXTREL) and not flag(elf, DT_FLAGS, DF_TEXTREL), "no TEXTREL",
         "code is not written to at a start"),
        (not paths, "no RPATH", f"libraries are looked for in {paths or 'the system folders only'}"),
        (bool(needed) and not foreign, "only libc", f"needs {', '.join(foreign or needed)}"),
        ("__stack_chk_fail" in names, "stack protector", "a smashed stack ends the program"),
        (bool(checked), "FORTIFY", f"{len(checked)} checked functions: {' '.join(checked[:4])}")]


def note(elf):
    """Every object linked in must have it, Debian's libraries too, before the file may claim it."""
    kind, names = {EM_X86_64: (0xc0000002, ("IBT", "SHSTK")),
                   EM_AARCH64: (0xc0000000, ("BTI", "PAC"))}.get(elf.machine, (0, ()))
    bits = elf.properties().get(kind, 0)
    return ", ".join(f"{name} {'yes' if bits >> i & 1 else 'no'}" for i, name in enumerate(names)) or "none known"


def look(path, say=print):
    """The properties that are missing."""
    try:
        elf = Elf(path)
        found = promises(elf)
    except (OSError, ValueError, IndexError, struct.error) as e:
        say(f"FAIL  {path}: {e}")
        return ["readable"]
    say(path)
    for holds, what, why in found:
        say(f"  {'ok   ' if holds else 'FAIL '} {what}: {why}")
    say(f"  note  control-flow integrity: {note(elf)}")
    return [what for holds, what, _ in found if not holds]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(1 if [path for path in sys.argv[1:] if look(path)] else 0)
