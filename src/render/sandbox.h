/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_SANDBOX_H
#define VENERA_RENDER_SANDBOX_H

#include "base/sandbox.h"

/**
 * What a render process needs. Its files come from the environment, in which this sets where
 * drivers have their caches.
 */
const struct sandbox_policy *render_sandbox_policy(void);

#endif
