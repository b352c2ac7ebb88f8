# SPDX-License-Identifier: MIT
"""Virtual machines for the demo, benches and tests: boots the guest image of build/guest by
`venera run`, with a command in it, and watches what it prints.

VENERA_BUILD names another build than build/venera, VENERA_GUEST another guest than build/guest.
"""

import json
import os
import re
import select
import signal
import subprocess
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.path.abspath(os.environ.get("VENERA_BUILD", os.path.join(SOURCE, "build", "venera")))
GUEST = os.path.abspath(os.environ.get("VENERA_GUEST", os.path.join(SOURCE, "build", "guest")))
VENERA = os.path.join(BUILD, "src", "cli", "venera")
IN_ROOT = os.path.join(SOURCE, "tools", "in-root")

SCREENSHOT_SECONDS = 10


class Failed(Exception):
    """Something went wrong that the user should read, without a stack trace."""


class Xvfb:
    """An X server without a screen, on the first free display number."""

    def __init__(self, log_path, size="1280x800"):
        read_fd, write_fd = os.pipe()
        with open(log_path, "w") as log:
            self.process = subprocess.Popen(
                [IN_ROOT, "Xvfb", "-displayfd", str(write_fd), "-screen", "0", size + "x24",
                 "-nolisten", "tcp", "-noreset"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_fd])
        os.close(write_fd)
        number = b""
        while not number.endswith(b"\n"):
            ready, _, _ = select.select([read_fd], [], [], 20)
            part = os.read(read_fd, 16) if ready else b""
            if not part:
                self.stop()
                raise Failed("Xvfb does not start; see " + log_path)
            number += part
        os.close(read_fd)
        self.display = ":" + number.decode().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def is_arm64(guest):
    with open(os.path.join(guest, "vmlinuz"), "rb") as kernel:
        kernel.seek(56)  # Documentation/arch/arm64/booting.rst
        return kernel.read(4) == b"ARMd"


class Machine:
    """A virtual machine that runs `command` with sh (no double quotes in it) and powers off.

    Its output goes to FOLDER/console.log and, line by line, to `lines`; that of Venera to
    FOLDER/venera.log. `guest` is the folder of its image, `initrd` is for other programs in it
    (guest/image/update-programs).
    """

    def __init__(self, folder, command, options=(), qemu_options=(), kernel_options="",
                 seconds=150, env=None, initrd=None, guest=GUEST):
        for name in ("disk.ext4", "vmlinuz", "initrd.img"):
            if not os.path.exists(os.path.join(guest, name)):
                raise Failed("%s/%s is not there; make it with: make image" % (guest, name))
        self.folder = folder
        self.deadline = time.monotonic() + seconds
        self.picture = os.path.join(folder, "screen.png")
        serial = "ttyS0"
        if is_arm64(guest):
            serial = "ttyAMA0"
            options = ["--qemu=qemu-system-aarch64", *options]
        append = "console=tty0 console=%s panic=-1 %s" % (serial, kernel_options)
        if command is not None:
            append += ' venera.run="%s"' % command
        self.log = open(os.path.join(folder, "venera.log"), "w")
        self.process = subprocess.Popen(
            [IN_ROOT, VENERA, "run", "--memory=2G", "--ssh-port=0",
             "--image=" + os.path.join(guest, "disk.ext4"), "--image-format=raw", "--snapshot",
             "--kernel=" + os.path.join(guest, "vmlinuz"),
             "--initrd=" + (initrd or os.path.join(guest, "initrd.img")), "--append=" + append,
             "--screenshot=" + self.picture, *options, "--", *qemu_options],
            cwd=SOURCE, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with open(os.path.join(self.folder, "console.log"), "w") as log:
            for line in self.process.stdout:
                # firmware and kernel move the cursor and use colours
                text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|c)", "", line.decode(errors="replace"))
                text = text.rstrip()
                log.write(text + "\n")
                log.flush()
                with self.changed:
                    self.lines.append(text)
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, pattern, first=0):
        """The number of the first line, from `first` on, in which the pattern is found."""
        with self.changed:
            while True:
                while first < len(self.lines):
                    if re.search(pattern, self.lines[first]):
                        return first
                    first += 1
                if self.ended:
                    raise Failed("the virtual machine ended before it printed '%s'" % pattern)
                left = self.deadline - time.monotonic()
                if left <= 0:
                    raise Failed("the virtual machine did not print '%s' in time" % pattern)
                self.changed.wait(left)

    def shoot(self, path):
        """Saves what the window shows."""
        if os.path.exists(self.picture):
            os.unlink(self.picture)
        self.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + SCREENSHOT_SECONDS
        while not os.path.exists(self.picture):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise Failed("venera-view saves no screenshot; see %s/venera.log" % self.folder)
            time.sleep(0.02)
        os.rename(self.picture, path)

    def control_socket(self):
        """That of this machine's venera-gpu, of which there may be others."""
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % entry) as file:
                    parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
        for pid in parents:
            ancestor = pid
            while ancestor in parents and ancestor != self.process.pid:
                ancestor = parents[ancestor]
            if ancestor == self.process.pid:
                with open("/proc/%d/cmdline" % pid, errors="replace") as file:
                    for argument in file.read().split("\0"):
                        if argument.startswith("--control-socket="):
                            return argument.partition("=")[2]
        raise Failed("no venera-gpu of this machine is running")

    def stat(self):
        """The counters of its first screen, as "venera stat" tells them."""
        result = subprocess.run(
            [IN_ROOT, VENERA, "stat", "--json", "--socket=" + self.control_socket()], cwd=SOURCE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False)
        if result.returncode:
            raise Failed("venera stat fails: " + result.stderr.strip())
        return json.loads(result.stdout)["scanouts"][0]

    def wait(self):
        """Until it has powered off by itself; fails unless command and machine ended well."""
        place = self.wait_for(r"^venera\.run: exit ")
        try:
            code = self.process.wait(max(1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failed("the virtual machine does not power off")
        if self.lines[place] != "venera.run: exit 0":
            raise Failed("the command in the guest failed (%s)" % self.lines[place])
        if code != 0:
            raise Failed("venera run ended with code %d; see %s/venera.log" % (code, self.folder))

    def stop(self):
        """Ends it if it still runs. To be called in any case."""
        for _ in range(2):  # the second one does not wait for the guest
            if self.process.poll() is None:
                self.process.terminate()
                time.sleep(0.2)
        self.process.wait()
        self.reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def print_logs(self):
        """The ends of both logs, after a failure."""
        for name, count in (("console.log", 25), ("venera.log", 15)):
            with open(os.path.join(self.folder, name)) as file:
                lines = file.read().splitlines()[-count:]
            if lines:
                print("--- the end of %s" % os.path.relpath(file.name, SOURCE))
                print("\n".join(lines), flush=True)
