#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_stat.py VENERA-GPU [TEST...]: the counters, and the control socket."""

import json
import mmap
import os
import socket
import struct
import sys
import time

from front_end import *

GPU = sys.argv[1]
# Guest memory that the front end does not use itself.
PAGES = 0x1800000


def start(view=True, arguments=(), **more):
    import tempfile
    folder = tempfile.mkdtemp(prefix="venera-stat-")
    path = os.path.join(folder, "control.sock")
    arguments = ["--control-socket=" + path, *arguments]
    fds = []
    if view:
        ours, theirs = socket.socketpair()
        arguments.append("--view-fd=%d" % theirs.fileno())
        fds = [theirs.fileno()]
    f = FrontEnd(GPU, *arguments, fds=fds, **more)
    f.control, f.folder = path, folder
    if view:
        theirs.close()
        f.view = View(ours)
    return f.start()


def finish(f):
    f.gpu.process.terminate()
    check_equal(f.gpu.wait(), 0, "the exit code")
    check(not os.path.exists(f.control), "the control socket is left behind")
    os.rmdir(f.folder)
    f.gpu.finish()


def connect(f):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(TIMEOUT)
    client.connect(f.control)
    return client


def ask(f, request=b"stat\n"):
    with connect(f) as client:
        client.sendall(request)
        answer = b""
        while True:
            part = client.recv(4096)
            if not part:
                return json.loads(answer)
            answer += part


def show_frame(f, head):
    def seen():
        f.view.pump()
        return f.is_done(head)
    f.wait(seen, "the flush")
    f.take(head)


def test_scanouts():
    f = start()
    before = ask(f)
    check_equal(before["view"], True, "view")
    check_equal([s["resource"] for s in before["scanouts"]], [0], "the resource")
    check_equal(before["contexts"], [], "the contexts")

    # copied from guest memory
    f.command(create_2d(5, 64, 32))
    f.command(attach_backing(5, [(PAGES, 64 * 32 * 4)]))
    f.command(set_scanout(5, (0, 0, 64, 32)))
    f.command(transfer(5, (0, 0, 64, 32)))
    check_equal(ask(f)["scanouts"][0]["cpu_copied_bytes"], 0, "bytes of what is not shown yet")
    show_frame(f, f.send(flush(5, (0, 0, 64, 32))))
    f.command(transfer(5, (3, 3, 10, 2), offset=(3 * 64 + 3) * 4))
    show_frame(f, f.send(flush(5, (0, 0, 64, 32))))
    scanout = ask(f)["scanouts"][0]
    check_equal((scanout["resource"], scanout["width"], scanout["height"], scanout["direct"]),
                (5, 64, 32, False), "what is shown")
    check_equal(scanout["cpu_copied_bytes"], (64 * 32 + 10 * 2) * 4, "the bytes copied")
    check_equal((scanout["flushes"], scanout["frames"], scanout["direct_frames"],
                 scanout["gpu_blits"], scanout["dropped_frames"]), (2, 2, 0, 2, 0), "the counters")
    latency = scanout["flush_to_present_ns"]
    check(0 < latency["last"] <= latency["max"] < 10**10 and
          0 < latency["mean"] <= latency["max"], "flush to present: %r" % latency)

    # from shared memory of a render process
    f.command(ctx_create(1, b'cu"be'))
    f.command(create_blob(6, 0x1000, 64 * 32 * 4, flags=3))
    f.command(set_scanout_blob(6, (0, 0, 64, 32), 64, 32, 256))
    for i in range(5):
        show_frame(f, f.send(flush(6, (0, 0, 64, 32), fence=i)))
    scanout = ask(f)["scanouts"][0]
    check_equal((scanout["resource"], scanout["direct"]), (6, True), "what is shown")
    check_equal(scanout["cpu_copied_bytes"], (64 * 32 + 10 * 2) * 4, "the bytes copied")
    check_equal((scanout["frames"], scanout["direct_frames"], scanout["gpu_blits"]), (7, 5, 7),
                "the frames")

    # gathered while one is under way: the first of three is a frame, the others together
    f.view.present = False
    heads = [f.send(flush(6, (0, 0, 64, 32))) for _ in range(3)]
    f.wait(lambda: f.view.pump() or f.view.unanswered, "the flush at the view")
    settle(f)
    f.view.present = True
    f.view.answer_all()
    show_frame(f, heads[-1])
    # what the view did not show is no frame
    f.view.present = False
    head = f.send(flush(6, (0, 0, 64, 32)))
    f.wait(lambda: f.view.pump() or f.view.unanswered, "the flush at the view")
    serial, output = f.view.unanswered.pop()
    f.view.answer(serial, output, blits=0, shown=False)
    f.take(head)
    scanout = ask(f)["scanouts"][0]
    check_equal((scanout["flushes"], scanout["frames"], scanout["dropped_frames"]), (11, 9, 2),
                "the counters")
    finish(f)


