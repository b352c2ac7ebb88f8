/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_SANDBOX_H
#define VENERA_VTEST_SANDBOX_H

#include "base/sandbox.h"

/** What venera-vtest needs once its sockets and its broker are there. */
const struct sandbox_policy *vtest_sandbox_policy(void);

#endif
