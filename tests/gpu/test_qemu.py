#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_qemu.py VENERA-GPU GUEST-BLOBS [ROUNDS]: a real QEMU and a real guest kernel, with the fake
renderer: blobs are mapped and checked while the VM is paused, reset and rebooted.

Skipped without QEMU or the guest image (VENERA_GUEST, else build/guest).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from front_end import Failure, Gpu, check, check_equal, run_tests

GPU, BLOBS = (os.path.abspath(p) for p in sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 1
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUEST = os.environ.get("VENERA_GUEST", os.path.join(SOURCE, "build", "guest"))
# each step; a boot takes 5 s on a machine that has nothing else to do
PATIENCE = 90
# what QEMU 11.1.3 says when a start is vetoed
VETO = re.compile(r"bad msg size|Protocol error \(71\)|Error starting vhost-user-base")
# what it says harmlessly, of every blob
HARMLESS = re.compile(r"vhost_set_mem_table failed: Input/output error \(5\)|"
                      # a message made void, because a pause came before it was read
                      r"Received unexpected msg type: -3019\d+")


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def accelerator():
    with open("/proc/cpuinfo") as f:
        capable = re.search(r"\b(vmx|svm)\b", f.read())
    return "kvm" if capable and os.access("/dev/kvm", os.W_OK) else "tcg,thread=multi"


class Machine:
    def __init__(self, command, *gpu_arguments):
        self.folder = tempfile.mkdtemp(prefix="venera-qemu-")
        self.gpu = Gpu(GPU, "--socket-path=" + self.path("gpu.sock"), "--hostmem=1G",
                       *gpu_arguments)
        try:
            self.start(command)
        except BaseException:
            self.finish()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, command):
        # the guest's programs travel in the initrd
        shutil.copy(os.path.join(GUEST, "initrd-base.img"), self.folder)
        subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output",
                        self.folder, BLOBS], check=True, stdout=subprocess.DEVNULL)
        self.wait(lambda: os.path.exists(self.path("gpu.sock")), "the socket of venera-gpu")
        self.errors = open(self.path("qemu.log"), "w")
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35,memory-backend=mem", "-accel", accelerator(),
             "-cpu", "max", "-smp", "2", "-m", "512M",
             "-object", "memory-backend-memfd,id=mem,size=512M,share=on",
             "-nodefaults", "-display", "none", "-vga", "none",
             "-serial", "file:" + self.path("serial"),
             "-qmp", "unix:%s,server=on,wait=off" % self.path("qmp"),
             "-chardev", "socket,id=gpu,path=" + self.path("gpu.sock"),
             "-device", "vhost-user-test-device-pci,chardev=gpu,virtio-id=16,num_vqs=2,"
             "config_size=16,vq_size=256",
             "-kernel", os.path.join(GUEST, "vmlinuz"), "-initrd", self.path("initrd.img"),
             "-append", 'console=ttyS0 quiet panic=-1 venera.run="%s"' % command,
             "-drive", "file=%s,if=virtio,format=raw,snapshot=on" %
             os.path.join(GUEST, "disk.ext4")],
            stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.wait(lambda: os.path.exists(self.path("qmp")), "QEMU's control socket")
        self.control = socket.socket(socket.AF_UNIX)
        self.control.settimeout(PATIENCE)
        self.control.connect(self.path("qmp"))
        self.replies = self.control.makefile("r")
        self.replies.readline()
        self.qmp("qmp_capabilities")

    def qmp(self, command):
        self.control.sendall(json.dumps({"execute": command}).encode() + b"\n")
        while True:
            line = self.replies.readline()
            check(line, "QEMU has ended; it said:\n" + self.said())
            reply = json.loads(line)
            if "return" in reply or "error" in reply:
                check("return" in reply, "QEMU: %s: %s" % (command, line))
                return reply["return"]

    def serial(self):
        try:
            with open(self.path("serial"), errors="replace") as f:
                return f.read().replace("\r", "")
        except FileNotFoundError:
            return ""

    def said(self):
        with open(self.path("qemu.log"), errors="replace") as f:
            return f.read()

    def count(self, text):
        return self.serial().count(text)

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise Failure("%s does not come; the console:\n%s\nQEMU:\n%s\nvenera-gpu:\n%s" % (
                    what, self.serial()[-3000:], self.said()[-2000:], self.gpu.log()[-2000:]))
            check(self.gpu.process.poll() is None, "venera-gpu has ended:\n" + self.gpu.log())
            if hasattr(self, "qemu"):
                check(self.qemu.poll() is None, "QEMU has ended with code %s:\n%s" % (
                    self.qemu.returncode, self.said()[-3000:]))
            time.sleep(0.02)

    def wait_more(self, text, more=1):
        """`text` appears on the console, `more` times more than until now."""
        wanted = self.count(text) + more
        self.wait(lambda: self.count(text) >= wanted, "'%s'" % text)

    def quit(self, tolerate=HARMLESS):
        self.control.sendall(b'{"execute": "quit"}\n')
        check_equal(self.qemu.wait(PATIENCE), 0, "QEMU's exit code")
        check_equal(self.gpu.wait(), 0, "the exit code of venera-gpu")
        bad = [line for line in self.said().splitlines() if not HARMLESS.search(line)
               and not tolerate.search(line) and "terminating on signal" not in line]
        check(not bad, "QEMU said:\n" + "\n".join(bad))

    def finish(self):
        if hasattr(self, "qemu") and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        self.gpu.finish()
        shutil.rmtree(self.folder, ignore_errors=True)


