# SPDX-License-Identifier: MIT
"""Tests of the command `venera`: the errors that users can make, what it prints, and that it leaves
nothing behind. QEMU, venera-gpu and venera-view are played by the fake_* scripts here, because
each has to fail on demand; tests/vm runs the real ones.

usage: test_cli.py VENERA FAKE_ICD_LIBRARY [unittest's arguments]
"""
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
VENERA = os.path.abspath(sys.argv.pop(1))
ICD_LIBRARY = os.path.abspath(sys.argv.pop(1))


def process_exists(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def key(name, down):
    return {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}


def key_of(event):
    return event["data"]["key"]["data"] if event["type"] == "key" else None


def button(name, down):
    return {"type": "btn", "data": {"down": down, "button": name}}


def place(axis, value):
    return {"type": "abs", "data": {"axis": axis, "value": value}}


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="venera-test-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.bin = self.path("bin")
        self.runtime = self.path("run")
        os.mkdir(self.bin)
        os.mkdir(self.runtime)
        for name, target in [("venera", VENERA), ("venera-gpu", HERE + "/fake_gpu"),
                             ("venera-view", HERE + "/fake_view"),
                             ("venera-render", HERE + "/fake_view"),
                             ("qemu-system-x86_64", HERE + "/fake_qemu"),
                             ("qemu-system-aarch64", HERE + "/fake_qemu")]:
            os.symlink(target, os.path.join(self.bin, name))
        self.image = self.file("disk.img", b"\0" * 512)
        self.log = self.path("log")
        self.env = {k: v for k, v in os.environ.items()
                    if k not in ("DISPLAY", "WAYLAND_DISPLAY", "TMPDIR")}
        self.env.update(PATH=self.bin + ":" + os.environ["PATH"], VENERA_BINDIR=self.bin,
                        XDG_RUNTIME_DIR=self.runtime, FAKE_LOG=self.log)

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, content=b""):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def venera(self, *args, **env):
        return subprocess.run([VENERA, *args], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              universal_newlines=True)

    def run_args(self, *args):
        return ["run", "--accel=tcg", "--ssh-port=0", "--image=" + self.image, *args]

    def qemu_args(self):
        """What QEMU was started with."""
        line = [l for l in open(self.log) if l.startswith("qemu")][0]
        return json.loads(line.split(" ", 2)[2])

    def assert_clean(self):
        """No process and no file of a VM is left."""
        self.assertEqual(os.listdir(self.runtime), [])
        if os.path.exists(self.log):
            for line in open(self.log):
                pid = int(line.split()[1])
                self.assertFalse(process_exists(pid), "left running: " + line)

    def assert_error(self, result, *parts, code=1):
        """One line that says what is wrong, and nothing is left."""
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [l for l in result.stderr.splitlines() if ": error: " in l]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("venera: error: "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])
        self.assert_clean()

    def start(self, *args, **env):
        process = subprocess.Popen([VENERA, *self.run_args(*args)], env={**self.env, **env},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, universal_newlines=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "guest says hello\n")
        # until venera talks to the monitor
        time.sleep(0.3)
        return process


