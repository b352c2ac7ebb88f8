/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_SESSION_H
#define VENERA_VIEW_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event_loop.h"
#include "view/presenter.h"
#include "view/window.h"

/** The talk with venera-gpu: what it says is shown. */
struct view_session;

struct view_session_options {
	struct event_loop *loop;          /* the session ends it with event_loop_stop() */
	int fd;                           /* the connected socket; taken over, also on failure */
	struct view_presenter *presenter;
	struct view_window *window;       /* NULL: headless */
	uint32_t width, height;           /* headless: of the window that there is not, pixels */
	const char *screenshot;           /* path; NULL: none */
};

/**
 * Says hello and begins. Everything it is given must outlive it, and it is for the loop's thread,
 * but may be made before that runs. NULL on failure, with the reason logged.
 */
struct view_session *view_session_create(const struct view_session_options *options);

/** NULL is accepted. */
void view_session_destroy(struct view_session *session);

/** Saves what the window shows. */
void view_session_screenshot(struct view_session *session);

/** Did it end by an error (which was logged) and not in order? */
bool view_session_failed(const struct view_session *session);

#endif
