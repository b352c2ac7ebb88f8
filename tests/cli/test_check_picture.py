# SPDX-License-Identifier: MIT
"""tools/check-picture tells right pictures from wrong ones.

usage: test_check_picture.py CHECK-PICTURE
"""
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

CHECK_PICTURE = os.path.abspath(sys.argv.pop(1))
WIDTH, HEIGHT = 320, 200
BACKGROUND = (26, 51, 153)


def triangle():
    """The picture that guest/demos/triangle.c documents, as lines of pixels."""
    (x1, y1), (x2, y2), (x3, y3) = ((WIDTH / 2, HEIGHT / 8), (7 * WIDTH / 8, 7 * HEIGHT / 8),
                                    (WIDTH / 8, 7 * HEIGHT / 8))
    area = (y2 - y3) * (x1 - x3) + (x3 - x2) * (y1 - y3)

    def pixel(x, y):
        red = ((y2 - y3) * (x - x3) + (x3 - x2) * (y - y3)) / area
        green = ((y3 - y1) * (x - x3) + (x1 - x3) * (y - y3)) / area
        shares = (red, green, 1 - red - green)
        return BACKGROUND if min(shares) < 0 else tuple(round(255 * s) for s in shares)

    return [[pixel(x + 0.5, y + 0.5) for x in range(WIDTH)] for y in range(HEIGHT)]


def paeth(a, b, c):
    distances = [(abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c)]
    return min(distances)[2]


def filtered(kind, line, above, step):
    result = bytearray([kind])
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
        result.append((value - guess) % 256)
    return bytes(result)


def png(lines, alpha=False):
    """A PNG file that uses every filter."""
    step = 4 if alpha else 3
    data = b""
    above = bytes(WIDTH * step)
    for y, pixels in enumerate(lines):
        line = b"".join(bytes(p) + (b"\xff" if alpha else b"") for p in pixels)
        data += filtered(y % 5, line, above, step)
        above = line

    def chunk(kind, body):
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6 if alpha else 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) +
            chunk(b"IEND", b""))


class CheckPicture(unittest.TestCase):
    def check(self, what, content):
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(content)
            file.flush()
            return subprocess.run([sys.executable, CHECK_PICTURE, what, file.name],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  universal_newlines=True)

    def assert_right(self, what, content):
        result = self.check(what, content)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def assert_wrong(self, what, content, words):
        result = self.check(what, content)
        self.assertEqual(result.returncode, 1)
        self.assertIn(words, result.stdout)
        self.assertEqual(len(result.stdout.splitlines()), 1)

    def test_triangle(self):
        right = triangle()
        self.assert_right("triangle", png(right))
        self.assert_right("triangle", png(right, alpha=True))
        self.assert_wrong("triangle", png([[p[::-1] for p in l] for l in right]), "corner")
        self.assert_wrong("triangle", png([l[::-1] for l in right]), "green vertex")
        self.assert_wrong("triangle", png(right[::-1]), "triangle")
        self.assert_wrong("triangle", png([[BACKGROUND] * WIDTH] * HEIGHT), "red vertex")
        self.assert_wrong("triangle", png([[(0, 0, 0)] * WIDTH] * HEIGHT), "corner")
        brighter = [[tuple(min(255, 2 * v) for v in p) for p in l] for l in right]
        self.assert_wrong("triangle", png(brighter), "should be")

    def test_console(self):
        dark = [[(0, 0, 0)] * WIDTH for _ in range(HEIGHT)]
        self.assert_wrong("console", png(dark), "bright")
        self.assert_wrong("console", png([[(255, 255, 255)] * WIDTH] * HEIGHT), "bright")
        for y in range(0, 100, 2):
            for x in range(0, 200, 5):
                dark[y][x] = (170, 170, 170)
        self.assert_right("console", png(dark))

    def test_broken_files(self):
        whole = png(triangle())
        self.assert_wrong("triangle", b"", "not a PNG")
        self.assert_wrong("triangle", b"P6 1 1 255 abc", "not a PNG")
        for length in (20, 40, 100, len(whole) - 1, len(whole) - 12):
            self.assert_wrong("triangle", whole[:length], "check-picture: ")
        self.assert_wrong("triangle", whole[:60] + b"xxxx" + whole[64:], "check-picture: ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
