#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_limits.py VENERA-GPU [TEST...]: what guests can have, and how long is waited for a render
process. After each the others go on."""

import os
import signal
import socket
import sys
import time

from fake_render import Blob, Do
from front_end import *

GPU = sys.argv[1]
MIB = 1 << 20


def goes_on(f, context):
    """Another context gets its commands done and its memory mapped."""
    f.command(submit(context, 1, fence=1, ring=1))
    f.command(create_blob(900, 5, context=context))
    f.command(unref(900))


def hang(f, context):
    """Gives its process work without an end, and waits until it has begun."""
    f.command(submit(context, Do.HANG))
    f.wait(lambda: any(r[1:] == ["submit", "%x" % Do.HANG] for r in f.gpu.requests()),
           "the begin of the work")


def start(*limits, arguments=(), **more):
    f = FrontEnd(GPU, *("--limit=" + limit for limit in limits), *arguments, **more).start()
    f.command(ctx_create(50))
    return f


def finish(f, *lines):
    """The log has each of these lines, once."""
    goes_on(f, 50)
    log = f.gpu.log()
    for line in lines:
        check_equal(log.count(line), 1, "%r in the log:\n%s" % (line, log))
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_contexts():
    f = start("contexts=3")
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    for context in range(3, 8):
        f.command(ctx_create(context), ERR_OUT_OF_MEMORY)
    f.command(ctx_destroy(1))
    f.wait(lambda: len(f.gpu.children()) == 2, "the end of the process")
    f.command(ctx_create(3))
    finish(f, "limit reached: contexts=3")


def test_resources():
    f = start("resources=10", "context-resources=4", "attachments=6")
    f.command(ctx_create(1))
    for i in range(1, 5):
        f.command(create_blob(i, 5))
    for i in range(5, 9):
        f.command(create_blob(i, 5), ERR_OUT_OF_MEMORY)
    # the other context has its own, up to what all may have
    for i in range(5, 9):
        f.command(create_blob(i, 5, context=50), OK)
    f.command(create_blob(9, 5, context=50), ERR_OUT_OF_MEMORY)
    # their creators are attached to them; for the last two there was no room
    f.command(ctx_attach(50, 1), ERR_OUT_OF_MEMORY)
    f.command(create_2d(9, 4, 4))
    f.command(create_2d(10, 4, 4))
    f.command(create_2d(11, 4, 4), ERR_OUT_OF_MEMORY)
    f.command(unref(1))
    f.command(create_blob(1, 5))
    f.command(unref(9))
    # what a context made stays when it is destroyed, but counts no more for its successor
    f.command(ctx_destroy(1))
    f.command(ctx_create(1))
    f.command(create_blob(9, 5))
    for i in range(1, 11):
        f.command(unref(i))
    finish(f, "context 1 (test): limit reached: context-resources=4",
           "context 50 (test): limit reached: context-resources=4",
           "limit reached: attachments=6", "limit reached: resources=10")


def test_mappings():
    f = start("mappings=5", "context-mappings=3")
    f.command(ctx_create(1))
    for i in range(1, 9):
        f.command(create_blob(i, 5, context=1 if i < 5 else 50))
    for i in range(1, 4):
        f.command(map_blob(i, i * PAGE), MAP_INFO)
    f.command(map_blob(4, 4 * PAGE), ERR_OUT_OF_MEMORY)
    f.command(map_blob(5, 5 * PAGE), MAP_INFO)
    f.command(map_blob(6, 6 * PAGE), MAP_INFO)
    f.command(map_blob(7, 7 * PAGE), ERR_OUT_OF_MEMORY)
    f.command(unmap_blob(2))
    f.command(map_blob(4, 4 * PAGE), MAP_INFO)
    f.command(unref(4))
    f.command(map_blob(2, 2 * PAGE), MAP_INFO)
    finish(f, "limit reached: mappings=5", "limit reached: context-mappings=3")


def test_memory_of_the_device():
    f = start("screen-memory=1M", "backing-pieces=80")
    f.command(create_2d(1, 1024, 1024), ERR_OUT_OF_MEMORY)
    f.command(create_2d(1, 512, 300))
    f.command(create_2d(2, 512, 300), ERR_OUT_OF_MEMORY)
    f.command(unref(1))
    f.command(create_2d(2, 512, 300))
    f.command(attach_backing(2, [(i << 13, 1) for i in range(11)]), ERR_OUT_OF_MEMORY)
    for i in range(10, 18):
        f.command(create_2d(i, 4, 4))
        f.command(attach_backing(i, [(i << 13, 1) for i in range(10)]))
    f.command(attach_backing(2, [(0, 1)]), ERR_OUT_OF_MEMORY)
    f.command(unref(10))
    f.command(attach_backing(2, [(0, 1)]))
    finish(f, "limit reached: screen-memory=1M", "limit reached: backing-pieces=80")


def test_shared_totals():
    """Each process learns what the others have, what is left of those that are gone, and no more
    than they can have."""
    f = start("shared-memory=100M", "memory=500M")

    def others(context):
        f.command(submit(context, Do.TELL_OTHERS, fence=1, ring=0))
        told = [r for r in f.gpu.requests() if r[1] == "others"][-1]
        return int(told[2]) >> 20, int(told[3]) >> 20

    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(submit(1, Do.USE, 30, 7, fence=1, ring=0))
    f.wait(lambda: others(50)[0] == 30, "the others' memory")
    check_equal(others(50), (30, 7), "what others have")
    f.command(submit(2, Do.USE, 5000, 9, fence=1, ring=0))
    f.wait(lambda: others(50)[0] == 130, "the others' memory")
    check_equal((others(50), others(1)), ((130, 16), (100, 9)), "what others have")
    f.command(create_blob(7, 5, size=20 * MIB))
    f.command(ctx_destroy(1))
    f.command(submit(2, Do.USE, 0, 0, fence=1, ring=0))
    f.wait(lambda: others(50) == (20, 0), "the memory without an owner: %r" % (others(50),))
    f.command(unref(7))
    f.command(ctx_create(3))
    check_equal(others(50), (0, 0), "what others have")
    # of a lost one what it showed stays
    f.command(create_blob(7, 5, size=10 * MIB, context=3))
    f.command(submit(3, Do.USE, 60, 60, fence=1, ring=0))
    f.wait(lambda: others(50) == (60, 60), "the others' memory")
    f.command(submit(3, Do.BAD_USAGE, fence=1, ring=0))
    f.wait(lambda: others(50) == (10, 0), "the lost one's memory")
    finish(f, "context 3 (test) is lost")


def test_unanswered():
    """A process that owes an answer, and does nothing else, is given up."""
    f = start("answer-time=400ms")
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    fence = f.send(submit(1, 1, fence=5, ring=3))
    begin = time.monotonic()
    f.command(create_blob(7, Blob.HELD), ERR_UNSPEC)
    check(time.monotonic() - begin > 0.35, "it had no time to answer")
    check_equal(f.take(fence).type, OK)
    f.command(create_blob(7, 5), ERR_UNSPEC)
    f.wait(lambda: len(f.gpu.children()) == 1, "the end of the process", 5)
    f.command(ctx_destroy(1))
    finish(f, "its render process has not answered within answer-time=400ms")


def test_answers_in_time():
    """Those that answer, if slowly, are not given up."""
    f = start("answer-time=2")
    f.command(ctx_create(1))
    for i in range(8):
        heads = [f.send(create_blob(10 + 2 * i + j, Blob.HELD)) for j in range(2)]
        f.quiet(0.3)
        f.command(submit(1, Do.RELEASE))
        for head in heads:
            check_equal(f.take(head).type, OK)
    finish(f)


def test_guest_work():
    """What the guest gave it to do may take as long as it likes: only the guest waits."""
    f = start("answer-time=300ms")
    f.command(ctx_create(1))
    hang(f, 1)
    fence = f.send(submit(1, 1, fence=5, ring=0))
    create = f.send(create_blob(7, 5))
    mapped = f.send(map_blob(7, 0))
    for _ in range(6):
        f.quiet(0.2)
        f.command(submit(50, 1, fence=1, ring=1))
    check(not any(f.is_done(h) for h in (fence, create, mapped)), "guest work was cut short")
    f.command(ctx_destroy(1))
    check_equal(f.take(fence).type, OK)
    check(f.take(create).type >= ERR_UNSPEC, "a blob was made by nobody")
    check_equal(f.take(mapped).type, ERR_RESOURCE)
    finish(f)


def test_others_wait():
    """But not what another context, or the screen, waits for."""
    for waiter in (ctx_attach(50, 7), set_scanout_blob(7, (0, 0, 8, 8), 8, 8, 32),
                   flush(7, (0, 0, 8, 8))):
        f = start("answer-time=300ms")
        f.command(ctx_create(1))
        hang(f, 1)
        create = f.send(create_blob(7, 5))
        waiting = f.send(waiter)
        behind = f.send(submit(50, 1, fence=5, ring=0))
        check(f.take(create).type >= ERR_UNSPEC, "a blob was made by nobody")
        check_equal(f.take(waiting).type, ERR_RESOURCE)
        check_equal(f.take(behind).type, OK)
        f.command(ctx_destroy(1))
        finish(f, "its render process has not answered within answer-time=300ms")


def test_queue_is_everybodys():
    """Who fills the queue with requests that get no answer loses them; who has fewer does not."""
    f = start("answer-time=300ms", "fences=100")
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    hang(f, 1)
    f.command(submit(2, Do.HOLD))
    few = [f.send(submit(2, 1, fence=i + 1, ring=1)) for i in range(99)]
    many = [f.send(submit(1, 1, fence=i + 1, ring=1)) for i in range(100)]
    for head in many:
        check_equal(f.take(head).type, OK)
    f.quiet(0.8)
    check(not any(f.is_done(head) for head in few), "a fence is early")
    f.command(submit(2, Do.RELEASE))
    for head in few:
        check_equal(f.take(head).type, OK)
    goes_on(f, 2)
    finish(f, "context 1 (test) is lost: it has 100 requests in the queue")


def test_slow_but_moving():
    """As long as one is answered now and then, the others may wait."""
    f = start("answer-time=1500ms", "fences=10")
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    heads = [f.send(submit(1, 1, fence=i + 1, ring=1)) for i in range(20)]
    for i in range(6):
        f.quiet(0.3)
        f.command(submit(1, Do.RELEASE_ONE, 1))
        check_equal(f.take(heads[i]).type, OK)
    f.command(submit(1, Do.RELEASE))
    for head in heads[6:]:
        check_equal(f.take(head).type, OK)
    goes_on(f, 1)
    finish(f)


def test_hanging_everywhere():
    """Neither a reset nor the end waits for processes that hang."""
    f = start("answer-time=60")
    for context in range(1, 6):
        f.command(ctx_create(context))
        f.command(submit(context, Do.HANG))
        f.send(submit(context, 1, fence=5, ring=0))
        f.send(create_blob(context, 5, context=context))
    f.quiet(0.3)
    begin = time.monotonic()
    f.reboot()
    f.command(ctx_create(50))
    goes_on(f, 50)
    check(time.monotonic() - begin < 1.5, "the reset took too long")
    f.wait(lambda: len(f.gpu.children()) == 1, "the end of the processes", 5)
    for context in range(1, 6):
        f.command(ctx_create(context))
        f.command(submit(context, Do.HANG))
    f.quiet(0.3)
    begin = time.monotonic()
    check_equal(f.close(), 0, "the exit code")
    check(time.monotonic() - begin < 5, "it takes too long to end")
    f.gpu.finish()


def test_killed_processes():
    """Again and again, in the middle of their work: nothing is left of them, and the screen goes on."""
    ours, theirs = socket.socketpair()
    f = start(arguments=["--view-fd=%d" % theirs.fileno()], fds=[theirs.fileno()])
    theirs.close()
    f.view = View(ours)
    pid = f.gpu.process.pid
    f.command(create_blob(800, 0x1000, 64 * 32 * 4, flags=3, context=50))
    f.command(set_scanout_blob(800, (0, 0, 64, 32), 64, 32, 256))

    def show():
        head = f.send(flush(800, (0, 0, 64, 32)))
        f.wait(lambda: f.view.pump() or f.is_done(head), "a frame")
        f.take(head)

    def usage():
        with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as maps:
            return len(os.listdir("/proc/%d/fd" % pid)), sum("memfd" in line for line in maps)

    show()
    before, ((witness, _),) = None, f.gpu.children()
    for turn in range(25):
        context = 1 + turn % 3
        f.command(ctx_create(context))
        f.command(submit(context, Do.HOLD if turn % 2 else 1))
        f.wait(lambda: len(f.gpu.children()) == 2, "the process")
        fences = [f.send(submit(context, 1, fence=10 + i, ring=i % 4)) for i in range(8)]
        made = [f.send(create_blob(i, Blob.HELD if turn % 2 else 5, context=context))
                for i in range(1, 5)]
        mapped = [f.send(map_blob(i, i * PAGE)) for i in range(1, 5)]
        show()
        os.kill(next(p for p, _ in f.gpu.children() if p != witness), signal.SIGKILL)
        for head in fences:
            check_equal(f.take(head).type, OK)
        check(all(f.take(head).type in (OK, ERR_UNSPEC) for head in made), "a blob")
        check(all(f.take(head).type in (MAP_INFO, ERR_RESOURCE) for head in mapped), "a map")
        show()
        for i in range(1, 5):
            f.take(f.send(unref(i)))
        f.command(ctx_destroy(context))
        f.wait(lambda: len(f.gpu.children()) == 1, "the end of the process")
        if turn == 2:
            before = usage()
    check_equal(usage(), before, "descriptors and mappings of shared memory")
    finish(f)


def test_options():
    for limit, what in (("objects", "a number from 16"), ("objects=x", "a number from 16"),
                        ("memory=1", "from 1M to"), ("wishes=3", "no limit wishes"),
                        ("answer-time=0", "from 100ms"), ("objects=99999999999999999999", "from")):
        gpu = Gpu(GPU, "--socket-path=/nowhere/gpu.sock", "--limit=" + limit)
        check_equal(gpu.wait(), 1, "the exit code")
        check("--limit=" + limit in gpu.log() and what in gpu.log(), gpu.log())
        gpu.finish()


TESTS = {name[5:]: value for name, value in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], TESTS))
