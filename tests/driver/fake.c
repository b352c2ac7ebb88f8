/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "base/list.h"
#include "wire_commands.h"

/*
 * Theory of operation
 *
 * The codec knows every structure, so it does the reading: what the driver is given is encoded
 * as a guest would do it, which reads all of it, and decoded again with a table of the driver's own
 * objects, under their handles as ids, which checks every handle. Outputs are filled in by the
 * code that tests of the codec use (tests/wire).
 */

#define SCRATCH_SIZE ((size_t)128 * 1024)
#define ARENA_LIMIT ((size_t)8 * 1024 * 1024)
/** What the Vulkan loader expects a dispatchable object to begin with. */
#define LOADER_MAGIC UINT64_C(0x01cdc0de)
/** Queues of a device: families times queues. */
#define QUEUE_SLOTS 16

struct fake_object {
	uint64_t loader_magic;
	struct venus_object base;
	struct list link;     /* of the parent's, or the driver's */
	struct list children; /* of a pool: what was allocated from it; of an instance: devices */
	uint64_t queues[QUEUE_SLOTS];
	uint32_t child_count; /* of a device: objects that are not destroyed, without queues */
};

static struct {
	struct fake_plan plan;
	bool ready;
	uint64_t calls;
	struct filler filler;
	struct epoch epoch;
	struct venus_object_table table;
	struct list objects;
	struct arena arena;
	size_t args_size;
	void *args; /* decoded again */
	uint8_t scratch[SCRATCH_SIZE];
	bool covered[WIRE_COVERAGE_COUNT];
} fake;

/** Of all of it: the functions below are called by any thread of who loads the driver. */
static pthread_mutex_t lock;

static void lock_init(void) {
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static void enter(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, lock_init);
	pthread_mutex_lock(&lock);
}

static void leave(void) {
	pthread_mutex_unlock(&lock);
}

static struct fake_object *of_base(struct venus_object *base) {
	return LIST_CONTAINER(base, struct fake_object, base);
}

static uint64_t handle_of(const struct fake_object *object) {
	return (uint64_t)(uintptr_t)object;
}

static void prepare(void) {
	if (fake.ready) {
		return;
	}
	fake.ready = true;
	epoch_init(&fake.epoch);
	if (venus_object_table_init(&fake.table, &fake.epoch) < 0) {
		abort();
	}
	arena_init(&fake.arena, ARENA_LIMIT);
	list_init(&fake.objects);
	for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
		if (wire_commands[i].args_size > fake.args_size) {
			fake.args_size = wire_commands[i].args_size;
		}
	}
	fake.args = malloc(fake.args_size);
	if (!fake.args) {
		abort();
	}
}

static void forget(struct fake_object *object) {
	LIST_FOR_EACH_SAFE(child, &object->children, struct fake_object, link) {
		forget(child);
	}
	venus_object_table_remove(&fake.table, &object->base);
	list_remove(&object->link);
	free(object);
}

size_t fake_reset(const struct fake_plan *plan) {
	prepare();
	size_t left = 0;
	while (!list_empty(&fake.objects)) {
		forget(LIST_CONTAINER(fake.objects.next, struct fake_object, link));
		left++;
	}
	fake.calls = 0;
	filler_init(&fake.filler, &fake.arena, fake.covered, plan->seed);
	fake.plan = *plan;
	return left;
}

void fake_replan(const struct fake_plan *plan) {
	fake.plan = *plan;
	fake.calls = 0;
	fake.filler.state = plan->seed;
}

const struct fake_plan *fake_get_plan(void) {
	return &fake.plan;
}

void fake_finish(void) {
	if (fake.ready) {
		fake_reset(&(struct fake_plan){0});
		venus_object_table_finish(&fake.table);
		epoch_finish(&fake.epoch);
		arena_finish(&fake.arena);
		free(fake.args);
		fake.ready = false;
	}
}

uint64_t fake_random(void) {
	return filler_u64(&fake.filler);
}

/* --- calls --- */

