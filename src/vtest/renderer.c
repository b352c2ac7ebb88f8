/* SPDX-License-Identifier: MIT */
#include "vtest/renderer.h"

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "ipc/broker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A renderer is attached while a client has it. Releasing it closes the channel, upon which the
 * process frees everything and exits; a timer kills it if it does not. The struct lives on in the
 * pool's list until the process has been reaped, and is freed only there, which is why
 * the functions of the listener may release the renderer they are called for.
 *
 * Most of the time that a client waits for its first answer goes into a process's start and into
 * loading the host's driver. So there is a spare: a process that has done that and nothing else,
 * and has served nobody. The next client gets it, with a message that says who that is, and another one is
 * started. A spare that ends by itself is replaced after a while, which grows if that happens again.
 *
 * A process that ends by itself is noticed twice, in any order: the channel ends and the broker
 * says so. Only the latter is told to the client, since it tells how the process ended, and after
 * everything that the process had sent. Until then what is sent to it is dropped.
 */

/* More queued bytes than this make a client wait until its process has caught up. */
#define BUSY_BYTES (UINT32_C(1) << 20)

/* Until a spare that failed is replaced. */
#define SPARE_PAUSE_MIN (1000 * CLOCK_NS_PER_MS)
#define SPARE_PAUSE_MAX (64 * SPARE_PAUSE_MIN)

struct renderer {
	struct list link; /* in renderer_pool.renderers */
	struct renderer_pool *pool;
	pid_t pid;

	const struct renderer_listener *listener; /* NULL once it has been released */
	void *data;
	struct channel channel;
	struct event_source *source;
	bool watching_writable;
	struct shmem counters; /* struct render_counters; the descriptor is closed */
	bool ended; /* the other end of the channel is closed */

	/* Runs when the process should exit: once it has been released, or has closed its channel. */
	struct event_source *timer;
};

static void reap(void *data);
static void start_spare(void *data);

int renderer_pool_init(struct renderer_pool *pool, struct event_loop *loop,
		const struct renderer_options *options) {
	*pool = (struct renderer_pool){.loop = loop, .options = *options};
	list_init(&pool->renderers);
	int error = broker_watch(options->broker, loop, reap, pool);
	if (error) {
		return error;
	}
	pool->spare_pause = SPARE_PAUSE_MIN;
	if (options->spare) {
		pool->spare_timer = event_loop_add_timer(loop, start_spare, pool);
		start_spare(pool);
	}
	return 0;
}

static uint64_t used_by(const struct renderer *renderer, enum limit limit) {
	const struct render_counters *counters = renderer->counters.data;
	const uint64_t used = atomic_load_explicit(
		&counters->used[limit - LIMIT_RENDER_FIRST], memory_order_relaxed);
	const uint64_t most = renderer->pool->options.limits.value[limit];
	return used < most ? used : most;
}

/* Tells each process what all others have. */
static void share_limits(struct renderer_pool *pool) {
	static const enum limit limits[RENDER_TOTAL_COUNT] = {
		[RENDER_SHARED_MEMORY_TOTAL] = LIMIT_SHARED_MEMORY,
		[RENDER_MEMORY_TOTAL] = LIMIT_MEMORY,
	};
	for (int i = 0; i < RENDER_TOTAL_COUNT; i++) {
		uint64_t sum = 0;
		LIST_FOR_EACH(renderer, &pool->renderers, struct renderer, link) {
			sum += used_by(renderer, limits[i]);
		}
		LIST_FOR_EACH(renderer, &pool->renderers, struct renderer, link) {
			struct render_counters *counters = renderer->counters.data;
			const uint64_t own = used_by(renderer, limits[i]);
			/* it may have grown meanwhile */
			atomic_store_explicit(&counters->others[i], sum > own ? sum - own : 0,
				memory_order_relaxed);
		}
	}
}

bool renderer_does_guest_work(const struct renderer *renderer) {
	const struct render_counters *counters = renderer->counters.data;
	return atomic_load_explicit(&counters->guest_work, memory_order_relaxed);
}

static void free_renderer(struct renderer *renderer) {
	list_remove(&renderer->link);
	renderer->pool->renderer_count--;
	share_limits(renderer->pool);
	event_source_remove(renderer->timer);
	shmem_finish(&renderer->counters);
	free(renderer);
}

