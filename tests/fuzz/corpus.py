#!/usr/bin/env python3
"""The corpus as it is kept, one input a line in hexadecimal digits, and as libFuzzer wants it, one file an input.

    corpus.py unpack FILE FOLDER
    corpus.py pack FOLDER FILE
"""

import hashlib
import pathlib
import sys


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text().split():
        data = bytes.fromhex(line)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder, file):
    """Trailing zeros are what the targets read beyond the end anyway."""
    inputs = {path.read_bytes().rstrip(b"\0") or b"\0" for path in folder.iterdir()}
    file.write_text("".join(f"{data.hex()}\n" for data in sorted(inputs, key=lambda data: (len(data), data))))


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
