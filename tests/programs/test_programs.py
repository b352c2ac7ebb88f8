#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_programs.py VENERA-VTEST CAPTURE-LIBRARY PROGRAM [--validate]: a program that others wrote
does the same on the host's driver and through Venera: each image that it shows, bit by bit (the
layer VK_LAYER_VENERA_capture writes them down, and is the program's clock), and what it prints.

With --validate, Khronos' validation layer watches the host's side, and must have nothing to say
that it does not say about the program without Venera, too. What is shown is not compared then."""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402
import validation  # noqa: E402

# OpenGL on Vulkan, also on a machine without a GPU. In one thread: what is shown from another
# one makes the clock tick while the program draws.
ZINK = {"LIBGL_ALWAYS_SOFTWARE": "1", "GALLIUM_DRIVER": "zink",
        "MESA_LOADER_DRIVER_OVERRIDE": "zink", "GALLIUM_THREAD": "0", "mesa_glthread": "false",
        "ZINK_DEBUG": "flushsync"}
SDL = "/usr/libexec/installed-tests/SDL3/"


# What validation may say, though it does not say it about the program on the host's
# driver:
KNOWN = {
    # a mistake of ffmpeg's filters. On the host they use VK_EXT_descriptor_buffer, which Venus has
    # not, and of what lies in such buffers the validation layer knows nothing.
    "Undefined-Value-StorageImage-FormatMismatch-ImageView",
}


class Program:
    """How to run one, and what is to be compared: at least `frames` images, and the lines that it
    prints which `lines` matches (at least `min_lines` of them)."""

    def __init__(self, command, frames=0, lines=None, min_lines=0, env=None, window=False,
                 stop=False, code=0, needs=(), clock=True):
        self.command = command
        self.frames = frames
        self.lines = lines
        self.min_lines = min_lines
        self.env = env or {}
        self.window = window  # it needs an X server
        self.stop = stop  # it does not end by itself, but with that many frames
        self.code = code
        self.needs = needs  # (program, file that it must have, what it has not without)
        self.clock = clock  # does it show images, by which our clock ticks?


def vkmark(winsys, scenes):
    command = ["vkmark", "--winsys", winsys, "--size", "160x120"]
    for scene in scenes:
        command += ["--benchmark", scene + ":duration=0.1"]
    return Program(command, frames=6 * len(scenes), lines=r"^\[|FPS", min_lines=len(scenes),
                   window=winsys == "xcb")


def glmark2(options, **more):
    return Program(["glmark2", "--size", "160x120"] + options, env=ZINK, window=True,
                   lines=r"^\[", **more)


def sdl_test(name, renderer):
    return Program([SDL + name, "--renderer", renderer], frames=20, stop=True, window=True,
                   env={"SDL_AUDIO_DRIVER": "dummy"})


def ffmpeg(filters):
    # The filter libplacebo is here to download: ffmpeg's own hwdownload (7.1) works with
    # VK_EXT_external_memory_host only, which Venus has not.
    return Program(
        ["ffmpeg", "-hide_banner", "-nostats", "-loglevel", "error", "-init_hw_device",
         "vulkan=vk:0", "-filter_hw_device", "vk", "-f", "lavfi", "-i",
         "testsrc2=size=320x180:rate=10:duration=0.5", "-vf",
         "format=yuv420p,hwupload,%s,libplacebo=format=yuv420p,format=yuv420p" % filters,
         "-f", "framemd5", "-"], lines=r"^\d", min_lines=5)


VKMARK_SCENES = [
    "clear", "vertex:device-local=true", "vertex:device-local=false", "vertex:interleave=false",
    "texture:texture-filter=nearest", "texture:texture-filter=linear",
    "texture:anisotropy=0", "shading:shading=gouraud", "shading:shading=blinn-phong-inf",
    "shading:shading=phong", "shading:shading=cel", "effect2d:kernel=blur",
    "effect2d:kernel=edge", "effect2d:kernel=none", "desktop", "desktop:windows=9", "cube",
]
GLMARK2_SCENES = [
    "build", "build:use-vbo=false", "build:use-vbo=true", "texture:texture-filter=nearest",
    "texture:texture-filter=linear", "texture:texture-filter=mipmap", "shading:shading=gouraud",
    "shading:shading=phong", "shading:shading=cel", "bump:bump-render=high-poly",
    "bump:bump-render=normals", "bump:bump-render=height", "effect2d", "pulsar", "desktop",
    "desktop:effect=shadow", "buffer:update-method=map", "buffer:update-method=subdata", "ideas",
    "jellyfish", "terrain", "shadow", "refract", "conditionals", "function", "loop",
]

PROGRAMS = {
    "vkcube": Program(["vkcube", "--c", "60", "--suppress_popups"], frames=60, window=True),
    "vkmark": vkmark("xcb", VKMARK_SCENES[::4]),
    "vkmark-headless": vkmark("headless", VKMARK_SCENES),
    "glxgears": Program(["glxgears"], frames=30, stop=True, window=True, env=ZINK),
    "es2gears": Program(["es2gears_x11"], frames=30, stop=True, window=True, env=ZINK),
    "glmark2": glmark2(["-b", ":duration=0.1"] + [
        word for scene in GLMARK2_SCENES for word in ("-b", scene)],
        frames=6 * len(GLMARK2_SCENES), min_lines=len(GLMARK2_SCENES)),
    "glmark2-validate": glmark2(["--validate"], min_lines=30),
    "ffmpeg-scale": ffmpeg("scale_vulkan=160:90"),
    "ffmpeg-gblur": ffmpeg("gblur_vulkan=sigma=3"),
    "ffmpeg-filters": ffmpeg("avgblur_vulkan,chromaber_vulkan=dist_x=2:dist_y=2,hflip_vulkan,"
                             "transpose_vulkan,bwdif_vulkan"),
    "vkd3d-gears": Program(["vkd3d-gears"], frames=30, stop=True, window=True),
    # draws when it is told to, which is once
    "vkd3d-triangle": Program(["vkd3d-triangle"], frames=1, stop=True, window=True),
    "sdl-vulkan": Program([SDL + "testvulkan"], frames=20, stop=True, window=True),
    "sdl-cube": Program([SDL + "testgpu_spinning_cube"], frames=20, stop=True, window=True),
}
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS["weston"] = Program(
    [os.path.join(HERE, "weston_shows"), "vulkan",
     os.path.join(HERE, "..", "..", "docs", "images", "triangle.png")],
    lines="^screen:", min_lines=1, clock=False,
    needs=("weston", "/usr/lib/*/libweston-*/vulkan-renderer.so", "a Vulkan renderer"))
for _renderer in ("vulkan", "gpu"):
    for _name in ("testrendercopyex", "testdraw", "testgeometry", "testsprite", "testscale"):
        PROGRAMS["sdl-%s-%s" % (_name[4:], _renderer)] = sdl_test(_name, _renderer)
    PROGRAMS["sdl-automation-" + _renderer] = Program(
        [SDL + "testautomation", "--filter", "render", "--seed", "1234"], frames=15, window=True,
        # SDL 3.2 fails a test of its own here, with Venera and without
        env={"SDL_RENDER_DRIVER": _renderer, "SDL_AUDIO_DRIVER": "dummy"}, lines=r"Test '|Summary",
        min_lines=10, code=None)


class Run:
    def __init__(self, lines, frames, messages, code):
        self.lines, self.frames, self.messages, self.code = lines, frames, messages, code


def run(program, env, log, more_env):
    env = dict(env, **program.env, **more_env)
    env["VK_INSTANCE_LAYERS"] = ":".join(
        ["VK_LAYER_VENERA_capture"] + env.get("VK_INSTANCE_LAYERS", "").split())
    env["VENERA_CAPTURE"] = log
    if program.stop:
        env["VENERA_CAPTURE_FRAMES"] = str(program.frames)
    process = subprocess.Popen(
        ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", *program.command], env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace")
    output = harness.finish(process, program.command, code=program.code)
    lines = []
    for line in output.splitlines():
        if program.lines and re.search(program.lines, line):
            lines.append(re.sub(r"0x[0-9a-f]+", "0x", line))
    frames = []
    if os.path.exists(log + ".0"):
        with open(log + ".0", encoding="ascii") as file:
            frames = file.read().splitlines()
    return Run(lines, frames, validation.messages_of(output), process.returncode)


def compare(what, theirs, ours):
    for i, (a, b) in enumerate(zip(theirs, ours)):
        harness.check(a == b, "%s %d is not the same:\n%s, through Venera\n%s" % (what, i, a, b))
    harness.check(len(theirs) == len(ours),
                  "%d %ss, through Venera %d" % (len(theirs), what, len(ours)))


def test(server, folder, arguments):
    library, name = arguments[:2]
    program = PROGRAMS[name]
    if not os.path.exists(library):
        harness.skip("the capture layer was not built")
    harness.need(program.command[0])
    if program.needs:
        command, file, what = program.needs
        if not glob.glob(file):
            harness.skip("%s is without %s" % (harness.need(command), what))
    layers = {"VK_ADD_LAYER_PATH": os.path.dirname(library), "XDG_RUNTIME_DIR": folder}
    host = server.host_environment()
    if VALIDATED:
        # no clock of ours: the validation layer waits by it
        host = validation.host_environment(server)
    elif program.clock:
        layers["LD_PRELOAD"] = library

    def run_both(display):
        layers.update(display)
        return (run(program, host, os.path.join(folder, "host"), layers),
                run(program, server.client_environment(), os.path.join(folder, "venera"), layers))

    if program.window:
        with harness.display(folder) as display:
            theirs, ours = run_both(display)
    else:
        theirs, ours = run_both({})
    print("%d frames, %d different ones; %d lines" %
          (len(ours.frames), len(set(ours.frames)), len(ours.lines)))
    harness.check(len(theirs.frames) >= program.frames,
                  "it shows too little: %d frames" % len(theirs.frames))
    harness.check(len(theirs.lines) >= program.min_lines,
                  "it says too little: " + "\n".join(theirs.lines))
    harness.check(theirs.code == ours.code, "it ended with %d, through Venera with %d" %
                  (theirs.code, ours.code))
    if VALIDATED:
        found = validation.messages_of(server.log())
        print("the program's own: " + ", ".join(sorted(theirs.messages)))
        found -= theirs.messages | KNOWN
        harness.check(not found, "the host's side has found errors: " + ", ".join(sorted(found)))
    else:
        compare("frame", theirs.frames, ours.frames)
        compare("line", theirs.lines, ours.lines)


VALIDATED = "--validate" in sys.argv
harness.main(test, *(["--validate"] if VALIDATED else []))