void renderer_pool_finish(struct renderer_pool *pool) {
	renderer_pool_drop_spare(pool);
	LIST_FOR_EACH_SAFE(renderer, &pool->renderers, struct renderer, link) {
		broker_kill(pool->options.broker, renderer->pid);
		broker_wait(pool->options.broker, renderer->pid, -1, NULL);
		free_renderer(renderer);
	}
	broker_unwatch(pool->options.broker);
}

/* The process is not to be trusted with a terminal: only what is printable gets into the log. */
static void copy_printable(char *out, size_t out_size, const char *text, size_t size) {
	size_t n = 0;
	for (; n < size && n + 1 < out_size && text[n]; n++) {
		out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	}
	out[n] = '\0';
}

static void handle_lost(struct renderer *renderer, const struct channel_message *message) {
	char why[sizeof(((struct render_lost *)NULL)->reason)] = "";
	if (message->size >= sizeof(struct render_lost)) {
		const struct render_lost *lost = message->body;
		copy_printable(why, sizeof(why), lost->reason, sizeof(lost->reason));
	}
	renderer->listener->lost(renderer->data, why[0] ? why : "the context was lost");
}

static const char malformed_message[] = "the render process sent a malformed message";

/* Whatever the process sends that makes no sense ends the context. */
static void handle_message(struct renderer *renderer, struct channel_message *message) {
	if (message->type == RENDER_EVENT_FENCE && message->size == sizeof(struct render_fence) &&
			message->fd_count == 0) {
		renderer->listener->fence(renderer->data, message->body);
	} else if (message->type == RENDER_EVENT_BLOB && message->size == sizeof(struct render_blob) &&
			message->fd_count <= 1) {
		int fd = message->fd_count ? message->fds[0] : -1;
		message->fd_count = 0;
		renderer->listener->blob(renderer->data, message->body, fd);
	} else if (message->type == RENDER_EVENT_LOST) {
		handle_lost(renderer, message);
	} else if (message->type == RENDER_EVENT_USAGE && message->size == 0 &&
			message->fd_count == 0) {
		share_limits(renderer->pool);
	} else {
		renderer->listener->lost(renderer->data, malformed_message);
	}
	channel_message_close_fds(message);
}

static void handle_timer(void *data) {
	struct renderer *renderer = data;
	if (renderer->listener) {
		renderer->listener->lost(renderer->data, "the render process closed its channel");
		return;
	}
	log_info("render process %d did not exit in time and was killed", (int)renderer->pid);
	broker_kill(renderer->pool->options.broker, renderer->pid);
}

static void expect_exit(struct renderer *renderer) {
	if (!renderer->timer) {
		renderer->timer = event_loop_add_timer(renderer->pool->loop, handle_timer, renderer);
	}
	if (renderer->timer) {
		event_source_timer_arm(renderer->timer, RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS);
	} else {
		broker_kill(renderer->pool->options.broker, renderer->pid);
	}
}

static void handle_end(struct renderer *renderer) {
	if (!renderer->ended) {
		renderer->ended = true;
		event_source_remove(renderer->source);
		renderer->source = NULL;
		expect_exit(renderer);
	}
}

/* Takes what one read brings: more is reported again, after the other processes had their turn. */
static void receive(struct renderer *renderer) {
	do {
		struct channel_message message;
		int result = channel_recv(&renderer->channel, &message);
		if (result == 1) {
			handle_message(renderer, &message);
		} else if (result == 0 || result == -ECONNRESET) {
			handle_end(renderer);
			return;
		} else {
			if (result != -EAGAIN) {
				renderer->listener->lost(renderer->data,
					result == -EPROTO ? malformed_message : strerror(-result));
			}
			return;
		}
	} while (renderer->listener && renderer->channel.begin < renderer->channel.end);
}

static void watch(struct renderer *renderer) {
	bool writable = channel_queued(&renderer->channel) > 0;
	if (writable != renderer->watching_writable) {
		renderer->watching_writable = writable;
		event_source_fd_update(
			renderer->source, writable ? EVENT_READABLE | EVENT_WRITABLE : EVENT_READABLE);
	}
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	(void)fd;
	struct renderer *renderer = data;
	if (mask & EVENT_WRITABLE) {
		int result = channel_flush(&renderer->channel);
		if (result >= 0) {
			watch(renderer);
			renderer->listener->drained(renderer->data);
		} else if (result != -EPIPE && result != -ECONNRESET) {
			renderer->listener->lost(renderer->data, strerror(-result));
		}
		if (!renderer->listener) {
			return;
		}
	}
	/* The end of the process comes behind what it has sent. */
	if (mask & (EVENT_READABLE | EVENT_HANGUP | EVENT_ERROR)) {
		receive(renderer);
	}
}

