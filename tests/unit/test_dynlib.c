/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "base/dynlib.h"
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

int main(void) {
	RUN(test_open);
	RUN(test_not_there);
	RUN(test_vulkan_places);
	return 0;
}
