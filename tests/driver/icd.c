/* SPDX-License-Identifier: MIT */

/*
 * The fake driver as the Vulkan loader wants it. What it does is said in the environment:
 *
 *   VENERA_FAKE_DRIVER=NAME=NUMBER[,NAME=NUMBER...]
 *
 * with the members of struct fake_plan (seed, fail_at, fail_every, error, lies, all_extensions),
 * and crash_at and hang_at: the call in which it dies, or from which it does not return.
 */

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

static struct {
	uint64_t crash_at, hang_at;
	_Atomic uint64_t calls;
} icd;

static void meanwhile(void *data) {
	(void)data;
	const uint64_t call = atomic_fetch_add(&icd.calls, 1) + 1;
	if (call == icd.crash_at) {
		raise(SIGSEGV);
	}
	while (icd.hang_at && call >= icd.hang_at) {
		pause();
	}
}

static uint64_t number(const char *text, const char *name) {
	const size_t length = strlen(name);
	for (const char *at = text; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && at[length] == '=') {
			return (uint64_t)strtoll(at + length + 1, NULL, 0);
		}
	}
	return 0;
}

static void begin(void) {
	static atomic_flag begun = ATOMIC_FLAG_INIT;
	if (atomic_flag_test_and_set(&begun)) {
		return;
	}
	const char *text = getenv("VENERA_FAKE_DRIVER");
	text = text ? text : "";
	const struct fake_plan plan = {
		.seed = number(text, "seed"),
		.fail_at = (uint32_t)number(text, "fail_at"),
		.fail_every = (uint32_t)number(text, "fail_every"),
		.error = (VkResult)(int64_t)number(text, "error"),
		.lies = (uint32_t)number(text, "lies"),
		.all_extensions = number(text, "all_extensions"),
		.meanwhile = meanwhile,
	};
	icd.crash_at = number(text, "crash_at");
	icd.hang_at = number(text, "hang_at");
	fake_reset(&plan);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version);
EXPORT VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
	begin();
	if (*version > 5) {
		*version = 5;
	}
	return VK_SUCCESS;
}

EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(
	VkInstance instance, const char *name);
EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(
		VkInstance instance, const char *name) {
	begin();
	return fake_vkGetInstanceProcAddr(instance, name);
}