class Options(CliTest):
    def test_no_command(self):
        self.assert_error(self.venera(), "--help", code=2)

    def test_unknown_command(self):
        self.assert_error(self.venera("walk"), "'walk'", code=2)

    def test_help(self):
        for args in [["--help"], ["run", "--help"], ["doctor", "--help"]]:
            result = self.venera(*args)
            self.assertEqual(result.returncode, 0)
            self.assertIn("Usage: venera", result.stdout)
            self.assertEqual(result.stderr, "")
            self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        self.assertNotIn("guard", self.venera("--help").stdout)

    def test_version(self):
        self.assertRegex(self.venera("--version").stdout, r"^venera \d+\.\d+\.\d+\n$")

    def test_unknown_options(self):
        self.assert_error(self.venera("run", "--colour=red"), "--colour", code=2)
        self.assert_error(self.venera("run", "disk.img"), "'disk.img'", code=2)
        self.assert_error(self.venera("run", "--memory"), "--memory", "SIZE", code=2)
        self.assert_error(self.venera("run", "--snapshot=yes"), "--snapshot", code=2)
        self.assert_error(self.venera("doctor", "me"), "'me'", code=2)

    def test_bad_values(self):
        for option in ["--memory=12", "--memory=1M", "--memory=4g", "--memory=-1G",
                       "--memory=99999999999999999999G", "--cpus=0", "--cpus=many", "--cpus=2x",
                       "--window-size=1280", "--window-size=0x0", "--window-size=1280x800x3",
                       "--display=hologram", "--hostmem=3G", "--hostmem=0G", "--accel=magic",
                       "--ssh-port=70000", "--ssh-port=x", "--image-format=vhd", "--log-level=loud",
                       "--screenshot="]:
            with self.subTest(option):
                name = option.split("=")[0]
                self.assert_error(self.venera(*self.run_args(option)), name)


class Files(CliTest):
    def test_nothing_to_boot(self):
        self.assert_error(self.venera("run"), "nothing to boot", "--image", "--kernel")

    def test_missing(self):
        for option in ["image", "kernel", "driver"]:
            with self.subTest(option):
                name = "--%s=%s/none" % (option, self.dir)
                self.assert_error(self.venera(*self.run_args(name)), name,
                                  "No such file or directory")
        self.assert_error(self.venera("run", "--kernel=" + self.image, "--initrd=/none"),
                          "--initrd=/none")

    def test_folder(self):
        self.assert_error(self.venera("run", "--image=" + self.dir), "folder")

    def test_desktop(self):
        self.env["VENERA_DESKTOP"] = self.dir
        self.assert_error(self.venera("run", "--desktop"), "guest/image/build --desktop")
        for name in ("disk.ext4", "vmlinuz", "initrd.img"):
            self.file(name, b"")
        result = self.venera("run", "--accel=tcg", "--desktop", "--print-command")
        words = shlex.split(result.stdout)
        self.assertEqual(words[words.index("-kernel") + 1], self.path("vmlinuz"))
        self.assertEqual(words[words.index("-initrd") + 1], self.path("initrd.img"))
        self.assertIn("if=none,id=disk,format=raw,file=%s,snapshot=on" % self.path("disk.ext4"),
                      words)
        self.assert_error(self.venera(*self.run_args("--desktop")), "--desktop")

    def test_kernel_options_without_kernel(self):
        self.assert_error(self.venera(*self.run_args("--append=quiet")), "--append", "--kernel")

    @unittest.skipIf(os.getuid() == 0, "root may read and write everything")
    def test_permissions(self):
        os.chmod(self.image, 0o400)
        self.assert_error(self.venera(*self.run_args()), "cannot be written to", "--snapshot")
        os.chmod(self.image, 0)
        self.assert_error(self.venera(*self.run_args("--snapshot")), "cannot be read")

    def disk_format(self, name, content, *args):
        image = self.file(name, content)
        result = self.venera("run", "--accel=tcg", "--print-command", "--image=" + image, *args)
        if result.returncode:
            return result
        return [w for w in shlex.split(result.stdout) if w.startswith("if=none")][0]

    def test_format(self):
        plain = b"QFI\xfb\0\0\0\3" + b"\0" * 96
        backed = b"QFI\xfb\0\0\0\3" + b"\0" * 7 + b"\x70" + b"\0" * 88
        split = plain[:79] + b"\4" + plain[80:]
        self.assertIn("format=raw", self.disk_format("a.img", b"\0" * 512))
        self.assertIn("format=raw", self.disk_format("b.img", b"QFI"))
        self.assertIn("format=qcow2", self.disk_format("c.img", plain))
        self.assertIn("format=raw", self.disk_format("c.img", plain, "--image-format=raw"))
        self.assertIn("format=qcow2", self.disk_format("d.qcow2", backed))
        self.assertIn("format=qcow2", self.disk_format("e.img", backed, "--image-format=qcow2"))
        # A guest must not make its raw disk a window to the host's files.
        self.assert_error(self.disk_format("f.img", backed), "names other files")
        self.assert_error(self.disk_format("g.img", split), "names other files")


