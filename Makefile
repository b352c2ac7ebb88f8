# SPDX-License-Identifier: MIT
#
# Everything in one command each. The build proper is Meson's (meson.build); this adds the tools it
# needs (tools/setup), the guest image, and short names. "make help" lists them.

# Options for meson, such as MESONFLAGS="-Dwerror=true -Db_sanitize=address,undefined".
MESONFLAGS =
# What of the tests "make check" runs, as arguments of "meson test": "--suite unit", "--no-suite vm".
TESTS =
# Folder of the build; all else under build/ is tools, caches, and the guest.
BUILD = build/venera

.PHONY: build setup image check check-macos check-arm64 demo desktop clean distclean help

build: setup
	@tools/in-root tools/build $(BUILD) $(MESONFLAGS)

setup:
	@tools/setup

image: build
	@guest/image/build

check: build image
	@tools/check-macos --fetch || [ $$? -eq 77 ]
	@tools/in-root tools/check $(BUILD) $(TESTS)

check-macos: setup
	@tools/check-macos

# TIME=SECONDS for each target, TARGET=NAME[,NAME...] to run only these
fuzz: setup
	@tools/in-root tools/fuzz $(if $(TIME),--time=$(TIME)) $(if $(TARGET),--target=$(TARGET))

# The same demo in guests for arm64, emulated, with pages of 4 KiB and of 16 KiB.
check-arm64: build
	@tools/in-root sh -c 'command -v qemu-system-aarch64 && command -v ld.lld' >/dev/null || { \
		echo 'check-arm64: install qemu-system-aarch64 (11.1 or newer), clang and lld'; exit 1; }
	@guest/image/build --arch=arm64 --output build/guest-arm64
	@VENERA_GUEST=build/guest-arm64 tools/demo
	@guest/image/build --arch=arm64-16k --output build/guest-arm64-16k
	@VENERA_GUEST=build/guest-arm64-16k tools/demo

demo: build image
	@tools/demo

desktop: build
	@guest/image/build --desktop
	@tools/in-root $(BUILD)/src/cli/venera run --desktop

clean:
	@tools/clean

distclean:
	@tools/clean --all

help:
	@echo 'make            set up tools (once) and build into $(BUILD)'
	@echo 'make demo       show a triangle and a cube, rendered by a virtual machine, on this screen'
	@echo 'make desktop    run a virtual machine with a desktop on this screen'
	@echo 'make check      build all and run every test'
	@echo 'make check-macos  compile and link all for macOS (without a Mac nothing of that can be run)'
	@echo 'make fuzz       fuzz each target for TIME=60 seconds, tell what that covered'
	@echo 'make check-arm64  boot guests for arm64 and look at the same pictures'
	@echo 'make image      make the guest image in build/guest'
	@echo 'make setup      only make sure that compilers, QEMU, Mesa and so on are there'
	@echo 'make clean      remove what was built, keep tools, downloads and guest'
	@echo 'make distclean  remove all of build/'
	@echo
	@echo 'TESTS="--suite unit" chooses tests, BUILD=build/asan another folder;'
	@echo 'MESONFLAGS="..." passes options to meson; VENERA_ROOT=host|private chooses whose tools'
	@echo 'to use. To install: tools/in-root meson install -C $(BUILD) --destdir DIR'
