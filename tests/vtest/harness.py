# SPDX-License-Identifier: MIT
"""A running venera-vtest and Mesa clients for it. Every test of this folder begins with
main(), which gives it a server and sees to it that nothing of that is left at the end."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
# Clients of a software renderer on a busy machine: meson's own limits are larger than this.
TIMEOUT = 120


# as venera-render names what guests can map; the second one in a portable build
MEMORY_NAMES = ("/memfd:venus-memory", "/dev/shm/venus-memory.")
# as ipc/render_protocol.h says
SPARE_NAME = "venera-spare"


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIPPED)


def find_manifest(name):
    for folder in ("/etc", "/usr/local/share", "/usr/share", "/usr/local/etc"):
        for path in glob.glob("%s/vulkan/icd.d/%s*.json" % (folder, name)):
            return path
    skip("there is no Vulkan driver %s" % name)


def need(program):
    if not shutil.which(program):
        skip("there is no " + program)
    return program


def wait_until(condition, what, timeout=30):
    end = time.monotonic() + timeout
    while not condition():
        check(time.monotonic() < end, "not within %d s: %s" % (timeout, what))
        time.sleep(0.02)


def clean_environment():
    """Without what decides about Vulkan drivers and layers, and without a display."""
    env = dict(os.environ)
    for name in list(env):
        if name.startswith(("VK_", "VN_", "VTEST_", "MESA_", "LIBGL_")) or name in (
                "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"):
            del env[name]
    return env


def settings(prefix):
    """With "VENERA_HOST_", VENERA_HOST_X=Y stands for X=Y on the host's side only, as to put a layer over its
    driver; with "VENERA_GUEST_" on the client's."""
    return {name[len(prefix):]: value for name, value in os.environ.items()
            if name.startswith(prefix)}


class Server:
    """venera-vtest and its render processes, on a software driver."""

    def __init__(self, program, folder, options=()):
        self.program = program
        self.socket = os.path.join(folder, "vtest")
        self.log_path = os.path.join(folder, "log")
        self.host_driver = find_manifest(os.environ.get("VENERA_TEST_DRIVER", "lvp_icd"))
        self.venus_driver = find_manifest("virtio_icd")
        env = clean_environment()
        env.update(settings("VENERA_HOST_"))
        # Validation layers print here, too.
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, "--socket-path=" + self.socket, "--driver=" + self.host_driver,
                 *options],
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: "listening" in self.log() or self.process.poll() is not None,
                   "the server listens")
        check(self.process.poll() is None, "the server does not start")
        self.idle_fds = None
        wait_until(self.is_settled, "the server waits for clients")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def client_environment(self):
        env = clean_environment()
        env["VN_DEBUG"] = "vtest"
        env["VTEST_SOCKET_NAME"] = self.socket
        env["VK_DRIVER_FILES"] = self.venus_driver
        env.update(settings("VENERA_GUEST_"))
        return env

    def host_environment(self):
        """To run a program without Venera, on the driver that it would use."""
        env = clean_environment()
        env["VK_DRIVER_FILES"] = self.host_driver
        return env

    def start(self, command, env=None, **more):
        settings = self.client_environment()
        settings.update(env or {})
        # a client that aborts need not write a core file
        return subprocess.Popen(["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", *command],
                                env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace", **more)

    def run(self, command, env=None, timeout=TIMEOUT):
        """Runs a client, which must succeed; returns what it printed."""
        return finish(self.start(command, env), command, timeout)

    def is_settled(self):
        """Remembers the number of descriptors when it has stopped to change."""
        before, self.idle_fds = self.idle_fds, self.count_fds()
        time.sleep(0.05)
        return before == self.idle_fds

    def count_fds(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def children(self):
        """The render processes, which the server's broker started."""
        found = []
        for broker in children_of(self.process.pid):
            found += children_of(broker)
        return found

    def spares(self):
        """Those that wait for a client. One that has just been started is not yet known as such: who must
        not take it for a client's gives the server --no-spare."""
        return [pid for pid in self.children() if process_name(pid) == SPARE_NAME]

    def render_processes(self):
        """Those of clients."""
        return [pid for pid in self.children() if process_name(pid) != SPARE_NAME]

    def expect_idle(self):
        """Nothing must be left of the clients that there were."""
        wait_until(lambda: not self.render_processes(), "the render processes are gone", 10)
        wait_until(lambda: self.count_fds() == self.idle_fds,
                   "the server has as many descriptors as in the beginning", 10)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure("the server did not end in time") from None
        check(code == 0, "the server ended with code %d" % code)
        check(not os.path.exists(self.socket), "the server left its socket")


def finish(process, command, timeout=TIMEOUT, code=0):
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        print(output)
        raise Failure("%s did not end within %d s" % (command[0], timeout)) from None
    if code is not None and process.returncode != code:
        print(output)
        raise Failure("%s ended with code %d" % (" ".join(command), process.returncode))
    return output


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


def process_name(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""  # it has just ended


def status_field(pid, name):
    """A size in /proc/PID/status in bytes; 0 if it is not there."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def descendants(pid):
    """The process and all that it started."""
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, task), encoding="ascii") as pids:
                    found += [int(child) for child in pids.read().split()]
        except OSError:
            pass  # it has just ended
    return found


def is_memory(text):
    return any(name in text for name in MEMORY_NAMES)


def memory_holders(pid):
    """Who of the process and all that it started holds device memory of guests: {program: (mappings,
    descriptors)}."""
    found = {}
    for process in descendants(pid):
        folder = "/proc/%d/" % process
        try:
            with open(folder + "comm", encoding="ascii", errors="replace") as comm:
                name = comm.read().strip()
            with open(folder + "maps", encoding="utf-8", errors="replace") as maps:
                mapped = sum(is_memory(line) for line in maps)
            opened = 0
            for fd in os.listdir(folder + "fd"):
                opened += is_memory(os.readlink(folder + "fd/" + fd))
        except OSError:
            continue
        if mapped or opened:
            found[name] = (mapped, opened)
    return found


def most_held(found):
    return max((number for numbers in found.values() for number in numbers), default=0)


@contextlib.contextmanager
def display(folder, size="640x480"):
    """An X server of our own; gives the environment for its clients."""
    need("Xvfb")
    read_fd, write_fd = os.pipe()
    with open(os.path.join(folder, "xvfb.log"), "wb") as log:
        xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", size + "x24", "-nolisten",
             "tcp", "-noreset"],  # a reset, when a client leaves, would turn the next one away
            pass_fds=[write_fd], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as number:
            name = number.readline().strip()
        check(name, "Xvfb does not start")
        yield {"DISPLAY": ":" + name}
    finally:
        xvfb.terminate()
        xvfb.wait()


def main(test, *options):
    """Calls test(server, folder, arguments), where the arguments are those of the command line
    behind the path of venera-vtest."""
    folder = tempfile.mkdtemp(prefix="venera-test-")
    server = None
    try:
        server = Server(sys.argv[1], folder, options)
        test(server, folder, sys.argv[2:])
        server.expect_idle()
        server.stop()
    except Failure as failure:
        print("failed: %s" % failure)
        if server:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
            print("--- log of the server\n%s" % server.log()[-20000:])
        sys.exit(1)
    finally:
        if server and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        shutil.rmtree(folder, ignore_errors=True)