class Host(CliTest):
    def test_no_qemu(self):
        for name in os.listdir(self.bin):
            if name.startswith("qemu"):
                os.unlink(os.path.join(self.bin, name))
        self.assert_error(self.venera(*self.run_args(), PATH=self.bin), "no QEMU", "PATH",
                          "--qemu=PATH")
        self.assert_error(self.venera(*self.run_args("--qemu=/none/qemu")), "/none/qemu",
                          "No such file")

    def test_not_qemu(self):
        self.assert_error(self.venera(*self.run_args("--qemu=/bin/echo")), "/bin/echo", "not QEMU")
        self.assert_error(self.venera(*self.run_args("--qemu=/bin/false")), "/bin/false")
        self.assert_error(self.venera(*self.run_args("--qemu=" + self.dir)), self.dir)

    def test_qemu_too_old(self):
        for version in ["8.2.0", "11.0.50", "2.5"]:
            self.assert_error(self.venera(*self.run_args(), FAKE_QEMU="version=" + version),
                              "too old", "version " + version, "11.1")
        for version in ["11.1.0", "12.0.0"]:
            result = self.venera(*self.run_args("--print-command"), FAKE_QEMU="version=" + version)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_qemu_without_device(self):
        self.assert_error(self.venera(*self.run_args(), FAKE_QEMU="nodevice"),
                          "vhost-user-test-device-pci")

    def test_socket_path_too_long(self):
        folder = self.path("x" * 100)
        os.mkdir(folder)
        self.assert_error(self.venera(*self.run_args(), XDG_RUNTIME_DIR=folder), folder,
                          "longer than", "XDG_RUNTIME_DIR")
        self.assertEqual(os.listdir(folder), [])

    def test_runtime_folder_of_no_use(self):
        self.env["TMPDIR"] = self.runtime
        result = self.venera(*self.run_args(), XDG_RUNTIME_DIR=self.path("none"),
                             FAKE_QEMU="exit=0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_clean()

    def test_port_in_use(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen(1)
            port = sock.getsockname()[1]
            self.assert_error(self.venera(*self.run_args("--ssh-port=%d" % port)),
                              "port %d " % port, "--ssh-port")

    def test_missing_program(self):
        os.unlink(os.path.join(self.bin, "venera-gpu"))
        self.assert_error(self.venera(*self.run_args()), "venera-gpu")

    def test_no_vulkan_driver(self):
        self.assert_error(self.venera(*self.run_args(), VK_DRIVER_FILES="/none.json"), "Vulkan")

    def manifest(self):
        return self.file("fake_icd.json", json.dumps({
            "file_format_version": "1.0.0",
            "ICD": {"library_path": ICD_LIBRARY, "api_version": "1.3.0"}}).encode())

    def test_driver_without_host_memory(self):
        self.assert_error(self.venera(*self.run_args("--driver=" + self.manifest())),
                          "Paperweight 3000", "VK_EXT_external_memory_host")

    def test_driver_that_crashes(self):
        self.assert_error(self.venera(*self.run_args("--driver=" + self.manifest()),
                                      FAKE_ICD="crash"), "driver crashes")

    def test_no_display(self):
        self.assert_error(self.venera(*self.run_args("--display=window")), "no display", "headless")
        self.assert_error(self.venera(*self.run_args("--display=window"), DISPLAY=":4999"),
                          "DISPLAY=:4999")
        result = self.venera(*self.run_args(), FAKE_QEMU="exit=0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no window", result.stderr)

    def test_kvm_that_cannot_work(self):
        if any(w in open("/proc/cpuinfo").read().split() for w in ["vmx", "svm"]):
            self.skipTest("this processor can virtualise")
        self.assert_error(self.venera("run", "--image=" + self.image, "--accel=kvm"),
                          "--accel=kvm does not work here")
        result = self.venera("run", "--image=" + self.image, "--print-command")
        self.assertIn("TCG", result.stderr)
        self.assertIn("-accel tcg -cpu max", result.stdout)


class PrintCommand(CliTest):
    def test_lines(self):
        odd = self.file("it's a, \"disk\".img", b"\0" * 512)
        result = self.venera("run", "--accel=tcg", "--image=" + odd, "--kernel=" + self.image,
                             "--append=a b", "--memory=2G", "--cpus=3", "--window-size=800x600",
                             "--hostmem=1G", "--ssh-port=0", "--screenshot=x.png",
                             "--print-command", "--", "-device", "usb-tablet")
        self.assertEqual(result.returncode, 0, result.stderr)
        gpu, view, qemu = map(shlex.split, result.stdout.splitlines())
        self.assertEqual(gpu[0], os.path.join(self.bin, "venera-gpu"))
        self.assertIn("--hostmem=1G", gpu)
        self.assertIn("--size=800x600", gpu)
        self.assertIn("--display=headless", view)
        self.assertIn("--size=800x600", view)
        self.assertIn("--screenshot=" + os.path.join(os.getcwd(), "x.png"), view)
        self.assertEqual(qemu[-2:], ["-device", "usb-tablet"])
        for words in ["-m 2048M", "-smp 3", "-accel tcg -cpu max", "-vga none -display none",
                      "-serial mon:stdio", "-nic user,model=virtio-net-pci",
                      "-object memory-backend-memfd,id=mem,size=2048M,share=on"]:
            self.assertIn(" " + words + " ", " ".join(qemu))
        self.assertIn("if=none,id=disk,format=raw,file=" + odd.replace(",", ",,"), qemu)
        self.assertEqual(qemu[qemu.index("-append") + 1], "a b")
        self.assertIn("vhost-user-test-device-pci,chardev=venera,virtio-id=16,num_vqs=2,"
                      "config_size=16,vq_size=256", qemu)
        self.assertEqual(os.listdir(self.runtime), [])

    def test_default_ssh_port(self):
        result = self.venera("run", "--accel=tcg", "--image=" + self.image, "--print-command")
        self.assertIn("hostfwd=tcp:127.0.0.1:2222-:22", result.stdout)

    def test_paste(self):
        """A shell that gets the three lines has a VM."""
        self.image = self.file("it's $HOME/`odd`.img".replace("/", "_"), b"\0" * 512)
        result = self.venera(*self.run_args("--print-command"))
        gpu, view, qemu = result.stdout.splitlines()
        script = "%s & sleep 0.5\n%s & %s\ncode=$?; wait; exit $code" % (gpu, view, qemu)
        shell = subprocess.run(["sh", "-c", script], env={**self.env, "FAKE_QEMU": "exit=4"},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30)
        self.assertEqual(shell.stdout, b"guest says hello\n")
        self.assertEqual(shell.returncode, 4)
        started = [line.split()[0] for line in open(self.log)]
        self.assertEqual(sorted(started), ["gpu", "qemu", "view"])
        self.assertIn("file=" + self.image, ",".join(self.qemu_args()))


class Life(CliTest):
    def test_power_off(self):
        for code in [0, 3]:
            result = self.venera(*self.run_args(), FAKE_QEMU="exit=%d" % code)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(result.stdout, "guest says hello\n")
            self.assert_clean()

    def test_slow_end(self):
        # QEMU takes longer to end than it has where nothing tells that it does
        result = self.venera(*self.run_args(), FAKE_QEMU="leave=1.5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("has ended", result.stderr)
        self.assert_clean()

    def test_errors_are_forwarded(self):
        result = self.venera(*self.run_args(), FAKE_QEMU="exit=0 errors")
        lines = result.stderr.splitlines()
        self.assertIn("qemu: something is odd", lines)
        self.assertIn("qemu: no name in front", lines)
        self.assertNotIn("vhost_set_mem_table", result.stderr)

    def test_extra_arguments(self):
        self.venera(*self.run_args("--", "-device", "usb-tablet"), FAKE_QEMU="exit=0")
        self.assertEqual(self.qemu_args()[-2:], ["-device", "usb-tablet"])

    def test_signals_power_off(self):
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
            process = self.start()
            begin = time.monotonic()
            process.send_signal(number)
            self.assertEqual(process.wait(30), 0)
            self.assertLess(time.monotonic() - begin, 4)
            self.assert_clean()

    def test_window_closed(self):
        process = self.start(FAKE_VIEW="close")
        self.assertEqual(process.wait(30), 0)
        self.assert_clean()

    def test_guest_ignores_button(self):
        process = self.start(FAKE_QEMU="deaf")
        begin = time.monotonic()
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        self.assertGreater(time.monotonic() - begin, 4)
        self.assert_clean()

    def test_second_signal_does_not_wait(self):
        process = self.start(FAKE_QEMU="deaf")
        begin = time.monotonic()
        process.terminate()
        time.sleep(0.3)
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        self.assertLess(time.monotonic() - begin, 3)
        self.assert_clean()

    def test_stubborn_qemu_is_killed(self):
        process = self.start(FAKE_QEMU="stubborn")
        for _ in range(3):
            process.terminate()
            time.sleep(0.3)
        self.assertEqual(process.wait(30), 128 + signal.SIGKILL)
        self.assert_clean()

    def test_gpu_does_not_start(self):
        result = self.venera(*self.run_args(), FAKE_GPU="fail")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.splitlines()[1:], ["venera-gpu: error: it is Monday"])
        self.assert_clean()

    def test_gpu_crashes(self):
        process = self.start(FAKE_GPU="crash")
        self.assertEqual(process.wait(30), 1)
        self.assertIn("venera: error: venera-gpu was ended by signal 9", process.stderr.read())
        self.assert_clean()

    def test_gpu_leaves(self):
        process = self.start(FAKE_GPU="leave")
        self.assertEqual(process.wait(30), 1)
        self.assertIn("venera: error: venera-gpu has ended", process.stderr.read())
        self.assert_clean()

    def test_view_fails(self):
        process = self.start(FAKE_VIEW="fail")
        self.assertEqual(process.wait(30), 1)
        errors = process.stderr.read()
        self.assertIn("venera-view: error: the window fell out of its frame\n", errors)
        self.assertIn("venera: error: venera-view ended with code 1", errors)
        self.assert_clean()

    def views(self):
        with open(self.log) as log:
            return [int(line.split()[1]) for line in log if line.startswith("view ")]

    def test_view_is_killed(self):
        """Another one takes its place, and the machine goes on."""
        picture = self.path("picture.png")
        process = self.start("--screenshot=" + picture)
        for count in (1, 2):
            os.kill(self.views()[-1], signal.SIGKILL)
            self.assertTrue(wait_until(lambda: len(self.views()) == count + 1), "no other view")
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: os.path.exists(picture)), "the new view is not told")
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(process.stderr.read().count("venera-view was ended by signal 9"), 2)
        self.assert_clean()

    def test_limits(self):
        result = self.venera(*self.run_args("--limit=objects=99", "--limit", "memory=3G",
                                            "--print-command"))
        gpu = shlex.split(result.stdout.splitlines()[0])
        self.assertIn("--limit=objects=99", gpu)
        self.assertIn("--limit=memory=3G", gpu)
        self.assert_error(self.venera(*self.run_args("--limit=objects=many")),
                          "--limit=objects=many", "from 16 to", code=2)
        self.assert_error(self.venera(*self.run_args("--limit=wishes=3")),
                          "no limit wishes", code=2)
        listed = self.venera("run", "--limit=help")
        self.assertEqual(listed.returncode, 0)
        self.assertIn("objects = 1048576", listed.stdout)

    def play_input(self, *messages, last):
        """What QEMU's monitor is told until it is told `last`, after the one key that begins it."""
        process = self.start("--display=window", DISPLAY="elsewhere:0", FAKE_VIEW="input",
                             FAKE_INPUT=json.dumps(messages))

        def events():
            with open(self.log + ".input") as file:
                return [e for line in file for e in json.loads(line) if key_of(e) != "esc"]
        self.assertTrue(wait_until(lambda: os.path.exists(self.log + ".input")))
        self.assertTrue(wait_until(lambda: last in events()), "QEMU is not told " + repr(last))
        self.file("log.done", b"")
        self.assertEqual(process.wait(30), 0)
        self.assert_clean()
        return events()

    def test_input(self):
        fast = [[2, x, 7] for x in range(2000)]
        told = self.play_input(
            [1, 30, 1], [1, 30, 1], [1, 30, 0], [1, 30, 0],  # the second of each is none
            *fast, [1, 0x110, 1], [1, 0x110, 0], [3, 0, 2], [3, 0, -1], [3, 5, 0],
            [1, 0x2ff, 1], [1, 84, 1],                       # keys that QEMU has not
            [1, 42, 1], [1, 57, 1], [4],
            last=key("spc", False))
        places = [e for e in told if e["type"] == "abs"]
        self.assertEqual(places[-2:], [place("x", 1999), place("y", 7)])
        self.assertLess(len(places), 2000)
        self.assertEqual([e for e in told if e["type"] != "abs"], [
            key("a", True), key("a", False), button("left", True), button("left", False),
            button("wheel-down", True), button("wheel-down", True), button("wheel-up", True),
            key("shift", True), key("spc", True), key("shift", False), key("spc", False)])
        self.assertEqual(told[told.index(button("left", True)) - 1], place("y", 7))

    def test_input_that_is_none(self):
        """It costs the view its say, but nothing stays pressed, and the machine runs on."""
        for bad in ([1, 0x300, 1], [1, 30], [2, 0x8000, 0], [5], [0], [4, 1]):
            with self.subTest(bad):
                for name in (".input", ".done"):
                    if os.path.exists(self.log + name):
                        os.unlink(self.log + name)
                self.assertEqual(
                    self.play_input([1, 30, 1], bad, [1, 48, 1], last=key("a", False)),
                    [key("a", True), key("a", False)])

    def test_view_that_ends_lets_go(self):
        self.file("log.done", b"")
        process = self.start("--display=window", DISPLAY="elsewhere:0", FAKE_VIEW="input",
                             FAKE_INPUT=json.dumps([[1, 30, 1]]))
        self.assertEqual(process.wait(30), 0)
        with open(self.log + ".input") as file:
            self.assertEqual(json.loads(file.read().splitlines()[-1]), [key("a", False)])

    def test_screenshot_signal(self):
        picture = self.path("picture.png")
        process = self.start("--screenshot=" + picture)
        process.send_signal(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: os.path.exists(picture)))
        process.terminate()
        self.assertEqual(process.wait(30), 0)

    def test_killed(self):
        """Not even SIGKILL leaves something behind."""
        for words in ["", "stubborn"]:
            process = self.start(FAKE_QEMU=words)
            pids = [int(line.split()[1]) for line in open(self.log)]
            self.assertEqual(sum(map(process_exists, pids)), 3)
            process.kill()
            process.wait()
            self.assertTrue(wait_until(lambda: not os.listdir(self.runtime)))
            self.assertTrue(wait_until(lambda: not any(map(process_exists, pids))))
            self.assert_clean()
            os.unlink(self.log)


