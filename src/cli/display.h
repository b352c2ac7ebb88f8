/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_DISPLAY_H
#define VENERA_CLI_DISPLAY_H

/**
 * Is there a display that a window can be opened on? NULL, or on the heap why not. Quick: it looks
 * whether a display server is there, not what it can do.
 */
char *display_find(void);

/**
 * Really opens a window (which is not shown) by starting venera-view, `driver` being a Vulkan
 * driver's manifest or NULL. NULL if that works, and then `*text` is what it is like; else
 * on the heap why not.
 */
char *display_try(const char *driver, char **text);

#endif