static struct renderer *start_renderer(struct renderer_pool *pool, const char *name,
		const struct renderer_listener *listener, void *data) {
	struct renderer *renderer = calloc(1, sizeof(*renderer));
	if (!renderer) {
		return NULL;
	}
	list_init(&renderer->link);
	renderer->pool = pool;
	renderer->listener = listener;
	renderer->data = data;

	int error = shmem_create(
		&renderer->counters, "venera-counters", sizeof(struct render_counters));
	if (error) {
		goto free_renderer;
	}
	int fds[2];
	error = socket_pair(fds);
	if (error) {
		goto finish_counters;
	}
	error = channel_init(&renderer->channel, fds[0]);
	if (error) {
		goto close_theirs;
	}
	error = channel_set_queueing(&renderer->channel, true);
	if (error) {
		goto finish_channel;
	}
	renderer->source = event_loop_add_fd(
		pool->loop, renderer->channel.fd, EVENT_READABLE, handle_channel, renderer);
	if (!renderer->source) {
		error = -ENOMEM;
		goto finish_channel;
	}

	renderer->pid = broker_start(
		pool->options.broker, name, fds[1], renderer->counters.fd);
	if (renderer->pid < 0) {
		error = (int)renderer->pid;
		goto remove_source;
	}
	close(fds[1]);
	close(renderer->counters.fd); /* the mapping stays */
	renderer->counters.fd = -1;
	list_append(&pool->renderers, &renderer->link);
	pool->renderer_count++;
	share_limits(pool);
	return renderer;

remove_source:
	event_source_remove(renderer->source);
finish_channel:
	channel_finish(&renderer->channel);
close_theirs:
	close(fds[1]);
finish_counters:
	shmem_finish(&renderer->counters);
free_renderer:
	free(renderer);
	errno = -error;
	return NULL;
}

static int send_request(struct renderer *renderer, enum render_request request, const void *body,
		size_t size, const void *extra, size_t extra_size, const int *fds, int fd_count) {
	if (renderer->ended) {
		return 0;
	}
	int error = channel_send(
		&renderer->channel, request, body, size, extra, extra_size, fds, fd_count);
	if (error == -EPIPE || error == -ECONNRESET) {
		/* what it still sent is read first */
		return 0;
	}
	if (!error) {
		watch(renderer);
	}
	return error;
}

/* --- the spare --- */

static void lose_spare(void *data, const char *why) {
	struct renderer_pool *pool = data;
	log_warn("the spare render process is lost: %s", why);
	renderer_release(pool->spare);
	pool->spare = NULL;
	if (pool->spare_timer) {
		event_source_timer_arm(pool->spare_timer, pool->spare_pause);
	}
	if (pool->spare_pause < SPARE_PAUSE_MAX) {
		pool->spare_pause *= 2;
	}
}

/* Nothing was asked of it. */
static void spare_blob(void *data, const struct render_blob *blob, int fd) {
	(void)blob;
	if (fd >= 0) {
		close(fd);
	}
	lose_spare(data, malformed_message);
}

static void spare_fence(void *data, const struct render_fence *fence) {
	(void)fence;
	lose_spare(data, malformed_message);
}

static void spare_drained(void *data) {
	(void)data;
}

static const struct renderer_listener spare_listener = {
	.blob = spare_blob,
	.fence = spare_fence,
	.lost = lose_spare,
	.drained = spare_drained,
};

static bool has_room(const struct renderer_pool *pool) {
	errno = EAGAIN;
	return pool->renderer_count < pool->options.limits.value[LIMIT_CONTEXTS];
}

static void start_spare(void *data) {
	struct renderer_pool *pool = data;
	pool->spare = has_room(pool) ? start_renderer(pool, NULL, &spare_listener, pool) : NULL;
	if (!pool->spare) {
		/* clients will say so, if it lasts */
		log_debug("no spare render process: %s", strerror(errno));
		if (pool->spare_timer) {
			event_source_timer_arm(pool->spare_timer, pool->spare_pause);
		}
	}
}

