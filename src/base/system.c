/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/process.h"
#include "base/shmem.h"

#if OS_MACOS
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <sys/random.h>
#include <sys/sysctl.h>
#endif
#if OS_HAVE_PRCTL_NAME
#include <sys/prctl.h>
#endif
#if OS_HAVE_THREAD_NICE
#include <sys/resource.h>
#endif
#if OS_HAVE_PTHREAD_DARWIN
#include <pthread.h>
#endif

/*
 * What only the system at hand can tell about this process and its machine.
 */

#if OS_MACOS

char *process_self_path(void) {
	uint32_t size = 0;
	_NSGetExecutablePath(NULL, &size);
	char *path = malloc(size);
	if (!path || _NSGetExecutablePath(path, &size) != 0) {
		free(path);
		return NULL;
	}
	char *resolved = realpath(path, NULL); /* it may have been a link or relative */
	free(path);
	return resolved;
}

uint64_t system_memory(void) {
	uint64_t bytes = 0;
	size_t size = sizeof(bytes);
	return sysctlbyname("hw.memsize", &bytes, &size, NULL, 0) == 0 ? bytes : 0;
}

bool cpu_has_virtualization(void) {
	int supported = 0;
	size_t size = sizeof(supported);
	return sysctlbyname("kern.hv_support", &supported, &size, NULL, 0) == 0 && supported;
}

size_t process_private_memory(void) {
	task_vm_info_data_t info;
	mach_msg_type_number_t count = TASK_VM_INFO_COUNT;
	if (task_info(mach_task_self(), TASK_VM_INFO, (task_info_t)&info, &count) != KERN_SUCCESS) {
		return 0;
	}
	return (size_t)(info.internal + info.compressed);
}

#else

char *process_self_path(void) {
	for (size_t size = 256; size <= 65536; size *= 2) {
		char *path = malloc(size);
		if (!path) {
			return NULL;
		}
		ssize_t length = readlink("/proc/self/exe", path, size);
		if (length < 0) {
			int saved_errno = errno;
			free(path);
			errno = saved_errno;
			return NULL;
		}
		if ((size_t)length < size) {
			path[length] = '\0';
			return path;
		}
		free(path);
	}
	errno = ENAMETOOLONG;
	return NULL;
}

uint64_t system_memory(void) {
#ifdef _SC_PHYS_PAGES
	const long pages = sysconf(_SC_PHYS_PAGES);
	return pages > 0 ? (uint64_t)pages * page_size() : 0;
#else
	return 0;
#endif
}

/* Is `word` in a list of words with single spaces between them? */
static bool has_word(const char *list, const char *word) {
	size_t length = strlen(word);
	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
		bool begins = at == list || at[-1] == ' ' || at[-1] == '\t';
		bool ends = at[length] == ' ' || at[length] == '\n' || at[length] == '\0';
		if (begins && ends) {
			return true;
		}
	}
	return false;
}

bool cpu_has_virtualization(void) {
#if defined(__aarch64__)
	return true;
#else
	FILE *file = fopen("/proc/cpuinfo", "re");
	if (!file) {
		return false;
	}
	bool found = false;
	char *line = NULL;
	size_t capacity = 0;
	while (getline(&line, &capacity, file) >= 0) {
		/* one processor stands for all */
		if (strncmp(line, "flags", 5) == 0) {
			found = has_word(line, "vmx") || has_word(line, "svm");
			break;
		}
	}
	free(line);
	fclose(file);
	return found;
#endif
}

size_t process_private_memory(void) {
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file) {
		return 0;
	}
	/* in pages: all there is, what is resident, how much of it is of files or shared memory */
	unsigned long long total, resident, shared;
	int fields = fscanf(file, "%llu %llu %llu", &total, &resident, &shared);
	fclose(file);
	if (fields != 3 || resident < shared) {
		return 0;
	}
	return (size_t)(resident - shared) * page_size();
}

#endif

bool system_random(void *bytes, size_t size) {
	return getentropy(bytes, size) == 0;
}

void thread_set_name(const char *name) {
	char short_name[16] = {0};
	size_t length = strlen(name);
	memcpy(short_name, name, length < 15 ? length : 15);
#if OS_HAVE_PRCTL_NAME
	prctl(PR_SET_NAME, short_name, 0, 0, 0);
#elif OS_HAVE_PTHREAD_DARWIN
	pthread_setname_np(short_name);
#endif
}

void thread_set_nice(int nice) {
#if OS_HAVE_THREAD_NICE
	/* On Linux a nice value belongs to a thread, whatever POSIX says, and 0 is the calling one. */
	setpriority(PRIO_PROCESS, 0, nice);
#elif OS_HAVE_PTHREAD_DARWIN
	/* Threads have no nice value there but a class of service. */
	pthread_set_qos_class_self_np(nice < 0 ? QOS_CLASS_USER_INTERACTIVE
			: nice > 0 ? QOS_CLASS_UTILITY : QOS_CLASS_DEFAULT, 0);
#else
	(void)nice;
#endif
}