def settle(f, seconds=0.1):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        f.quiet(0.01)
        f.view.pump()


def test_contexts():
    """What render processes count is read from their memory when somebody asks."""
    f = start(view=False, arguments=["--limit=memory-objects=16000", "--limit=contexts=100"])
    check_equal(ask(f)["view"], False, "view")
    f.command(ctx_create(7, b'cu"b\\e\n'))
    f.command(submit(7, 0, fence=1, ring=0))  # it runs
    f.command(ctx_create(8, init=0))          # has no process
    context, = ask(f)["contexts"]
    check_equal((context["id"], context["name"], context["lost"]), (7, 'cu"b\\e?', False),
                "the context")
    check_equal([context["process"]], [c[0] for c in f.gpu.children()], "the process")
    names = ("commands", "submissions", "ring_wakeups", "memory_objects", "memory_bytes")
    # the fake counts its requests everywhere
    check_equal([context[name] for name in names], [1, 1001, 2001, 3001, 4001], "the counters")
    check_equal(context["limits"]["memory-objects"], {"used": 3001, "max": 16000}, "a limit")
    check_equal(context["limits"]["context-resources"], {"used": 0, "max": 8192}, "a limit")
    check_equal(ask(f)["limits"]["contexts"], {"used": 2, "max": 100}, "a limit")
    f.command(submit(7, 0, fence=2, ring=0))
    context, = ask(f)["contexts"]
    check_equal([context[name] for name in names], [2, 1002, 2002, 3002, 4002], "the counters")
    f.command(ctx_destroy(7))
    check_equal(ask(f)["contexts"], [], "the contexts")
    finish(f)


def test_bad_clients():
    f = start()
    check("error" in ask(f, b"what?\n"), "an unknown request is not refused")
    check("error" in ask(f, b"\n"), "an empty request is not refused")
    check("error" in ask(f, b"stat stat\n"), "a request with an argument is not refused")
    ask(f, b"stat\r\n")
    # more than a request
    with connect(f) as client:
        try:
            client.sendall(b"x" * 1000)
            check_equal(client.recv(100), b"", "the answer to a line without end")
        except (ConnectionResetError, BrokenPipeError):
            pass
    # silent ones, more than are served at once: an honest one is answered, the oldest are gone
    silent = [connect(f) for _ in range(20)]
    ask(f)
    check_equal(silent[0].recv(100), b"", "the answer to a silent client")
    # the device did not wait for any of them
    f.command(create_2d(5, 64, 64))
    for client in silent:
        client.close()
    # gone before the answer
    for _ in range(50):
        client = connect(f)
        client.sendall(b"stat\n")
        client.close()
    ask(f)
    finish(f)


def test_before_the_front_end():
    """There is an answer when nobody has connected yet."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="venera-stat-") as folder:
        gpu = Gpu(GPU, "--socket-path=%s/gpu.sock" % folder,
                  "--control-socket=%s/control.sock" % folder)
        gpu.control = os.path.join(folder, "control.sock")
        deadline = time.monotonic() + TIMEOUT
        while not os.path.exists(gpu.control) and time.monotonic() < deadline:
            time.sleep(0.01)
        check_equal(ask(gpu)["contexts"], [], "the contexts")
        # a second one is refused, a file is not overwritten
        with open(os.path.join(folder, "file"), "w"):
            pass
        for name in ("control.sock", "file"):
            other = Gpu(GPU, "--socket-path=%s/other.sock" % folder,
                        "--control-socket=%s/%s" % (folder, name))
            check_equal(other.wait(), 1, "the exit code")
            check("--control-socket" in other.log(), "nothing said: " + other.log())
            other.finish()
        gpu.process.terminate()
        check_equal(gpu.wait(), 0, "the exit code")
        gpu.finish()


TESTS = {name[5:]: value for name, value in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], TESTS))