void renderer_pool_drop_spare(struct renderer_pool *pool) {
	event_source_remove(pool->spare_timer);
	pool->spare_timer = NULL;
	renderer_release(pool->spare);
	pool->spare = NULL;
}

static struct renderer *refuse(const struct renderer_pool *pool) {
	char most[LIMIT_TEXT_SIZE];
	log_warn("limit reached: %s=%s", limit_name(LIMIT_CONTEXTS),
		limit_format(LIMIT_CONTEXTS, pool->options.limits.value[LIMIT_CONTEXTS], most));
	errno = EAGAIN;
	return NULL;
}

struct renderer *renderer_create(struct renderer_pool *pool, const char *name,
		const struct renderer_listener *listener, void *data) {
	struct renderer *renderer = pool->spare;
	if (!renderer || renderer->ended) {
		return has_room(pool) ? start_renderer(pool, name, listener, data) : refuse(pool);
	}
	struct render_name message = {0};
	snprintf(message.text, sizeof(message.text), "%s", name);
	int error = send_request(
		renderer, RENDER_REQUEST_NAME, &message, sizeof(message), NULL, 0, NULL, 0);
	if (error) {
		return start_renderer(pool, name, listener, data);
	}
	renderer->listener = listener;
	renderer->data = data;
	pool->spare_pause = SPARE_PAUSE_MIN;
	start_spare(pool);
	return renderer;
}

void renderer_release(struct renderer *renderer) {
	if (!renderer) {
		return;
	}
	event_source_remove(renderer->source);
	renderer->source = NULL;
	channel_finish(&renderer->channel);
	renderer->listener = NULL;
	expect_exit(renderer);
}

/* How a process ended, if not in order. */
static bool describe_end(int status, char *text, size_t size) {
	if (WIFSIGNALED(status)) {
		snprintf(text, size, "the render process was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
		return true;
	}
	if (WEXITSTATUS(status) != 0) {
		snprintf(text, size, "the render process exited with code %d", WEXITSTATUS(status));
		return true;
	}
	snprintf(text, size, "the render process ended");
	return false;
}

static void reap(void *data) {
	struct renderer_pool *pool = data;
	bool reaped = false;
	LIST_FOR_EACH_SAFE(renderer, &pool->renderers, struct renderer, link) {
		int status;
		int result = broker_wait(pool->options.broker, renderer->pid, 0, &status);
		if (result == 0) {
			continue;
		}
		if (result < 0) { /* nobody can tell how */
			status = 0;
		}
		char text[160];
		bool abnormal = describe_end(status, text, sizeof(text));
		struct channel_message message;
		while (renderer->listener && channel_recv(&renderer->channel, &message) == 1) {
			handle_message(renderer, &message);
		}
		if (renderer->listener) {
			renderer->listener->lost(renderer->data, text);
		} else if (abnormal) {
			log_debug("process %d: %s", (int)renderer->pid, text);
		}
		reaped = true;
		free_renderer(renderer);
	}
	if (reaped && list_empty(&pool->renderers) && pool->idle_func) {
		pool->idle_func(pool->idle_data);
	}
}

bool renderer_is_busy(const struct renderer *renderer) {
	return channel_queued(&renderer->channel) > BUSY_BYTES;
}

int renderer_create_blob(struct renderer *renderer, const struct render_create_blob *blob) {
	return send_request(
		renderer, RENDER_REQUEST_CREATE_BLOB, blob, sizeof(*blob), NULL, 0, NULL, 0);
}

int renderer_attach_resource(
		struct renderer *renderer, const struct render_attach_resource *resource, int fd) {
	return send_request(renderer, RENDER_REQUEST_ATTACH_RESOURCE, resource, sizeof(*resource), NULL,
		0, &fd, 1);
}

int renderer_detach_resource(struct renderer *renderer, uint32_t resource_id) {
	const struct render_detach_resource resource = {.resource_id = resource_id};
	return send_request(renderer, RENDER_REQUEST_DETACH_RESOURCE, &resource, sizeof(resource), NULL,
		0, NULL, 0);
}

int renderer_submit(struct renderer *renderer, const struct render_submit *submit,
		const void *stream, size_t size) {
	return send_request(
		renderer, RENDER_REQUEST_SUBMIT, submit, sizeof(*submit), stream, size, NULL, 0);
}
