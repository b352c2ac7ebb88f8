/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/sandbox.h"

/*
 * Theory of operation
 *
 * sandbox_init() takes a profile in the system's own language, in which all is denied but what
 * the profile names, and applies it to the whole process for good. It cannot be applied twice, so
 * sandbox_confine() takes only core dumps, and sandbox_filter() all else. There are no lists of
 * system calls; a policy's files, and whether it makes code, say what the profile has. What a GPU
 * needs are its user clients in the kernel and the service that compiles shaders. A window needs
 * the window server and what comes with it, for which there is no public list: such a program may
 * look up any service.
 *
 * sandbox_init() has been called deprecated since 10.8, and is what the system's own programs and
 * browsers use.
 */

/*
 * of <sandbox.h>, which not every SDK has: flags 0 means that the first argument is a profile's
 * text
 */
int sandbox_init(const char *profile, uint64_t flags, char **error);
void sandbox_free_error(char *error);

struct profile {
	char *text;
	size_t size;
	int failed;
};

static void append(struct profile *profile, const char *text) {
	size_t length = strlen(text);
	char *grown = profile->failed ? NULL : realloc(profile->text, profile->size + length + 1);
	if (!grown) {
		profile->failed = 1;
		return;
	}
	memcpy(grown + profile->size, text, length + 1);
	profile->text = grown;
	profile->size += length;
}

static void append_path(struct profile *profile, const char *rule, const char *path) {
	char resolved[PATH_MAX];
	/* /tmp, /var and /etc are links, and rules are about what they lead to */
	if (!realpath(path, resolved) || strpbrk(resolved, "\"\\")) {
		return;
	}
	append(profile, "(allow ");
	append(profile, rule);
	append(profile, " (subpath \"");
	append(profile, resolved);
	append(profile, "\"))\n");
}

static const char rules_of_all[] =
	"(version 1)\n"
	"(deny default)\n"
	"(allow process-info* (target self))\n"
	"(allow signal (target self))\n"
	"(allow sysctl-read)\n"
	/* shared memory has a name until it is unlinked, at once */
	"(allow ipc-posix-shm)\n";

static const char rules_of_drivers[] =
	"(allow file-read-metadata)\n"
	"(allow file-map-executable)\n"
	"(allow dynamic-code-generation)\n"
	"(allow iokit-open)\n"
	"(allow iokit-get-properties)\n"
	"(allow mach-lookup (global-name \"com.apple.MTLCompilerService\"))\n"
	"(allow mach-lookup (xpc-service-name \"com.apple.MTLCompilerService\"))\n"
	"(allow mach-lookup (global-name \"com.apple.cvmsServ\"))\n"
	"(allow file-read* (subpath \"/System\") (subpath \"/Library/GPUBundles\")"
	" (subpath \"/usr/lib\") (subpath \"/opt/homebrew\") (subpath \"/usr/local\")"
	" (literal \"/dev/urandom\") (literal \"/dev/null\"))\n";

static const char rules_of_windows[] =
	"(allow mach-lookup)\n"
	"(allow mach-register)\n"
	"(allow user-preference-read)\n"
	"(allow file-read* (subpath \"/Library\"))\n";

static void write_profile(struct profile *profile, const struct sandbox_policy *policy) {
	append(profile, rules_of_all);
	if (policy->makes_code) {
		append(profile, rules_of_drivers);
	}
	if (policy->shares & SANDBOX_SHARE_IPC) {
		append(profile, rules_of_windows);
	}
	for (size_t i = 0; i < policy->files.count; i++) {
		append_path(profile,
			policy->files.list[i].access == SANDBOX_READ ? "file-read*" : "file-read* file-write*",
			policy->files.list[i].path);
	}
}

int sandbox_confine(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	(void)policy;
	if (mode == SANDBOX_ON) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
	}
	return 0;
}

int sandbox_filter(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	if (mode == SANDBOX_LOG && !policy->quiet) {
		log_warn("--sandbox=log: macOS logs only what it denies "
			"(Console, \"Sandbox:\"); this is as off");
	}
	if (mode != SANDBOX_ON) {
		return 0;
	}
	struct profile profile = {0};
	write_profile(&profile, policy);
	if (profile.failed) {
		free(profile.text);
		log_error("out of memory");
		return -ENOMEM;
	}
	char *why = NULL;
	int result = sandbox_init(profile.text, 0, &why);
	if (result) {
		log_error("cannot enter the sandbox: %s", why ? why : "no reason given");
		sandbox_free_error(why);
	}
	free(profile.text);
	return result ? -EPERM : 0;
}

char *sandbox_what_is_missing(void) {
	return NULL;
}
