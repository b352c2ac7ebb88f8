/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "base/dynlib.h"
#include "base/folder.h"
#include "base/os.h"
#include "test.h"

static void test_open(void) {
#if OS_MACOS
	void *library = dynlib_open("libSystem.B.dylib", NULL, 0);
#else
	void *library = dynlib_open("libm.so.6", NULL, 0);
#endif
	CHECK(library);
	dynlib_func func = dynlib_function(library, "cos");
	CHECK(func);
	double (*cosine)(double) = (double (*)(double))func;
	CHECK(cosine(0) == 1);
	CHECK(!dynlib_function(library, "venera_no_such_function"));
	dynlib_close(library);
	dynlib_close(NULL);
}

static void test_not_there(void) {
	char error[200] = "";
	CHECK(!dynlib_open("/nonexistent/library.so", error, sizeof(error)));
	CHECK(strstr(error, "/nonexistent/library.so")); /* says which */
	CHECK(!strchr(error, '\n'));
	char small[8];
	CHECK(!dynlib_open("/nonexistent/library.so", small, sizeof(small)));
	CHECK(strlen(small) < sizeof(small));
	CHECK(!dynlib_open("/nonexistent/library.so", NULL, 0));
}

/* How many places there are, and how many of them have `text` in the path. */
static int count_places(const char *text, size_t path_size, int *with_text) {
	char path[300];
	int filled = 0, result;
	*with_text = 0;
	for (size_t i = 0; (result = dynlib_vulkan_place(i, path, path_size)) >= 0; i++) {
		CHECK(i < 100);
		if (result == 1) {
			CHECK(path[0] && strlen(path) < path_size);
			filled++;
			*with_text += strstr(path, text) != NULL;
		}
	}
	return filled;
}

static void test_vulkan_places(void) {
	int sdk;
	CHECK(unsetenv("VULKAN_SDK") == 0);
	int plain = count_places("/the/sdk", 300, &sdk);
	CHECK(plain > 0);
	CHECK_INT(sdk, 0);
	CHECK(setenv("VULKAN_SDK", "/the/sdk", 1) == 0);
	int all = count_places("/the/sdk/", 300, &sdk);
	CHECK(sdk > 0);
	CHECK_INT(all, plain + sdk);
	CHECK_INT(count_places("", 5, &sdk), 0); /* too long ones are left out, not cut */
	CHECK(dynlib_vulkan_place(SIZE_MAX, NULL, 0) < 0);
}

#if OS_LINUX
/* In a Mac's list, the first place where there is a library that opens; its name below `sdk`. */
static const char *choose_on_macos(const char *sdk) {
	static char path[300];
	int result;
	for (size_t i = 0; (result = dynlib_vulkan_place_of(true, i, path, sizeof(path))) >= 0; i++) {
		void *library = result ? dynlib_open(path, NULL, 0) : NULL;
		if (library) {
			dynlib_close(library);
			return strncmp(path, sdk, strlen(sdk)) == 0 ? path + strlen(sdk) : path;
		}
	}
	return "none";
}

static void test_choice_on_macos(void) {
	char sdk[] = "/tmp/venera-test-XXXXXX", path[300], command[700];
	CHECK(folder_make_unique(sdk));
	CHECK(setenv("VULKAN_SDK", sdk, 1) == 0);
	CHECK(strcmp(choose_on_macos(sdk), "none") == 0);
	/* the worst first: a better one beside it is taken in its place */
	static const char *const names[] = {"/lib/libvulkan_kosmickrisp.dylib",
		"/macOS/lib/libMoltenVK.dylib", "/lib/libMoltenVK.dylib",
		"/macOS/lib/libvulkan.1.dylib", "/lib/libvulkan.1.dylib"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", sdk, names[i]);
		snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\" && cp \"$(ldconfig -p | "
			"sed -n 's/.*libm.so.6 .*=> //p' | head -n 1)\" %s", path, path);
		CHECK_INT(system(command), 0);
		CHECK(strcmp(choose_on_macos(sdk), names[i]) == 0);
	}
	/* what is there but cannot be opened is passed over */
	snprintf(command, sizeof(command), "echo no library >%s%s", sdk, names[4]);
	CHECK_INT(system(command), 0);
	CHECK(strcmp(choose_on_macos(sdk), names[3]) == 0);
	snprintf(command, sizeof(command), "rm -r %s", sdk);
	CHECK_INT(system(command), 0);
	unsetenv("VULKAN_SDK");
}
#endif

/* With the hardened runtime only absolute paths are left. */
static void test_places_on_macos(void) {
	static const char *const wanted[] = {"/opt/homebrew/lib/libvulkan.1.dylib",
		"/usr/local/lib/libvulkan.1.dylib", "@executable_path/../Frameworks/libvulkan.1.dylib",
		"/opt/homebrew/lib/libMoltenVK.dylib", "/usr/local/lib/libMoltenVK.dylib",
		"@executable_path/../Frameworks/libMoltenVK.dylib"};
	char path[300];
	size_t found = 0;
	for (size_t i = 0; dynlib_vulkan_place_of(true, i, path, sizeof(path)) >= 0; i++) {
		for (size_t j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++) {
			found += strcmp(path, wanted[j]) == 0;
		}
	}
	CHECK_INT(found, sizeof(wanted) / sizeof(wanted[0]));
}

int main(void) {
	RUN(test_open);
	RUN(test_not_there);
	RUN(test_vulkan_places);
	RUN(test_places_on_macos);
#if OS_LINUX
	RUN(test_choice_on_macos);
#endif
	return 0;
}
