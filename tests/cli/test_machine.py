# SPDX-License-Identifier: MIT
"""`venera run` with the real QEMU, venera-gpu, venera-view and guest: the terminal, and what a
machine's end depends on them for. (test_cli.py has the rest, with fakes.)

usage: test_machine.py BUILD-FOLDER [unittest's arguments]
"""
import ctypes
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

os.environ["VENERA_BUILD"] = os.path.abspath(sys.argv.pop(1))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))

from machine import GUEST, VENERA, Machine, Xvfb  # noqa: E402

BOOT_SECONDS = 90


def names_below(root):
    """The names of the processes below `root`, by their ids."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % entry) as file:
                text = file.read()
        except OSError:
            continue
        if entry.isdigit():
            parents[int(entry)] = int(text.rsplit(")", 1)[1].split()[1])
            names[int(entry)] = text[text.index("(") + 1:text.rindex(")")]
    return {pid: names[pid] for pid, parent in parents.items() if parent == root}


def exists(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as large as any XEvent."""
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("message", ctypes.c_ulong), ("format", ctypes.c_int),
                ("values", ctypes.c_long * 5), ("rest", ctypes.c_long * 12)]


def close_window(display_name, window):
    """What a window manager does when its user clicks on the close button."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(display_name.encode()))
    protocols = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
    event = ClientMessage(33, 0, 1, display, window, protocols, 32)
    event.values[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(display)


class MachineTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="venera-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.runtime = os.path.join(self.folder, "run")
        os.mkdir(self.runtime)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.runtime)

    def boot(self, *options, command="echo test: up; sleep 1000"):
        machine = Machine(self.folder, command, options or ["--display=headless"], ["-no-reboot"],
                          "quiet", BOOT_SECONDS, self.env)
        self.addCleanup(machine.stop)
        machine.wait_for("^test: up")
        self.pids = names_below(machine.process.pid)
        for name in ("venera-gpu", "venera-view", "qemu-system-x86"):
            self.assertIn(name, self.pids.values())
        return machine

    def pid_of(self, name):
        return next(pid for pid, other in self.pids.items() if other == name)

    def assert_nothing_left(self):
        end = time.monotonic() + 5
        while time.monotonic() < end and (os.listdir(self.runtime) or any(map(exists, self.pids))):
            time.sleep(0.05)
        self.assertEqual(os.listdir(self.runtime), [])
        self.assertEqual([n for p, n in self.pids.items() if exists(p)], [])

    def end(self, machine, code):
        begin = time.monotonic()
        self.assertEqual(machine.process.wait(30), code)
        self.assertLess(time.monotonic() - begin, 12)
        self.assert_nothing_left()
        with open(os.path.join(self.folder, "venera.log")) as file:
            return file.read()

    def test_kill(self):
        machine = self.boot()
        machine.process.kill()
        self.end(machine, -signal.SIGKILL)

    def test_gpu_killed(self):
        machine = self.boot()
        os.kill(self.pid_of("venera-gpu"), signal.SIGKILL)
        self.assertIn("venera: error: venera-gpu was ended by signal 9", self.end(machine, 1))

    def test_window_closed(self):
        if not shutil.which("xdotool"):
            self.skipTest("no xdotool")
        server = Xvfb(os.path.join(self.folder, "xvfb.log"))
        self.addCleanup(server.stop)
        self.env["DISPLAY"] = server.display
        machine = self.boot("--display=window")
        search = ["xdotool", "search", "--onlyvisible", "--name", "disk.ext4 - Venera"]
        found = subprocess.run(search, env=self.env, stdout=subprocess.PIPE)
        window = int(found.stdout.split()[0])
        close_window(server.display, window)
        self.assertNotIn("error", self.end(machine, 0))


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, env)
        self.text = b""
        self.settings = termios.tcgetattr(self.fd)

    def type(self, text):
        os.write(self.fd, text)

    def expect(self, pattern, seconds=30):
        """Waits for the pattern, forgets what came up to it."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text)
            if match:
                self.text = self.text[match.end():]
                return
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError("no %r in %r" % (pattern, self.text[-500:]))
            self.text += os.read(self.fd, 4096)

    def wait(self, seconds=30):
        """The exit code, once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.fd, 4096)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        raise AssertionError("does not end; its last words: %r" % self.text[-500:])

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Console(unittest.TestCase):
    def test_console(self):
        """The guest's console is the terminal, ^C and all, and is left as it was."""
        terminal = Terminal(
            [VENERA, "run", "--memory=1G", "--ssh-port=0", "--display=headless", "--snapshot",
             "--image=" + os.path.join(GUEST, "disk.ext4"), "--image-format=raw",
             "--kernel=" + os.path.join(GUEST, "vmlinuz"),
             "--initrd=" + os.path.join(GUEST, "initrd.img"), "--append=console=ttyS0 quiet"],
            dict(os.environ))
        self.addCleanup(terminal.close)
        terminal.expect(rb"login: ", BOOT_SECONDS)
        terminal.type(b"root\n")
        terminal.expect(rb"# ")
        terminal.type(b"echo before; sleep 1000; echo after$((1 + 1))\n")
        terminal.expect(rb"\rbefore\r")
        time.sleep(1)  # the guest's shell may lose a ^C that comes while it starts the sleep
        terminal.type(b"\x03")
        terminal.expect(rb"# ")
        terminal.type(b"uname -n\n")
        terminal.expect(rb"\rvenera-guest\r")
        self.assertNotIn(b"after2", terminal.text)
        terminal.type(b"\x01x")
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(termios.tcgetattr(terminal.fd), terminal.settings)


if __name__ == "__main__":
    if not os.path.exists(os.path.join(GUEST, "disk.ext4")):
        print("no guest image: make it with make image")
        sys.exit(77)
    unittest.main(verbosity=2)
