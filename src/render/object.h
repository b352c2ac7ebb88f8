/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_OBJECT_H
#define VENERA_RENDER_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/list.h"
#include "venus/object_table.h"

struct render_call;
struct render_context;

/*
 * Every Vulkan object of the guest is a struct venus_object, or a structure that begins with one. It is bound to
 * its id before the host driver is asked to make it, so that no two threads can take one id, and freed when no
 * thread can see it any more (base/epoch.h).
 *
 * A creation that fails on the host after the guest was told nothing (it asked for no reply) leaves a *failed
 * object*: the id stays bound, without a host handle. Using it is an error of the API, not of the protocol.
 */

/** A VkCommandPool or VkDescriptorPool: what was allocated from it goes with it. */
struct render_pool {
	struct venus_object base;
	uint64_t descriptors; /* taken from LIMIT_DESCRIPTORS */
	bool resettable;      /* a command pool whose command buffers can be reset one by one */
	/* under the device's pool_lock: */
	struct list children; /* struct render_pool_child, link */
	bool released;        /* nothing is added any more */
};

/** A VkCommandBuffer or VkDescriptorSet. */
struct render_pool_child {
	struct venus_object base;
	struct render_pool *pool; /* compared only: it may be gone */
	struct list link;
	_Atomic uint64_t spoiled; /* the host's handle while the object has none, see failure.c */
	bool resettable;          /* as of its pool */
};

struct render_query_pool {
	struct venus_object base;
	uint32_t count;  /* queries, taken from LIMIT_QUERIES; 0: a failed object */
	uint32_t values; /* integers that one query returns, without availability */
};

/**
 * Makes an object of the present device, which nobody sees yet. `size` is that of the structure that begins with the
 * venus_object, or 0 for just that; what is behind is zero. NULL: memory is out, and the call has failed.
 */
struct venus_object *render_object_alloc(
	struct render_call *call, uint64_t id, VkObjectType type, size_t size);

/** Binds it to its id. false: the id is taken, the object is freed, and the call has failed. */
bool render_object_publish(struct render_call *call, struct venus_object *object);

/**
 * Both. NULL: the call has failed. If there are too many the object is there all the same, since the
 * guest's next commands may name it; but see render_object_is_refused().
 */
struct venus_object *render_object_reserve(
	struct render_call *call, uint64_t id, VkObjectType type, size_t size);

/**
 * The context has more objects than it may have: the host is not asked for what was just reserved, and
 * the guest gets VK_ERROR_OUT_OF_HOST_MEMORY.
 */
bool render_object_is_refused(struct render_call *call);

/**
 * The host's answer: on success `handle` is stored. Else the id is unbound if the guest reads the reply, or bound to a
 * failed object if it does not.
 */
void render_object_complete(
	struct render_call *call, struct venus_object *object, uint64_t handle, VkResult result);

/**
 * Unbinds an object that the guest destroys; the memory is given back when no thread sees it any more. Returns the host's
 * handle, which the caller destroys; 0 for NULL, a failed object, or one that another thread has just released.
 */
uint64_t render_object_release(struct render_call *call, struct venus_object *object);

/** The same without a call, for implicit destruction. */
uint64_t render_object_unbind(struct render_context *context, struct venus_object *object);

/** A host handle, dispatchable or not, as a number. */
#define RENDER_HANDLE(handle) ((uint64_t)(uintptr_t)(handle))

#endif
