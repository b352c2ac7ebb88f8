#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
layering.py SOURCE_ROOT [BUILD_ROOT]: do the folders of src/ keep to their layers?

The layers are those of docs/architecture.md. Checked is, for every C source and header:
 1. which folder includes headers of which (ALLOWED);
 2. that the folders of NO_VULKAN reach no Vulkan header, not through others' headers either;
 3. that nothing outside of src/base asks which system it runs on or uses what only one has;
 4. that src/venus, which knows Vulkan's types, calls none of its functions.

BUILD_ROOT is where generated headers are looked for; without it they are taken to include
nothing. Before all that the script tries itself on small trees that break each rule.
"""

import os
import re
import sys
import tempfile

# Who may include which other folders' headers: "venus" is any, "venus/capset.h" that one only.
ALLOWED = {
	'base': [],
	'ipc': ['base'],
	'virtio': ['base'],
	'venus': ['base'],
	'vk': ['base'],
	'render': ['base', 'ipc', 'venus', 'vk'],
	'gpu': ['base', 'ipc', 'virtio', 'venus/capset.h'],
	'vtest': ['base', 'ipc', 'venus/capset.h'],
	'view': ['base', 'ipc', 'vk'],
	# It starts the programs; it shares no code with them.
	'cli': ['base', 'ipc', 'venus', 'vk', 'virtio'],
}

NO_VULKAN = ['base', 'ipc', 'virtio', 'gpu', 'vtest']
VULKAN_HEADER = re.compile(r'^(vulkan|vk_video|MoltenVK)/|^vk_(platform|icd|layer)\.h$')

# Headers, macros and functions that not every POSIX system has.
SYSTEM_HEADER = re.compile(
	r'^(linux|asm|mach|mach-o|dispatch|os|IOKit|IOSurface|CoreFoundation|AppKit|Foundation)/'
	r'|^sys/(epoll|event|eventfd|inotify|pidfd|prctl|random|signalfd|syscall|sysctl|sysinfo'
	r'|timerfd|vfs)\.h$'
	r'|^(libproc|sandbox|TargetConditionals|Availability|AvailabilityMacros|features|windows)\.h$')
SYSTEM_WORD = re.compile(
	r'\b(__linux(__)?|__gnu_linux__|__APPLE__|__MACH__|TARGET_OS_\w+|__FreeBSD__|__OpenBSD__'
	r'|__NetBSD__|_WIN32|__GLIBC__|_GNU_SOURCE|_DARWIN_C_SOURCE|_DEFAULT_SOURCE|_BSD_SOURCE'
	r'|OS_LINUX|OS_MACOS|OS_HAVE_\w+|SOCK_CLOEXEC|SOCK_NONBLOCK|MSG_CMSG_CLOEXEC|MSG_NOSIGNAL'
	r'|SO_NOSIGPIPE|SO_PEERCRED|LOCAL_PEERPID|F_(ADD|GET)_SEALS|F_SEAL_\w+|MFD_\w+|EFD_\w+'
	r'|SIOCOUTQ)\b'
	r'|\b(memfd_create|eventfd|accept4|pipe2|close_range|prctl|gettid|syscall|epoll_\w+|kqueue'
	r'|kevent|pthread_setname_np|sched_setaffinity|mach_\w+)\s*\(')
# A string that is a path of one system only.
SYSTEM_PATH = re.compile(r'"/(proc|sys)/[^"\s]*"')

VULKAN_CALL = re.compile(r'\bvk[A-Z]\w*\s*\(')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|import)[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
TOKEN = re.compile(
	r'(?P<comment>/\*.*?\*/|//[^\n]*)'
	r'|(?P<string>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')', re.DOTALL)
SUFFIXES = ('.c', '.h', '.m', '.in')


def blank(text):
	"""As many lines, and nothing else."""
	return '\n' * text.count('\n') or ' '


def strip_comments(text):
	return TOKEN.sub(lambda m: blank(m.group()) if m.group('comment') else m.group(), text)


def strip_strings(text):
	return TOKEN.sub(lambda m: '""' if m.group('string') else m.group(), text)


def line_of(text, position):
	return text.count('\n', 0, position) + 1


class Tree:
	def __init__(self, source_root, build_root=None):
		self.src = os.path.join(source_root, 'src')
		self.build_root = build_root
		self.files = {}      # "gpu/device.c" -> its text without comments
		self.generated = {}  # the same for headers of the build folder, and None: not found
		self.by_name = None  # of the build folder's headers
		self.errors = []
		for folder, subfolders, names in os.walk(self.src):
			subfolders.sort()
			for name in sorted(names):
				if name.endswith(SUFFIXES):
					path = os.path.join(folder, name)
					with open(path, encoding='utf-8') as file:
						relative = os.path.relpath(path, self.src).replace(os.sep, '/')
						self.files[relative] = strip_comments(file.read())

	def error(self, path, line, text):
		self.errors.append(f'src/{path}:{line}: {text}')

	def find_generated(self, name):
		"""The text of a header that the build makes, or None."""
		if name not in self.generated:
			if self.by_name is None:
				self.by_name = {}
				for folder, _, names in os.walk(self.build_root) if self.build_root else ():
					for file_name in names:
						if file_name.endswith('.h'):
							paths = self.by_name.setdefault(file_name, [])
							paths.append(os.path.join(folder, file_name))
			text = None
			for path in self.by_name.get(os.path.basename(name), []):
				if path.replace(os.sep, '/').endswith('/' + name):
					with open(path, encoding='utf-8') as file:
						text = strip_comments(file.read())
					break
			self.generated[name] = text
		return self.generated[name]

	def includes(self, path):
		"""What a file includes: (line, project's own, name)."""
		text = self.files.get(path)
		if text is None:
			text = self.find_generated(path) or ''
		for match in INCLUDE.finditer(text):
			yield line_of(text, match.start()), match.group(1) == '"', match.group(2)

	def check_folders(self, path):
		folder = path.split('/')[0]
		if '/' not in path:
			self.error(path, 1, 'lies in no folder, so in no layer')
			return
		if folder not in ALLOWED:
			self.error(path, 1, f'folder {folder}/ is in no layer; '
				'say in tests/layering.py what it may include')
			return
		for line, own, name in self.includes(path):
			if not own:
				if name in self.files:
					self.error(path, line, f'<{name}> is ours: include it with quotes')
				continue
			beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
			if name not in self.files and beside.replace(os.sep, '/') in self.files:
				self.error(path, line,
					f'"{name}" is written relative to the file; includes are relative to src/')
				continue
			target = name.split('/')[0]
			if '/' not in name or target == folder:
				continue  # generated into a private folder, or our own
			if target not in ALLOWED:
				self.error(path, line, f'"{name}" is in no folder of src/')
			elif target not in ALLOWED[folder] and name not in ALLOWED[folder]:
				self.error(path, line, f'{folder}/ may not include "{name}"')
			elif name == 'base/os.h':
				self.error(path, line, '"base/os.h" is for src/base only')

	def vulkan_route(self, path, seen):
		"""The includes that lead from a file to a Vulkan header, or None."""
		seen.add(path)
		for line, own, name in self.includes(path):
			if VULKAN_HEADER.search(name):
				return [(line, name)]
			if own and name not in seen:
				route = self.vulkan_route(name, seen)
				if route:
					return [(line, name)] + route
		return None

	def check_vulkan(self, path):
		folder = path.split('/')[0]
		if folder not in NO_VULKAN:
			return
		route = self.vulkan_route(path, set())
		if route:
			names = ', which includes '.join(name for _, name in route)
			self.error(path, route[0][0], f'{folder}/ must not know Vulkan but includes {names}')

	def check_system(self, path):
		if path.startswith('base/'):
			return
		for line, _, name in self.includes(path):
			if SYSTEM_HEADER.search(name):
				self.error(path, line,
					f'<{name}> is not on every system: what needs it belongs in src/base')
		text = self.files[path]
		# a policy says which paths may be opened, and base/ opens none that is not there
		is_policy = os.path.basename(path) == 'sandbox.c'
		for match in () if is_policy else SYSTEM_PATH.finditer(text):
			self.error(path, line_of(text, match.start()),
				f'{match.group()} is not on every system: what reads it belongs in src/base')
		text = strip_strings(text)
		for match in SYSTEM_WORD.finditer(text):
			self.error(path, line_of(text, match.start()),
				f'{match.group().rstrip("( ")} is not on every system: '
				'what needs it belongs in src/base')

	def check_calls(self, path):
		if not path.startswith('venus/'):
			return
		text = strip_strings(self.files[path])
		for match in VULKAN_CALL.finditer(text):
			self.error(path, line_of(text, match.start()),
				f'venus/ must not call Vulkan: {match.group().rstrip("( ")}')

	def check(self):
		for path in self.files:
			self.check_folders(path)
			self.check_vulkan(path)
			self.check_system(path)
			self.check_calls(path)
		return self.errors


# Trees that are right or wrong in one way: the files, and what the error must say (None: right).
TRIALS = [
	({'gpu/a.c': '#include "base/log.h"\n#include "venus/capset.h"\n#include "virtio/q.h"\n',
		'base/log.h': '', 'venus/capset.h': '#include <stdint.h>\n', 'virtio/q.h': ''}, None),
	({'render/a.c': '#include <vulkan/vulkan.h>\n#include "vk/a.h"\n',
		'vk/a.h': '#include "base/a.h"\n',
		'base/a.h': '#ifdef __linux__\n#include <linux/x.h>\n#endif\n'}, None),
	({'gpu/a.c': '/* __linux__, #include <vulkan/vulkan.h>\n#include <linux/a.h> */\n'
		'puts("__APPLE__");\n'}, None),
	({'gpu/a.c': '#include "gpu/made.h"\nint eventfd = 3;\nputs("look at /proc/self");\n'}, None),
	({'base/a.c': '#include "ipc/a.h"\n', 'ipc/a.h': ''},
		'src/base/a.c:1: base/ may not include "ipc/a.h"'),
	({'gpu/a.c': '\n#include "render/a.h"\n', 'render/a.h': ''},
		'src/gpu/a.c:2: gpu/ may not include'),
	({'view/a.c': '#include "gpu/a.h"\n', 'gpu/a.h': ''}, 'view/ may not include'),
	({'vtest/a.c': '#include "venus/decoder.h"\n', 'venus/decoder.h': ''},
		'vtest/ may not include'),
	({'vtest/a.c': '#include "virtio/q.h"\n', 'virtio/q.h': ''}, 'vtest/ may not include'),
	({'venus/a.c': '#include "vk/a.h"\n', 'vk/a.h': ''}, 'venus/ may not include'),
	({'vk/a.c': '#include "cli/a.h"\n', 'cli/a.h': ''}, 'vk/ may not include'),
	({'new/a.c': ''}, 'is in no layer'),
	({'a.c': ''}, 'lies in no folder'),
	({'gpu/a.c': '#include "a.h"\n', 'gpu/a.h': ''}, 'relative to src/'),
	({'gpu/a.c': '#include "../render/a.h"\n', 'render/a.h': ''}, 'relative to src/'),
	({'gpu/a.c': '#include <gpu/a.h>\n', 'gpu/a.h': ''}, 'with quotes'),
	({'gpu/a.c': '#include "base/os.h"\n', 'base/os.h': ''}, 'for src/base only'),
	({'virtio/a.c': '#  include <vulkan/vulkan_core.h>\n'}, 'virtio/ must not know Vulkan'),
	({'gpu/a.c': '#include "gpu/a.h"\n', 'gpu/a.h': '#include "venus/capset.h"\n',
		'venus/capset.h': '#include "venus/types.h"\n',
		'venus/types.h': '#include <vulkan/vulkan.h>\n'},
		'src/gpu/a.c:1: gpu/ must not know Vulkan but includes gpu/a.h, '
		'which includes venus/capset.h, which includes venus/types.h, which includes vulkan/vulkan.h'),
	({'gpu/a.c': '#include "venus/capset.h"\n', 'venus/capset.h': '#include "made_vulkan.h"\n'},
		'which includes made_vulkan.h, which includes vulkan/vulkan.h'),
	({'view/a.c': '#ifdef __APPLE__\n#endif\n'}, '__APPLE__ is not on every system'),
	({'cli/a.c': '#if defined(__linux__)\n#endif\n'}, '__linux__ is not on every system'),
	({'cli/a.c': '#define _GNU_SOURCE\n'}, '_GNU_SOURCE is not on every system'),
	({'gpu/a.c': '#include <sys/epoll.h>\n'}, '<sys/epoll.h> is not on every system'),
	({'gpu/a.c': '#include <sys/eventfd.h>\n'}, '<sys/eventfd.h> is not on every system'),
	({'render/a.c': '#include <mach/mach.h>\n'}, '<mach/mach.h> is not on every system'),
	({'render/a.c': 'int fd = memfd_create("x", 0);\n'}, 'memfd_create is not on every system'),
	({'cli/a.c': 'fopen("/proc/self/maps", "r");\n'}, '"/proc/self/maps" is not on every system'),
	({'venus/a.c': 'return vkCreateDevice(a, b);\n'},
		'venus/ must not call Vulkan: vkCreateDevice'),
]


def self_test():
	for files, expected in TRIALS:
		with tempfile.TemporaryDirectory() as root:
			build_root = os.path.join(root, 'build')
			made = {
				'made_vulkan.h': '#include <vulkan/vulkan.h>\n',
				'gpu/made.h': '#include <stdint.h>\n',
			}
			for top, contents in ((os.path.join(root, 'src'), files), (build_root, made)):
				for path, text in contents.items():
					path = os.path.join(top, path)
					os.makedirs(os.path.dirname(path), exist_ok=True)
					with open(path, 'w', encoding='utf-8') as file:
						file.write(text)
			errors = Tree(root, build_root).check()
		right = any(expected in error for error in errors) if expected else not errors
		if not right:
			sys.exit(f'layering.py: its own trial failed: of {files} it says '
				f'{errors or "nothing"}, not {expected or "nothing"}')


def main():
	if len(sys.argv) not in (2, 3):
		sys.exit('usage: layering.py SOURCE_ROOT [BUILD_ROOT]')
	self_test()
	tree = Tree(*sys.argv[1:])
	if not tree.files:
		sys.exit(f'layering.py: no sources in {tree.src}')
	errors = tree.check()
	for error in errors:
		print(error)
	print(f'{len(tree.files)} files, {len(errors)} against the layering')
	sys.exit(1 if errors else 0)


if __name__ == '__main__':
	main()
