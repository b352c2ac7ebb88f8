#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pack FOLDER FILE.pack [LIMIT]: puts the inputs in a folder into one file, the smallest first,
until it has LIMIT bytes (default: all).
unpack FILE.pack FOLDER: the reverse.
seed FILE.pack FOLDER: makes an input of the target dispatch of a recorded session."""

import hashlib
import os
import struct
import sys


def pack(folder, path, limit):
    inputs = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), 'rb') as file:
            inputs.append(file.read())
    inputs.sort(key=lambda data: (len(data), data))
    packed = 0
    with open(path, 'wb') as file:
        for data in inputs:
            if file.tell() + len(data) + 4 <= limit:
                file.write(struct.pack('<I', len(data)) + data)
                packed += 1
        print(f'{path}: {packed} of {len(inputs)} inputs, {file.tell()} bytes')


def unpack(path, folder):
    os.makedirs(folder, exist_ok=True)
    with open(path, 'rb') as file:
        while header := file.read(4):
            data = file.read(struct.unpack('<I', header)[0])
            name = hashlib.sha1(data).hexdigest()
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(data)


def seed(path, folder):
    with open(path, 'rb') as file:
        data = file.read()
    # a device with all extensions, otherwise honest (struct plan_bytes)
    stream = bytes([4]) + bytes(7)
    while data:
        length = struct.unpack_from('<I', data)[0]
        stream += data[4 : 4 + length]
        data = data[4 + length :]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, os.path.basename(path).removesuffix('.pack')), 'wb') as out:
        out.write(stream)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ['pack'] and len(arguments) in (3, 4):
        pack(arguments[1], arguments[2], int(arguments[3]) if len(arguments) == 4 else 1 << 40)
    elif arguments[:1] == ['unpack'] and len(arguments) == 3:
        unpack(arguments[1], arguments[2])
    elif arguments[:1] == ['seed'] and len(arguments) == 3:
        seed(arguments[1], arguments[2])
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
