/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_LAYERS_CLOCK_H
#define VENERA_TESTS_LAYERS_CLOCK_H

/** The clock of the program goes on by a sixtieth of a second, if it is ours at all. */
void clock_next_frame(void);

#endif