static void read_request(const struct wire_command *command, const void *args) {
	struct venus_encoder e = {.cursor = fake.scratch, .end = fake.scratch + SCRATCH_SIZE};
	command->encode_request(&e, args);
	if (e.overflow) {
		return; /* read, but too much to check */
	}
	struct venus_decoder d = {
		.cursor = fake.scratch + 8,
		.end = e.cursor,
		.arena = &fake.arena,
		.objects = &fake.table,
	};
	if (!command->decode_request(&d, fake.args) && !strstr(d.error, "memory")) {
		fprintf(stderr, "fake driver: %s is called with a wrong %s: %s\n", command->name,
			d.error_argument ? d.error_argument : "argument", d.error);
		abort();
	}
	arena_reset(&fake.arena);
}

static bool call(const struct wire_command *command, void *args, VkResult *result) {
	prepare();
	read_request(command, args);
	if (result) {
		fake.calls++;
		const struct fake_plan *plan = &fake.plan;
		if (plan->fail_at && fake.calls >= plan->fail_at &&
				(fake.calls == plan->fail_at ||
					(plan->fail_every &&
						(fake.calls - plan->fail_at) % plan->fail_every == 0))) {
			*result = plan->error;
			return plan->error >= 0;
		}
	}
	/* extensions are many, and never made up */
	if (command->number != VENUS_COMMAND_vkEnumerateDeviceExtensionProperties ||
			(fake.plan.lies & FAKE_LIE_VALUES)) {
		command->fill_reply(&fake.filler, args);
	}
	if (result) {
		*result = VK_SUCCESS;
	}
	if (!(fake.plan.lies & FAKE_LIE_VALUES) || filler_below(&fake.filler, 4)) {
		fake_make_sense(command->number, args, result);
	}
	return !result || *result >= 0;
}

bool fake_call(
		const struct wire_command *command, const void *owner, void *args, VkResult *result) {
	(void)owner;
	if (fake.plan.meanwhile) {
		fake.plan.meanwhile(fake.plan.data);
	}
	enter();
	const bool ok = call(command, args, result);
	leave();
	return ok;
}

static uint64_t lie_about_count(
		uint64_t count, bool with_array, uint64_t capacity, VkResult *result) {
	const uint32_t lies = fake.plan.lies;
	if ((lies & FAKE_LIE_COUNTS) && filler_below(&fake.filler, 3) == 0) {
		static const uint64_t counts[] = {1, 17, 4096, 0x10000000, 0x7fffffff, 0xffffffff};
		uint64_t more = counts[filler_below(&fake.filler, 6)];
		return with_array && filler_below(&fake.filler, 2) ? capacity + more : more;
	}
	if (lies & FAKE_LIE_CHANGES) {
		if (!with_array) {
			return filler_below(&fake.filler, 6);
		}
		if (result && filler_below(&fake.filler, 4) == 0) {
			*result = VK_INCOMPLETE;
		}
		return count ? filler_below(&fake.filler, (uint32_t)count + 1) : 0;
	}
	return count;
}

void fake_count32(uint32_t *count, bool with_array, uint64_t capacity, VkResult *result) {
	if (count && (!result || *result >= 0)) {
		enter();
		*count = (uint32_t)lie_about_count(*count, with_array, capacity, result);
		leave();
	}
}

void fake_count64(size_t *count, bool with_array, uint64_t capacity, VkResult *result) {
	if (count && (!result || *result >= 0)) {
		enter();
		*count = (size_t)lie_about_count(*count, with_array, capacity, result);
		leave();
	}
}

/* --- objects --- */

static struct fake_object *check(uint64_t handle, VkObjectType type) {
	struct venus_object *base = venus_object_table_get(&fake.table, handle);
	if (handle && (!base || base->type != type)) {
		fprintf(stderr, "fake driver: there is no object 0x%llx of type %d\n",
			(unsigned long long)handle, type);
		abort();
	}
	return base ? of_base(base) : NULL;
}

struct fake_object *fake_check(uint64_t handle, VkObjectType type) {
	enter();
	prepare();
	struct fake_object *object = check(handle, type);
	leave();
	return object;
}

static bool is_pool(VkObjectType type) {
	return type == VK_OBJECT_TYPE_COMMAND_POOL || type == VK_OBJECT_TYPE_DESCRIPTOR_POOL;
}

