/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_SANDBOX_H
#define VENERA_RENDER_SANDBOX_H

#include "base/sandbox.h"

/** What a render process needs. Its files come from the environment, so once, and early. */
const struct sandbox_policy *render_sandbox_policy(void);

/**
 * Gives drivers a folder for caches of Venera's own, by XDG_CACHE_HOME: what a guest makes its render process
 * write there, no other program of the user's reads. Once, before the policy is asked for.
 */
void render_sandbox_choose_cache(void);

#endif
