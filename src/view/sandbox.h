/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_SANDBOX_H
#define VENERA_VIEW_SANDBOX_H

#include <stdbool.h>

#include "base/sandbox.h"

/**
 * What venera-view needs; with a window, that of the display server, too. `screenshot` is the
 * file that it may be asked to write, or NULL. Once: the files come from the environment, in
 * which this sets where drivers have their caches.
 */
const struct sandbox_policy *view_sandbox_policy(bool window, const char *screenshot);

#endif
