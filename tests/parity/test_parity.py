#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_parity.py VENERA-VTEST PARITY MODE: the program PARITY says the same on the host's driver
and through Venera.

MODE is 'default', a list for VN_PERF (the guest driver's ways to use the protocol differently,
all of which must come to the same), or 'mesa-25' for the driver of Debian 13 as it was released."""

import difflib
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402

SOURCES = "deb [signed-by=%s] http://deb.debian.org/debian trixie main\n"
# What Debian 13's driver has not: sparse resources, VK_EXT_sample_locations, host image copies.
NOT_IN_MESA_25 = ("api image-formats", "api sparse-formats", "api sample-locations",
                  "memory image-requirements", "memory sparse", "image host-copies",
                  "formats sparse", "formats requirements", "draw nested", "dynamic alone-new")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def fetch_driver(folder):
    """Debian 13's Venus driver, unpacked below `folder`; gives its path."""
    for program in ("apt-get", "dpkg-deb"):
        harness.need(program)
    if not os.path.exists(KEYRING):
        harness.skip("Debian's keyring is not there")
    for part in ("lists/partial", "archives/partial"):
        os.makedirs(os.path.join(folder, part))
    with open(os.path.join(folder, "sources.list"), "w", encoding="ascii") as file:
        file.write(SOURCES % KEYRING)
    open(os.path.join(folder, "status"), "w", encoding="ascii").close()
    # nothing of this machine's own apt is touched
    options = ["Dir::State::lists=" + folder + "/lists", "Dir::State::status=" + folder + "/status",
               "Dir::Cache=" + folder, "Dir::Etc::sourcelist=" + folder + "/sources.list",
               "Dir::Etc::sourceparts=/dev/null", "Acquire::Languages=none",
               "Acquire::Retries=1", "APT::Default-Release=", "APT::Sandbox::User=root"]
    apt = ["apt-get", "-qq"] + [word for option in options for word in ("-o", option)]
    for command in (apt + ["update"], apt + ["download", "mesa-vulkan-drivers"]):
        try:
            done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, timeout=120,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            print(done.stdout.decode(errors="replace"))
            return None
    packages = glob.glob(folder + "/*.deb")
    if len(packages) != 1 or "_25." not in packages[0]:
        return None
    subprocess.run(["dpkg-deb", "-x", packages[0], folder + "/root"], check=True)
    return glob.glob(folder + "/root/usr/lib/*/libvulkan_virtio.so")[0]


def old_driver(folder):
    """A manifest for Debian 13's driver, which is fetched once and kept beside the build."""
    kept = os.path.join(os.getcwd(), "mesa-25")
    library = os.path.join(kept, "libvulkan_virtio.so")
    if not os.path.exists(library):
        found = fetch_driver(os.path.join(folder, "apt"))
        if not found:
            return None
        os.makedirs(kept, exist_ok=True)
        shutil.copy(found, library + ".new")
        os.rename(library + ".new", library)
    manifest = os.path.join(folder, "venus.json")
    with open(manifest, "w", encoding="ascii") as file:
        json.dump({"file_format_version": "1.0.1",
                   "ICD": {"library_path": library, "api_version": "1.3.0"}}, file)
    return manifest


def test(server, folder, arguments):
    program, mode = arguments
    env = {}
    command = [program]
    if mode == "mesa-25":
        manifest = old_driver(folder)
        if not manifest:
            server.stop()
            harness.skip("Debian 13's own mesa-vulkan-drivers cannot be had")
        env["VK_DRIVER_FILES"] = manifest
        command += ["-" + name for name in NOT_IN_MESA_25]
    elif mode != "default":
        env["VN_PERF"] = mode
    theirs = harness.finish(server.start(command, server.host_environment()), command)
    ours = server.run(command, env)
    harness.check(len(theirs.splitlines()) > 500, "the program says too little:\n" + theirs)
    harness.check("ended " not in theirs, "it does not work on the host:\n" + theirs[-2000:])
    different = list(difflib.unified_diff(
        theirs.splitlines(), ours.splitlines(), "host", "Venera", lineterm="", n=3))
    print("\n".join(different[:300]))
    harness.check(not different, "there are differences")
    print("%d lines are the same" % len(theirs.splitlines()))


harness.main(test)