def check_console(machine):
    bad = re.findall(r"[^\n]*(?:, [1-9]\d* bad|cannot make|does not retire|\[drm\][^\n]*ERROR)"
                     r"[^\n]*", machine.serial())
    check(not bad, "the guest said:\n" + "\n".join(bad))


def test_maps():
    # in between the guest's driver goes and comes back
    machine = Machine("guest_blobs cycles 300; guest_blobs fill; "
                      "cd /sys/bus/pci/drivers/virtio-pci; for i in 1 2 3; do "
                      "echo 0000:00:01.0 >unbind; echo 0000:00:01.0 >bind; "
                      "sleep 1; guest_blobs cycles 20; done; echo end''ed; sleep 1000")
    try:
        machine.wait(lambda: machine.count("ended"), "the end of the guest's program")
        text = machine.serial()
        check("cycles: 300, 0 bad" in text, text[-2000:])
        # one context's limit; QEMU's own, 480, is for all together
        check("fill: 384 mapped, then: Invalid argument, 0 bad" in text, text[-2000:])
        check("fill: 10 of 10 more" in text, text[-2000:])
        check_console(machine)
        machine.wait(lambda: not machine.gpu.children(), "the end of the render processes")
        machine.quit()
    finally:
        machine.finish()


def test_pause():
    """With blobs mapped, and more coming and going."""
    machine = Machine("guest_blobs hold 5 1000 & guest_blobs hold 100 1000; sleep 1000")
    try:
        machine.wait_more("hold: 100 mapped")
        machine.wait_more("hold: tick", 4)
        for i in range(10 * ROUNDS):
            machine.qmp("stop")
            time.sleep(0.01 * (i % 4))
            machine.qmp("cont")
            machine.wait_more("hold: tick", 2)
        check_console(machine)
        # QEMU would crash over a reset now; it must live on, if without a GPU
        machine.qmp("system_reset")
        machine.wait(lambda: "the GPU stays off" in machine.gpu.log(), "the veto")
        machine.wait(lambda: machine.count("no card in /dev/dri") or machine.count("CONTEXT_INIT"),
                     "the guest without a GPU")
        machine.quit(tolerate=VETO)
    finally:
        machine.finish()


def test_reset():
    """By QEMU, with blobs mapped, and more coming and going."""
    machine = Machine("guest_blobs hold 5 1000 & guest_blobs hold 100 1000; sleep 1000")
    try:
        for i in range(2 + ROUNDS):
            machine.wait_more("hold: 100 mapped")
            machine.wait_more("hold: tick", 3 + i)
            check_console(machine)
            check_equal(len([c for c in machine.gpu.children() if c[1] != "Z"]), 2,
                        "the number of render processes")
            machine.qmp("system_reset")
        machine.wait_more("hold: tick", 4)
        check_console(machine)
        machine.quit()
    finally:
        machine.finish()


def test_reboot():
    """The guest reboots itself, hard, with everything mapped; twice."""
    machine = Machine("guest_blobs hold 50 1000 & sleep 6; echo b >/proc/sysrq-trigger")
    try:
        for _ in range(2 + ROUNDS):
            machine.wait_more("hold: 50 mapped")
        machine.wait_more("hold: tick", 4)
        check_console(machine)
        machine.quit()
    finally:
        machine.finish()


def test_killed():
    """venera-gpu is told to end while the guest works: nothing of ours is left."""
    machine = Machine("guest_blobs hold 5 1000")
    try:
        machine.wait_more("hold: tick", 3)
        children = [pid for pid, _ in machine.gpu.children()]
        check(children, "there is no render process")
        machine.gpu.process.send_signal(signal.SIGTERM)
        check_equal(machine.gpu.wait(), 0, "the exit code of venera-gpu")
        check(not any(os.path.exists("/proc/%d" % pid) for pid in children), "a process is left")
    finally:
        machine.finish()


TESTS = {name[5:]: test for name, test in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    for name in ("vmlinuz", "initrd-base.img", "disk.ext4"):
        if not os.path.exists(os.path.join(GUEST, name)):
            skip("no %s in %s; make the image with guest/image/build" % (name, GUEST))
    if not shutil.which("qemu-system-x86_64"):
        skip("no qemu-system-x86_64")
    sys.exit(run_tests(sys.argv[4:], TESTS))
