/* SPDX-License-Identifier: MIT */
#include "cli/vm.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/input.h"
#include "cli/qmp.h"

/*
 * Theory of operation
 *
 * venera-gpu is started first and makes its two sockets. Then venera-view connects to one and QEMU
 * to the other. From there on everybody ends because somebody else did:
 *
 *   the guest powers off -> QEMU exits -> venera-gpu loses its front end and exits ->
 *   venera-view loses venera-gpu and exits -> we exit, with QEMU's code.
 *
 * A stop that is asked for from outside (the window was closed, SIGTERM, ^C where no raw terminal
 * takes it) enters this chain at its beginning, by the guest's power button. Each state
 * has a time after which the next, more forceful one begins; asking again skips the wait. If one of
 * ours fails, the same is done, and the exit code says so.
 *
 * But a venera-view that fails costs the machine nothing: another one is started, and venera-gpu tells
 * it everything. Only one that fails right away, time and again, is a reason to stop; and
 * if there was a picture before, not even that.
 */
enum vm_state {
	VM_WAITING,       /* for venera-gpu's sockets */
	VM_RUNNING,
	VM_SETTLING,      /* one of ours ended in order: because QEMU does, or for itself? */
	VM_POWERING_DOWN, /* the guest was asked */
	VM_QUITTING,      /* QEMU was asked */
	VM_KILLING,       /* QEMU was killed */
	VM_ENDING,        /* QEMU is gone; the others end by themselves */
	VM_TERMINATING,   /* they were asked */
	VM_KILLING_REST,  /* they were killed */
};

#define VM_SOCKET_POLL_MS 5
#define VM_SOCKET_TIMEOUT_MS 10000
#define VM_QMP_POLL_MS 50
#define VM_SETTLE_MS 300
#define VM_POWER_DOWN_MS 5000
#define VM_QUIT_MS 3000
#define VM_END_MS 3000
#define VM_TERMINATE_MS 2000
/* A view that lived so long works; one that fails sooner is started so often; after that pause. */
#define VM_VIEW_WORKS_MS 5000
#define VM_VIEW_ATTEMPTS 3
#define VM_VIEW_PAUSE_MS 200

struct vm {
	struct event_loop *loop;
	const struct vm_config *config;
	const struct vm_paths *paths;
	const struct qemu *qemu_info;
	int guard_fd;
	struct child gpu, view, qemu;
	enum vm_state state;
	struct event_source *timer;     /* until the next state, or the next look for the sockets */
	struct event_source *qmp_timer; /* until the next attempt to connect */
	struct event_source *view_timer; /* until venera-view is started again */
	uint64_t view_started;          /* clock_now() */
	int view_failures;              /* one after the other, right after the start */
	bool view_worked;               /* once */
	uint64_t started;               /* clock_now() */
	struct qmp *qmp;                /* NULL: not connected */
	struct input *input;            /* NULL: there is no window */
	bool qemu_ending;               /* it has told us */
	bool failed;
};

static void vm_escalate(struct vm *vm);

static void vm_enter(struct vm *vm, enum vm_state state, uint64_t time_ms) {
	vm->state = state;
	event_source_timer_arm(vm->timer, time_ms * CLOCK_NS_PER_MS);
}

/* --- starting --- */

static bool start_child(struct vm *vm, struct child *child, enum child_terminal terminal,
		struct args *args) {
	bool started = child_start(child, args, terminal);
	args_finish(args);
	if (started) {
		guard_add_process(vm->guard_fd, child->pid);
	}
	return started;
}

static bool start_gpu(struct vm *vm) {
	struct args args = {0};
	vm_gpu_args(&args, vm->config, vm->paths);
	return start_child(vm, &vm->gpu, CHILD_DETACHED, &args);
}

static bool start_view(struct vm *vm) {
	struct args args = {0};
	vm_view_args(&args, vm->config, vm->paths);
	if (vm->input) {
		args_add_format(&args, "--input-socket=%s", vm->paths->input_socket);
	}
	vm->view_started = clock_now();
	return start_child(vm, &vm->view, CHILD_DETACHED, &args);
}

