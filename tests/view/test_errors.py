#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_errors.py VENERA-VIEW ICD.json: what a user can do wrong with venera-view gets one line
that says what is wrong, a code that is not 0, and leaves nothing behind."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

VIEW, ICD = sys.argv[1], sys.argv[2]
HELLO = struct.Struct("=4I4I")  # the header of a message, and struct view_hello


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET")}
    env.update(VK_DRIVER_FILES=ICD, VK_ICD_FILENAMES=ICD, **more)
    return env


def run(*args, env=None):
    return subprocess.run([VIEW, *args], env=env or environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)


def expect(code, pattern, *args, env=None):
    result = run(*args, env=env)
    lines = result.stderr.splitlines()
    assert result.returncode == code, (args, result)
    assert len(lines) == 1 and lines[0].startswith("venera-view: error: "), (args, result)
    assert pattern in lines[0], (args, result)


def test_usage():
    either = "give either --socket-path=PATH or --fd=N"
    expect(2, either)
    expect(2, either, "--socket-path=/x", "--fd=3")
    expect(2, "unknown option '--sise=1x1'", "--fd=3", "--sise=1x1")
    expect(2, "unknown option 'file'", "file")
    for option in ("--size=1280", "--size=0x5", "--size=1x", "--size=-1x5", "--size=5x5x",
                   "--size=99999x5", "--size= 5x5", "--display=", "--display=windows", "--fd=",
                   "--fd=x", "--fd=-1", "--fd=99999999999", "--present-mode=vsync", "--log-level=7",
                   "--screenshot=", "--driver=", "--socket-path="):
        expect(2, f"option '{option}'", option)


def test_help_and_version():
    result = run("--help")
    assert result.returncode == 0 and not result.stderr
    for option in ("--socket-path=", "--fd=", "--display=", "--size=", "--full-screen", "--title=",
                   "--present-mode=", "--driver=", "--screenshot=", "--validate", "--log-level=",
                   "--help", "--version", "SIGUSR1"):
        assert option in result.stdout, option
    assert all(len(line) <= 100 for line in result.stdout.splitlines())
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("venera-view ")


def test_no_display():
    expect(1, "no display to open a window on: set DISPLAY or WAYLAND_DISPLAY, or use "
           "--display=headless", "--socket-path=/nonexistent")
    # the window system's libraries leak when they fail, which a sanitizer would tell of
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    expect(1, "no display to open a window on", "--socket-path=/nonexistent",
           env=environment(DISPLAY=":4242", ASAN_OPTIONS=options.strip(":")))


def test_no_driver(folder):
    expect(1, "cannot read the driver manifest /nonexistent.json", "--socket-path=/x",
           "--driver=/nonexistent.json", "--display=headless")
    path = os.path.join(folder, "broken.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"file_format_version": "1.0.0",
                   "ICD": {"library_path": "/nonexistent.so", "api_version": "1.3.0"}}, file)
    expect(1, "no Vulkan driver found", "--socket-path=/x", "--display=headless",
           f"--driver={path}")


def test_no_peer(folder):
    path = os.path.join(folder, "nobody")
    begin = time.monotonic()
    expect(1, f"cannot connect to venera-gpu at {path}", f"--socket-path={path}",
           "--display=headless")
    assert 4.5 < time.monotonic() - begin < 20
    expect(1, "is too long", "--socket-path=/" + "x" * 300, "--display=headless")
    expect(1, "--fd=77", "--fd=77", "--display=headless")
    with open(os.devnull, "rb") as file:
        result = subprocess.run([VIEW, f"--fd={file.fileno()}", "--display=headless"],
                                env=environment(), pass_fds=[file.fileno()], check=False,
                                stderr=subprocess.PIPE, text=True, timeout=30)
        assert result.returncode == 1 and "error: " in result.stderr, result


def test_peer_comes_late(folder):
    """The socket appears, and is listened to, while the view already waits for it."""
    path = os.path.join(folder, "late")
    picture = os.path.join(folder, "early.png")
    with subprocess.Popen([VIEW, f"--socket-path={path}", "--display=headless", "--size=64x48",
                           f"--screenshot={picture}"],
                          env=environment(), stderr=subprocess.PIPE, text=True) as view:
        time.sleep(0.5)
        view.send_signal(signal.SIGUSR1)  # remembered until there is something to save
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            time.sleep(0.2)
            listener.listen()
            connection, _ = listener.accept()
        with connection:
            message = connection.recv(HELLO.size, socket.MSG_WAITALL)
            assert HELLO.unpack(message) == (1, 16, 0, 0, 64, 48, 0, 0), message
            deadline = time.monotonic() + 10
            while not os.path.exists(picture):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert view.wait(10) == 0
        assert f"saved as {picture}" in view.stderr.read()
    assert os.listdir(folder).count("early.png") == 1
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]


def test_signal_while_connecting():
    with subprocess.Popen([VIEW, "--socket-path=/nonexistent", "--display=headless"],
                          env=environment(), stderr=subprocess.PIPE, text=True) as view:
        time.sleep(0.5)
        view.send_signal(signal.SIGTERM)
        assert view.wait(10) == 0
        assert view.stderr.read() == ""


def test_screenshot_that_cannot_be_saved():
    ours, its = socket.socketpair()
    with ours, its, subprocess.Popen(
            [VIEW, f"--fd={its.fileno()}", "--display=headless", "--size=64x48",
             "--screenshot=/nonexistent/x.png"], env=environment(), pass_fds=[its.fileno()],
            stderr=subprocess.PIPE, text=True) as view:
        its.close()
        assert len(ours.recv(HELLO.size, socket.MSG_WAITALL)) == HELLO.size
        view.send_signal(signal.SIGUSR1)
        line = view.stderr.readline()
        assert "cannot write the screenshot /nonexistent/x.png" in line, line
        ours.close()
        assert view.wait(10) == 0


def main():
    if not ICD:
        print("no lavapipe here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        test_usage()
        test_help_and_version()
        test_no_display()
        test_no_driver(folder)
        test_peer_comes_late(folder)
        test_signal_while_connecting()
        test_screenshot_that_cannot_be_saved()
        test_no_peer(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
