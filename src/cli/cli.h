/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_CLI_H
#define VENERA_CLI_CLI_H

/**
 * The command `venera`: each function is a subcommand. argv[0] is the subcommand's own
 * name. They return the exit code of the process; errors were printed.
 */

enum cli_exit {
	CLI_EXIT_OK = 0,
	CLI_EXIT_FAILED = 1,
	CLI_EXIT_USAGE = 2, /* a command line that says nothing sensible */
};

/** venera run: starts the VM and what belongs to it. */
int run_main(int argc, char **argv);

/** venera doctor: tries what a VM needs on this host. */
int doctor_main(int argc, char **argv);

/** venera stat: prints the counters of a machine that runs. */
int stat_main(int argc, char **argv);

/** Internal, for `run`: cleans up after a `run` that was killed (see guard.c). */
int guard_main(int argc, char **argv);

/** Internal, for `run` and `doctor`: tries the Vulkan drivers of this process (see probe.c). */
int probe_main(int argc, char **argv);

#endif