static struct fake_object *make(struct fake_object *parent, VkObjectType type) {
	struct fake_object *object = calloc(1, sizeof(*object));
	if (!object) {
		abort();
	}
	object->loader_magic = LOADER_MAGIC;
	object->base.id = handle_of(object);
	object->base.type = type;
	atomic_init(&object->base.handle, object->base.id);
	list_init(&object->children);
	struct list *list = &fake.objects;
	if (type == VK_OBJECT_TYPE_DEVICE) {
		object->base.device = &object->base;
	} else if (parent && parent->base.device) {
		object->base.device = parent->base.device;
		if (is_pool(parent->base.type)) {
			list = &parent->children;
		} else if (type != VK_OBJECT_TYPE_QUEUE) {
			of_base(object->base.device)->child_count++;
		}
	}
	list_append(list, &object->link);
	if (!venus_object_table_add(&fake.table, &object->base)) {
		abort();
	}
	return object;
}

/** The objects that are there from the beginning are given out again and again. */
static uint64_t existing(struct fake_object *parent, VkObjectType type, uint64_t index) {
	if (index >= QUEUE_SLOTS) {
		return 0;
	}
	if (!parent->queues[index]) {
		parent->queues[index] = handle_of(make(parent, type));
	}
	return parent->queues[index];
}

uint64_t fake_queue(VkDevice device, uint32_t family, uint32_t index) {
	struct fake_object *owner =
		fake_check((uint64_t)(uintptr_t)device, VK_OBJECT_TYPE_DEVICE);
	enter();
	const uint64_t queue = index < 4 && family < 4 ?
		existing(owner, VK_OBJECT_TYPE_QUEUE, family * UINT64_C(4) + index) : 0;
	leave();
	return queue;
}

void fake_unmake(uint64_t *handles, uint64_t capacity) {
	for (uint64_t i = 0; handles && i < capacity; i++) {
		handles[i] = 1;
	}
}

void fake_make(bool ok, uint64_t parent, VkObjectType type, uint64_t *handles, bool many,
		uint64_t count, uint64_t capacity) {
	enter();
	struct venus_object *base = venus_object_table_get(&fake.table, parent);
	for (uint64_t i = 0; handles && i < count && i < capacity; i++) {
		const bool none = !ok || ((fake.plan.lies & FAKE_LIE_HANDLES) &&
						 filler_below(&fake.filler, 4) == 0);
		if (none) {
			if (ok || many) {
				handles[i] = 0;
			}
			continue;
		}
		struct fake_object *owner = base ? of_base(base) : NULL;
		if (owner && type == VK_OBJECT_TYPE_PHYSICAL_DEVICE) {
			handles[i] = existing(owner, type, i);
		} else {
			handles[i] = handle_of(make(owner, type));
		}
	}
	leave();
}

void fake_destroy_children(uint64_t handle) {
	enter();
	struct venus_object *base = venus_object_table_get(&fake.table, handle);
	if (base) {
		LIST_FOR_EACH_SAFE(child, &of_base(base)->children, struct fake_object, link) {
			forget(child);
		}
	}
	leave();
}

static void destroy(uint64_t handle) {
	struct venus_object *base = venus_object_table_get(&fake.table, handle);
	if (!base) {
		return; /* of NULL; all else has been checked */
	}
	struct fake_object *object = of_base(base);
	if (base->type == VK_OBJECT_TYPE_DEVICE && object->child_count) {
		fprintf(stderr, "fake driver: a device is destroyed before %u of its objects\n",
			object->child_count);
		abort();
	}
	if (base->device && base->device != base && base->type != VK_OBJECT_TYPE_COMMAND_BUFFER &&
			base->type != VK_OBJECT_TYPE_DESCRIPTOR_SET) {
		of_base(base->device)->child_count--;
	}
	for (int i = 0; i < QUEUE_SLOTS; i++) {
		if (object->queues[i]) {
			destroy(object->queues[i]);
		}
	}
	forget(object);
}

void fake_destroy(uint64_t handle) {
	enter();
	destroy(handle);
	leave();
}