static bool start_view_and_qemu(struct vm *vm) {
	if (!start_view(vm)) {
		return false;
	}
	struct args args = {0};
	vm_qemu_args(&args, vm->config, vm->paths, vm->qemu_info);
	return start_child(vm, &vm->qemu, CHILD_TERMINAL, &args);
}

static bool is_socket(const char *path) {
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void look_for_sockets(struct vm *vm) {
	if (is_socket(vm->paths->gpu_socket) && is_socket(vm->paths->view_socket)) {
		vm->state = VM_RUNNING;
		if (start_view_and_qemu(vm)) {
			event_source_timer_arm(vm->qmp_timer, VM_QMP_POLL_MS * CLOCK_NS_PER_MS);
			return;
		}
		vm->failed = true;
	} else if (clock_now() - vm->started < VM_SOCKET_TIMEOUT_MS * CLOCK_NS_PER_MS) {
		event_source_timer_arm(vm->timer, VM_SOCKET_POLL_MS * CLOCK_NS_PER_MS);
		return;
	} else {
		log_error("venera-gpu does not make its sockets");
		vm->failed = true;
	}
	vm_enter(vm, VM_ENDING, 0);
}

/* --- stopping --- */

static void ask_qemu_to_quit(struct vm *vm) {
	if (vm->qmp) {
		qmp_execute(vm->qmp, "quit");
	} else {
		child_signal(&vm->qemu, SIGTERM);
	}
	vm_enter(vm, VM_QUITTING, VM_QUIT_MS);
}

/* On to the next state: its time is over, or the user is impatient. */
static void vm_escalate(struct vm *vm) {
	switch (vm->state) {
	case VM_WAITING:
		vm_enter(vm, VM_ENDING, 0);
		break;
	case VM_SETTLING:
		if (!child_running(&vm->gpu) && !vm->failed && !vm->qemu_ending) {
			log_error("venera-gpu has ended; stopping the virtual machine");
			vm->failed = true;
		}
		/* fall through */
	case VM_RUNNING:
		if (vm->qmp) {
			log_info("waiting up to %d s for the guest to power off", VM_POWER_DOWN_MS / 1000);
			qmp_execute(vm->qmp, "system_powerdown");
			vm_enter(vm, VM_POWERING_DOWN, VM_POWER_DOWN_MS);
		} else {
			ask_qemu_to_quit(vm);
		}
		break;
	case VM_POWERING_DOWN:
		ask_qemu_to_quit(vm);
		break;
	case VM_QUITTING:
		child_signal(&vm->qemu, SIGKILL);
		vm_enter(vm, VM_KILLING, VM_QUIT_MS);
		break;
	case VM_KILLING: /* it will be reaped */
		vm_enter(vm, VM_KILLING, VM_QUIT_MS);
		break;
	case VM_ENDING:
		child_signal(&vm->gpu, SIGTERM);
		child_signal(&vm->view, SIGTERM);
		vm_enter(vm, VM_TERMINATING, VM_TERMINATE_MS);
		break;
	case VM_TERMINATING:
	case VM_KILLING_REST:
		child_signal(&vm->gpu, SIGKILL);
		child_signal(&vm->view, SIGKILL);
		vm_enter(vm, VM_KILLING_REST, VM_TERMINATE_MS);
		break;
	}
}

/* Stops the VM if nobody does yet. */
static void vm_stop(struct vm *vm) {
	if (vm->state < VM_POWERING_DOWN) {
		vm_escalate(vm);
	}
}

static void handle_timer(void *data) {
	struct vm *vm = data;
	if (vm->state == VM_WAITING) {
		look_for_sockets(vm);
	} else if (vm->state != VM_RUNNING) {
		vm_escalate(vm);
	}
}

static void handle_stop_signal(void *data, int signal_number) {
	(void)signal_number;
	vm_escalate(data);
}

static void handle_screenshot_signal(void *data, int signal_number) {
	struct vm *vm = data;
	child_signal(&vm->view, signal_number);
}

/* --- the monitor --- */

static void handle_qmp(void *data, enum qmp_message message, struct json value) {
	struct vm *vm = data;
	switch (message) {
	case QMP_READY:
		input_set_monitor(vm->input, vm->qmp);
		break;
	case QMP_RETURN:
	case QMP_ERROR:
		input_continue(vm->input);
		break;
	case QMP_EVENT:
		vm->qemu_ending |= json_equals(json_member(value, "event"), "SHUTDOWN");
		break;
	case QMP_CLOSED:
		input_set_monitor(vm->input, NULL);
		qmp_destroy(vm->qmp);
		vm->qmp = NULL;
		break;
	}
}

static void handle_qmp_timer(void *data) {
	struct vm *vm = data;
	if (!child_running(&vm->qemu) || vm->qmp) {
		return;
	}
	vm->qmp = qmp_connect(vm->loop, vm->paths->qmp_socket, handle_qmp, vm);
	if (!vm->qmp) {
		event_source_timer_arm(vm->qmp_timer, VM_QMP_POLL_MS * CLOCK_NS_PER_MS);
	}
}

/* --- ends of children --- */

static bool reap(struct vm *vm, struct child *child) {
	pid_t pid = child->pid;
	if (!child_reap(child)) {
		return false;
	}
	guard_remove_process(vm->guard_fd, pid);
	return true;
}

/*
 * venera-gpu or venera-view ended while QEMU seems to run. QEMU may be ending, too: it closes its
 * sockets, which the others notice, before its end is reported, and on a busy machine long before. If
 * it has told us that it ends, it has the time that it has after it was asked to.
 */
static void handle_early_end(struct vm *vm, const struct child *child) {
	int code = child_exit_code(child);
	if (code == 0 && vm->state != VM_WAITING) {
		if (vm->state == VM_RUNNING) {
			vm_enter(vm, VM_SETTLING, vm->qemu_ending ? VM_QUIT_MS : VM_SETTLE_MS);
		}
		return;
	}
	if (code > 128) {
		log_error("%s was ended by signal %d; stopping the virtual machine",
			child->name, code - 128);
	} else if (!child->spoke || vm->state >= VM_RUNNING) {
		log_error("%s ended with code %d; stopping the virtual machine", child->name, code);
	}
	vm->failed = true;
	vm_stop(vm);
}

static void handle_view_timer(void *data) {
	struct vm *vm = data;
	if (vm->state != VM_RUNNING || child_running(&vm->view)) {
		return;
	}
	child_finish(&vm->view);
	child_init(&vm->view, "venera-view", vm->loop);
	if (!start_view(vm)) {
		event_source_timer_arm(vm->view_timer, VM_VIEW_WORKS_MS * CLOCK_NS_PER_MS);
	}
}

static void handle_view_end(struct vm *vm) {
	const int code = child_exit_code(&vm->view);
	if (code == 0 || vm->state != VM_RUNNING) {
		handle_early_end(vm, &vm->view);
		return;
	}
	if (clock_now() - vm->view_started >= VM_VIEW_WORKS_MS * CLOCK_NS_PER_MS) {
		vm->view_worked = true;
		vm->view_failures = 0;
	}
	if (++vm->view_failures < VM_VIEW_ATTEMPTS) {
		log_warn(code > 128 ? "venera-view was ended by signal %d; starting another" :
			"venera-view ended with code %d; starting another", code > 128 ? code - 128 : code);
		event_source_timer_arm(vm->view_timer, VM_VIEW_PAUSE_MS * CLOCK_NS_PER_MS);
	} else if (vm->view_worked) {
		log_error("venera-view fails again and again; the virtual machine goes on without it");
	} else {
		handle_early_end(vm, &vm->view);
	}
}

static void handle_child_signal(void *data, int signal_number) {
	struct vm *vm = data;
	(void)signal_number;
	if (reap(vm, &vm->qemu) && vm->state < VM_ENDING) {
		vm_enter(vm, VM_ENDING, VM_END_MS);
	}
	if (reap(vm, &vm->gpu) && vm->state < VM_ENDING) {
		handle_early_end(vm, &vm->gpu);
	}
	if (reap(vm, &vm->view) && vm->state < VM_ENDING) {
		handle_view_end(vm);
	}
	if (vm->state >= VM_ENDING && !child_running(&vm->gpu) && !child_running(&vm->view)) {
		event_loop_stop(vm->loop);
	}
}

/* --- all of it --- */

static bool watch(struct vm *vm) {
	vm->timer = event_loop_add_timer(vm->loop, handle_timer, vm);
	vm->qmp_timer = event_loop_add_timer(vm->loop, handle_qmp_timer, vm);
	vm->view_timer = event_loop_add_timer(vm->loop, handle_view_timer, vm);
	signal(SIGPIPE, SIG_IGN);
	return vm->timer && vm->qmp_timer && vm->view_timer &&
		event_loop_add_signal(vm->loop, SIGCHLD, handle_child_signal, vm) &&
		event_loop_add_signal(vm->loop, SIGINT, handle_stop_signal, vm) &&
		event_loop_add_signal(vm->loop, SIGTERM, handle_stop_signal, vm) &&
		event_loop_add_signal(vm->loop, SIGHUP, handle_stop_signal, vm) &&
		event_loop_add_signal(vm->loop, SIGUSR1, handle_screenshot_signal, vm);
}

/*
 * Quirks of QEMU 11.1.3; nothing is wrong then. The first comes with every blob that venera-gpu
 * maps, the other when the machine was stopped while venera-gpu had begun to ask for something.
 */
static const char *const qemu_harmless[] = {
	"vhost_set_mem_table failed: Input/output error (5)",
	"Received unexpected msg type: -3019898",
	NULL,
};

int vm_run(const struct vm_config *config, const struct vm_paths *paths, const struct qemu *qemu,
		int guard_fd) {
	int code = CLI_EXIT_FAILED;
	struct vm vm = {
		.config = config,
		.paths = paths,
		.qemu_info = qemu,
		.guard_fd = guard_fd,
		.state = VM_WAITING,
		.started = clock_now(),
	};
	vm.loop = event_loop_create();
	if (!vm.loop) {
		log_error("out of memory or descriptors");
		return code;
	}
	child_init(&vm.gpu, "venera-gpu", vm.loop);
	child_init(&vm.view, "venera-view", vm.loop);
	child_init(&vm.qemu, "qemu", vm.loop);
	vm.qemu.harmless = qemu_harmless;

	struct termios terminal;
	bool have_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
	if (!watch(&vm)) {
		log_error("out of memory");
		goto out;
	}
	if (config->window) {
		vm.input = input_create(vm.loop, paths->input_socket);
		if (!vm.input) {
			goto out;
		}
	}
	if (!start_gpu(&vm)) {
		goto out;
	}
	event_source_timer_arm(vm.timer, VM_SOCKET_POLL_MS * CLOCK_NS_PER_MS);
	int err = event_loop_run(vm.loop);
	if (err) {
		log_error("the event loop failed: %s", strerror(-err));
		goto out;
	}
	if (vm.qemu.started) {
		code = child_exit_code(&vm.qemu);
	}
	if (vm.failed && code == 0) {
		code = CLI_EXIT_FAILED;
	}

out:
	input_destroy(vm.input);
	qmp_destroy(vm.qmp);
	child_finish(&vm.qemu);
	child_finish(&vm.gpu);
	child_finish(&vm.view);
	if (have_terminal) { /* QEMU puts it back itself unless it was killed */
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	}
	event_loop_destroy(vm.loop);
	return code;
}