class Stat(CliTest):
    ANSWER = {
        "view": True,
        "scanouts": [{
            "id": 0, "resource": 5, "width": 640, "height": 480, "direct": True, "flushes": 12,
            "frames": 11, "direct_frames": 10, "dropped_frames": 1, "cpu_copied_bytes": 4096,
            "gpu_blits": 22,
            "flush_to_present_ns": {"last": 1500000, "mean": 2000000, "max": 31000000}}],
        "contexts": [{
            "id": 3, "name": "a \"cube\"", "lost": False, "commands": 100, "submissions": 7,
            "ring_wakeups": 2, "memory_objects": 4, "memory_bytes": 3 << 19}]}

    def serve(self, path, answer):
        """Plays venera-gpu's control socket for one who asks."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(5)

        def run():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    if client.recv(100) == b"stat\n":
                        client.sendall(answer)
        thread = threading.Thread(target=run)
        thread.start()

        def stop():
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            listener.close()
        self.addCleanup(stop)

    def test_text(self):
        self.serve(self.runtime + "/venera-aaaaaa/control.sock", json.dumps(self.ANSWER).encode())
        # one that was killed
        os.mkdir(self.runtime + "/venera-bbbbbb")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.runtime + "/venera-bbbbbb/control.sock")
        result = self.venera("stat")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines(), [
            "scanout 0: 640x480, resource 5, shown from the guest's GPU memory",
            "  12 flushes, 11 frames (10 from GPU memory), 1 dropped",
            "  4096 bytes copied by a CPU, 22 GPU blits",
            "  flush to present: last 1.50 ms, mean 2.00 ms, slowest 31.00 ms",
            'context 3 (a "cube")',
            "  100 commands, 7 submissions, 2 ring wake-ups",
            "  1.5 MiB in 4 pieces of GPU memory"])

    def test_json(self):
        self.serve(self.path("c.sock"), json.dumps(self.ANSWER).encode())
        result = self.venera("stat", "--json", "--socket=" + self.path("c.sock"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout), self.ANSWER)

    def test_several(self):
        for name in "ab":
            self.serve(self.runtime + "/venera-%s/control.sock" % name, b"{}")
        result = self.venera("stat")
        self.assertEqual(result.returncode, 1)
        for name in "ab":
            self.assertIn("--socket=%s/venera-%s/control.sock" % (self.runtime, name),
                          result.stderr)

    def test_errors(self):
        self.assert_error(self.venera("stat", "--socket=/none/c.sock"), "/none/c.sock")
        self.assert_error(self.venera("stat", "--socket"), "needs a value", code=2)
        self.assert_error(self.venera("stat", "3"), "'3'", code=2)
        for number, answer in enumerate((b"", b"{", b"[]", b'{"scanouts"', b"x" * 5000)):
            path = self.path("%d.sock" % number)
            self.serve(path, answer)
            self.assert_error(self.venera("stat", "--socket=" + path), "not venera-gpu")


class Doctor(CliTest):
    def test_failures(self):
        result = self.venera("doctor", "--qemu=/none/qemu", VK_DRIVER_FILES="/none.json")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAIL  QEMU: ", result.stdout)
        self.assertIn("/none/qemu", result.stdout)
        self.assertIn("FAIL  Vulkan", result.stdout)
        self.assertIn("warn  display: no display", result.stdout)
        for line in result.stdout.splitlines()[:-1]:
            self.assertIn(line[:6], ["ok    ", "warn  ", "FAIL  "])
        self.assert_clean()

    def test_driver_that_crashes(self):
        manifest = Host.manifest(self)
        result = self.venera("doctor", "--driver=" + manifest, FAKE_ICD="crash")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAIL  fake_icd.json: the Vulkan driver crashes", result.stdout)

    def test_old_qemu(self):
        result = self.venera("doctor", FAKE_QEMU="version=8.2.0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAIL  QEMU: QEMU is too old", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
