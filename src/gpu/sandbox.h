/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_SANDBOX_H
#define VENERA_GPU_SANDBOX_H

#include "base/sandbox.h"

/** What venera-gpu needs once its sockets and its broker are there. */
const struct sandbox_policy *gpu_sandbox_policy(void);

#endif
