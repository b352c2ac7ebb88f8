# SPDX-License-Identifier: MIT
"""The Venus driver of Debian 13 as it was released, for tests to be its client."""

import glob
import json
import os
import shutil
import subprocess

SOURCES = "deb [signed-by=%s] http://deb.debian.org/debian trixie main\n"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def download(folder):
    """Gets and unpacks it below `folder`; gives its path, or None."""
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            return None
    if not os.path.exists(KEYRING):
        return None
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


def fetch(folder):
    """The path of the driver, or None. It is kept beside the build, where tests run; what there is to do
    is done below `folder`, which does not exist yet."""
    kept = os.path.join(os.getcwd(), "mesa-25")
    library = os.path.join(kept, "libvulkan_virtio.so")
    if not os.path.exists(library):
        found = download(folder)
        if not found:
            return None
        os.makedirs(kept, exist_ok=True)
        shutil.copy(found, library + ".new")
        os.rename(library + ".new", library)
    return library


def environment(folder):
    """For a client to have that driver; None if it cannot be had. Its manifest is written to `folder`."""
    library = fetch(os.path.join(folder, "apt"))
    if not library:
        return None
    manifest = os.path.join(folder, "venus.json")
    write_manifest(manifest, library)
    return {"VK_DRIVER_FILES": manifest}


def write_manifest(path, library):
    with open(path, "w", encoding="ascii") as file:
        json.dump({"file_format_version": "1.0.1",
                   "ICD": {"library_path": library, "api_version": "1.3.0"}}, file)
