/* SPDX-License-Identifier: MIT */

/*
 * parity [CASE...]: runs the cases, each in a process of its own, so that one which crashes does not
 * take the others with it. PATTERN* as CASE stands for all that begin so; -CASE leaves one out.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parity.h"

static const struct parity_case *const groups[] = {
	parity_api_cases,
	parity_memory_cases,
	parity_object_cases,
	parity_command_cases,
	parity_compute_cases,
	parity_draw_cases,
	parity_dynamic_cases,
	parity_pass_cases,
	parity_mixed_pass_cases,
	parity_mesh_cases,
	parity_ray_cases,
	parity_stage_cases,
	parity_state_cases,
	parity_image_cases,
	parity_query_cases,
	parity_mixed_query_cases,
	parity_sync_cases,
	parity_graph_cases,
	parity_thread_cases,
	parity_format_cases,
	parity_device_cases,
	parity_descriptor_cases,
	parity_plane_cases,
	parity_sparse_cases,
	parity_transfer_cases,
	parity_random_cases,
	parity_large_cases,
	parity_pipeline_cases,
	parity_swapchain_cases,
	parity_window_cases,
	parity_command_buffer_cases,
};

static bool is_wanted(const char *name, int count, char **wanted) {
	bool by_default = true;
	for (int i = 0; i < count; i++) {
		if (wanted[i][0] == '-' && strcmp(name, wanted[i] + 1) == 0) {
			return false;
		}
	}
	for (int i = 0; i < count; i++) {
		if (wanted[i][0] == '-') {
			continue;
		}
		by_default = false;
		const size_t length = strlen(wanted[i]);
		const bool star = length && wanted[i][length - 1] == '*';
		if (star ? strncmp(name, wanted[i], length - 1) == 0 : strcmp(name, wanted[i]) == 0) {
			return true;
		}
	}
	return by_default;
}

static void run(const struct parity_case *one) {
	printf("%s\n", one->name);
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		struct parity parity;
		alarm(60);
		parity_init(&parity);
		one->run(&parity);
		parity_finish(&parity);
		fflush(stdout);
		_exit(0);
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("parity");
		exit(1);
	}
	if (WIFSIGNALED(status)) {
		printf("\tended by signal %d\n", WTERMSIG(status));
	} else if (WEXITSTATUS(status)) {
		printf("\tended with code %d\n", WEXITSTATUS(status));
	}
}

int main(int argc, char **argv) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (const struct parity_case *one = groups[i]; one->name; one++) {
			if (is_wanted(one->name, argc - 1, argv + 1)) {
				run(one);
			}
		}
	}
	return 0;
}
