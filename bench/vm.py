# SPDX-License-Identifier: MIT
"""vkbench in the guests of virtual machines, for bench/compare --vm."""

import os
import re
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path[:0] = [os.path.join(SOURCE, "tools"), os.path.join(SOURCE, "tests", "vm")]

import guest  # noqa: E402

KINDS = ["venera", "qemu"]
SECONDS = 900
MEMORY = "2G"
RESULT = r"^[a-z_0-9]+ ([-+.0-9e]+ \S+$|FAIL )"  # a line of vkbench's
TICKS = os.sysconf("SC_CLK_TCK")
# The host's processor time is told for these units: the name, and how many us a second of it counts
# for one of what there are so many a second of.
PER_SECOND = {"frames/s": ("host_cpu_per_frame", 1e6), "kcmds/s": ("host_cpu_per_1000", 1e6)}


def processor_seconds(pid):
    """Of all processes below `pid` that are Venera's, ended ones included."""
    seconds, pids = 0.0, [pid]
    while pids:
        pid = pids.pop()
        pids += guest.children_of(pid)
        if guest.name_of(pid).startswith("venera"):
            try:
                with open("/proc/%d/stat" % pid, encoding="ascii") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            # of itself, and of its children that have ended
            seconds += sum(map(int, fields[11:15])) / TICKS
    return seconds


class Bench:
    def __init__(self, folder, build, program, driver, arguments):
        self.folder, self.driver = folder, driver
        self.command = "vkbench " + " ".join(arguments)
        # how long a test measures, all its repetitions together
        self.seconds = 1.0
        for option, default in (("-t", "0.5"), ("-r", "5")):
            known = option in arguments[:-1]
            self.seconds *= float(arguments[arguments.index(option) + 1] if known else default)
        os.environ["VENERA_BUILD"] = os.path.abspath(build)
        from machine import GUEST
        self.guest = GUEST
        for name in ("initrd-base.img", "vmlinuz", "disk.ext4"):
            if not os.path.exists(os.path.join(GUEST, name)):
                sys.exit("compare: there is no guest image; make it with: make image")
        shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
        subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output",
                        folder, program], check=True, stdout=subprocess.DEVNULL)

    def can_run(self, kind):
        if kind == "venera":
            return True
        help_text = subprocess.run(
            ["qemu-system-x86_64", "-display", "help"], stdout=subprocess.PIPE, text=True,
            check=False).stdout
        devices = subprocess.run(
            ["qemu-system-x86_64", "-device", "virtio-vga-gl,help"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, check=False).stdout
        return "sdl" in help_text.split() and "venus=" in devices

    def run(self, kind):
        """The lines that vkbench prints in the guest; through Venera, with the host's processor time,
        that of the Vulkan driver included, behind those of which it makes sense."""
        from machine import Failed
        try:
            return self.run_venera() if kind == "venera" else self.run_qemu()
        except Failed as failure:
            sys.exit("compare: %s: %s" % (kind, failure))

    def run_venera(self):
        from machine import Machine
        machine = Machine(self.folder, self.command,
                          ["--display=headless", "--driver=" + self.driver], ["-no-reboot"],
                          "quiet", SECONDS, initrd=os.path.join(self.folder, "initrd.img"))
        found, number, before = [], 0, None
        try:
            while True:
                number = machine.wait_for(r"^venera\.run: exit|" + RESULT, number)
                words = machine.lines[number].split()
                if words[0] == "venera.run:":
                    break
                now = processor_seconds(machine.process.pid)
                found.append(" ".join(words))
                if before is not None and words[2] in PER_SECOND:
                    name, factor = PER_SECOND[words[2]]
                    count = float(words[1]) * self.seconds
                    found.append("%s.%s %g us" % (words[0], name, (now - before) * factor / count))
                before = now
                number += 1
            machine.wait()
        except Exception:
            machine.print_logs()
            raise
        finally:
            machine.stop()
        return found

    def run_qemu(self):
        from machine import Xvfb
        screen = Xvfb(os.path.join(self.folder, "xvfb.log"))
        try:
            output = subprocess.run(
                ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-serial", "stdio",
                 "-object", "memory-backend-memfd,id=mem,share=on,size=" + MEMORY, "-m", MEMORY,
                 "-machine", "q35,memory-backend=mem", "-accel", "tcg,thread=multi", "-cpu", "max",
                 "-smp", "2", "-display", "sdl,gl=on",
                 "-device", "virtio-vga-gl,blob=on,venus=on,hostmem=1G",
                 "-drive", "if=virtio,format=raw,snapshot=on,file=" + self.guest + "/disk.ext4",
                 "-kernel", self.guest + "/vmlinuz", "-initrd", self.folder + "/initrd.img",
                 "-append", 'console=ttyS0 panic=-1 quiet venera.run="%s"' % self.command],
                env=dict(os.environ, DISPLAY=screen.display, VK_DRIVER_FILES=self.driver),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, errors="replace", timeout=SECONDS, check=False).stdout
        except subprocess.TimeoutExpired as expired:
            output = (expired.stdout or b"").decode(errors="replace")
        finally:
            screen.stop()
        return [line for line in output.splitlines() if re.match(RESULT, line)]
