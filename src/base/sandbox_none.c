/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sandbox.h"

/* For systems of which we know no sandbox, and for portable builds. */

static const char missing[] = "no sandbox that is known: a guest that breaks out of a "
	"render process is this user";

int sandbox_confine(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	if (mode != SANDBOX_OFF && !policy->quiet) {
		log_warn("%s", missing);
	}
	return 0;
}

int sandbox_filter(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	(void)policy;
	(void)mode;
	return 0;
}

char *sandbox_what_is_missing(void) {
	char *text = malloc(sizeof(missing));
	if (text) {
		memcpy(text, missing, sizeof(missing));
	}
	return text;
}
