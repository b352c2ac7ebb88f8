#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_faults.py [--all] vtest|render|gpu FOLDER FAKE-ICD.JSON CLIENT: the N-th call of each kind
fails (fail.c, whose programs are in FOLDER) in the program, for N = 1, 2 and so on, until a run
passes without that; without --all, some of these N. What may come of it is an error in the log or
the loss of a context: never a crash, a hang, or something that is left behind."""

import os
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "vtest"))
sys.path.insert(0, os.path.join(HERE, "..", "gpu"))
import harness  # noqa: E402

KINDS = ("memory", "map", "fd", "space", "receive", "process")
SANITIZERS = ("AddressSanitizer:", "detected memory leaks", "runtime error:", "fake driver:")
CLIENT_TIME = 60


def check_log(log):
    for word in SANITIZERS:
        harness.check(word not in log, word)


def check_code(code, log):
    harness.check(code in (0, 1), "the program ended with code %s" % code)
    if code:
        harness.check("error" in log or "cannot" in log or "out of memory" in log,
                      "it ended without saying why")


def end_client(server, process):
    """Mesa's client waits for ever for what comes after the end of its connection."""
    deadline = time.monotonic() + CLIENT_TIME
    cut_off = None
    while True:
        try:
            process.communicate(timeout=0.2)
            return
        except subprocess.TimeoutExpired:
            pass
        if server.process.poll() is not None or any(
                words in server.log() for words in ("connection closed", "not be accepted")):
            cut_off = cut_off or time.monotonic()
        if cut_off and time.monotonic() - cut_off > 1:
            break
        if time.monotonic() > deadline:
            break
    process.kill()
    process.communicate()
    harness.check(cut_off, "the client hangs")


def try_server(folder, icd, client):
    """A client of venera-vtest, whose render process is of the same folder. The fault is in either."""
    with tempfile.TemporaryDirectory() as place:
        try:
            server = harness.Server(os.path.join(folder, "venera-vtest"), place,
                                    ["--driver=" + icd, "--no-spare"])
        except harness.Failure as failure:
            with open(os.path.join(place, "log"), encoding="utf-8", errors="replace") as log:
                text = log.read()
            harness.check("does not start" in str(failure), str(failure) + text)
            check_log(text)
            harness.check("error" in text, "it does not start and does not say why:" + text)
            return
        try:
            process = server.start(client)
            end_client(server, process)
            if server.process.poll() is None:
                harness.wait_until(lambda: not server.render_processes(),
                                   "the render processes are gone", 10)
                server.process.terminate()
            check_code(server.process.wait(20), server.log())
            check_log(server.log())
            harness.check("signal" not in server.log().replace("signal 15: ending", ""),
                          "a render process crashed")
        except (harness.Failure, subprocess.TimeoutExpired):
            print(server.log()[-4000:])
            server.process.kill()
            raise


def try_device(folder):
    """venera-gpu with a front end that uses a bit of everything."""
    import front_end as f
    from fake_render import Blob
    started = []

    class Gpu(f.Gpu):
        """Known also when the front end cannot connect to it."""

        def __init__(self, *arguments, **more):
            super().__init__(*arguments, **more)
            started.append(self)

    front_gpu, f.Gpu = f.Gpu, Gpu
    front = None
    try:
        front = f.FrontEnd(os.path.join(folder, "venera-gpu"))
        front.start()
        for request in (f.get_display_info(), f.ctx_create(1), f.create_2d(5, 64, 64),
                        f.create_blob(7, Blob.PLAIN if hasattr(Blob, "PLAIN") else 1),
                        f.submit(1, 1, fence=1, ring=1)):
            front.send(request)
        front.quiet(0.2)
    except (f.Failure, OSError, EOFError):
        pass  # it may end at any time; how, is looked at below
    finally:
        f.Gpu = front_gpu
    gpu = started[0]
    try:
        if front:
            front.main.close()
            if front.backend:
                front.backend.close()
        code = gpu.process.wait(20)
        check_code(code, gpu.log())
        check_log(gpu.log())
    except (harness.Failure, subprocess.TimeoutExpired) as failure:
        print(gpu.log()[-4000:])
        raise harness.Failure(str(failure)) from None
    finally:
        gpu.finish()


def try_views(folder):
    """A view that cannot be accepted is tried again, but not without a pause."""
    for number in range(1, 7):
        with tempfile.TemporaryDirectory() as place:
            front, views = os.path.join(place, "front"), os.path.join(place, "view")
            env = dict(os.environ, VENERA_FAIL="venera-gpu:fd:%d+" % number)
            gpu = subprocess.Popen([os.path.join(folder, "venera-gpu"), "--socket-path=" + front,
                                    "--view-socket=" + views],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, text=True)
            harness.wait_until(lambda: os.path.exists(views) or gpu.poll() is not None, "it listens")
            with socket.socket(socket.AF_UNIX) as view:
                if gpu.poll() is None:
                    view.connect(views)
                    time.sleep(0.3)
                gpu.kill()
                lines = gpu.communicate()[1].splitlines()
            harness.check(len(lines) < 50, "%d lines, the last one: %s" % (len(lines), lines[-1:]))


def numbers(everything):
    number = 1
    while True:
        yield number
        number += 1 if everything or number < 4 else number // 2


def main():
    arguments = sys.argv[1:]
    everything = arguments[0] == "--all"
    program, folder, icd, client = arguments[everything:][:4]
    os.environ["VENERA_BINDIR"] = folder
    os.environ["VENERA_HOST_VENERA_FAKE_DRIVER"] = "all_extensions=1"
    if program == "gpu":
        try_views(folder)
    for kind in KINDS:
        for end in ("", "+"):
            for number in numbers(everything):
                with tempfile.TemporaryDirectory() as place:
                    report = os.path.join(place, "report")
                    os.environ["VENERA_FAIL"] = "venera-%s:%s:%d%s" % (program, kind, number, end)
                    os.environ["VENERA_FAIL_REPORT"] = report
                    try:
                        if program == "gpu":
                            try_device(folder)
                        else:
                            try_server(folder, icd, [client, "--driver=venus"])
                    except harness.Failure:
                        print("with VENERA_FAIL=" + os.environ["VENERA_FAIL"], flush=True)
                        raise
                    if not os.path.exists(report) or not os.path.getsize(report):
                        print("%s: %d%s was not reached" % (kind, number, end), flush=True)
                        break


if __name__ == "__main__":
    main()
