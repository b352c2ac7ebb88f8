/* SPDX-License-Identifier: MIT */

/*
 * Runs in the guest: "share ROUNDS". One process draws a pattern into an image that is a dma-buf, another one gets the
 * dma-buf by a socket, samples it, and compares every texel. In each round one of them is killed, in turns:
 *
 *   the drawer when it has drawn, before anybody has looked;
 *   the reader after its work;
 *   the drawer while the reader looks;
 *   the reader in the middle of its work, so that another one must do it again.
 *
 * On the host each of these processes is a render process of its own.
 */

#include "common.h"
#include "raster.h"
#include "shared_image.h"

#include "share_draw_frag_spv.h"
#include "share_draw_vert_spv.h"
#include "share_read_comp_spv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 333, HEIGHT = 217 };

/* --- messages --- */

struct message {
	uint32_t seed;
	uint32_t offset, stride;
	uint64_t size;
};

/* With a descriptor if `fd` is not negative. */
static bool send_message(int sock, const struct message *message, int fd) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		struct cmsghdr *item = CMSG_FIRSTHDR(&header);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(item), &fd, sizeof(fd));
	}
	return sendmsg(sock, &header, MSG_NOSIGNAL) == (ssize_t)sizeof(*message);
}

/* *fd is the descriptor that came along, or -1. false: nobody sends any more. */
static bool receive_message(int sock, struct message *message, int *fd) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control)};
	*fd = -1;
	ssize_t size;
	do {
		size = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size != (ssize_t)sizeof(*message)) {
		return false;
	}
	const struct cmsghdr *item = CMSG_FIRSTHDR(&header);
	if (item && item->cmsg_type == SCM_RIGHTS) {
		memcpy(fd, CMSG_DATA(item), sizeof(*fd));
	}
	return true;
}

/* --- the drawer --- */

struct drawer {
	struct demo_gpu gpu;
	VkRenderPass pass;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

static bool drawer_init(struct drawer *drawer) {
	const struct demo_gpu_options options = {
		.driver_name = "venus",
		.queue_flags = VK_QUEUE_GRAPHICS_BIT,
		.extensions = shared_image_extensions,
		.extension_count = shared_image_extension_count,
	};
	struct demo_gpu *gpu = &drawer->gpu;
	VkShaderModule vertex, fragment;
	if (!demo_gpu_init(gpu, &options) ||
			!demo_shader_init(&vertex, gpu, share_draw_vert_spv, sizeof(share_draw_vert_spv)) ||
			!demo_shader_init(
				&fragment, gpu, share_draw_frag_spv, sizeof(share_draw_frag_spv)) ||
			!demo_pass_init(&drawer->pass, gpu, SHARED_IMAGE_FORMAT)) {
		return false;
	}
	const VkPushConstantRange push = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(uint32_t)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &drawer->layout));
	return demo_pipeline_init(&drawer->pipeline, gpu, &(struct demo_pipeline_options){
		.vertex = vertex,
		.fragment = fragment,
		.layout = drawer->layout,
		.pass = drawer->pass,
		.width = WIDTH,
		.height = HEIGHT,
	});
}

static bool draw(struct drawer *drawer, const struct shared_image *image,
		VkFramebuffer framebuffer, uint32_t seed) {
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, &drawer->gpu)) {
		return false;
	}
	shared_image_acquire(image, &drawer->gpu, commands, VK_IMAGE_LAYOUT_UNDEFINED,
		VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
		VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
	const VkClearValue clear = {0};
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = drawer->pass,
		.framebuffer = framebuffer,
		.renderArea = {.extent = {WIDTH, HEIGHT}},
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, drawer->pipeline);
	vkCmdPushConstants(
		commands, drawer->layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(seed), &seed);
	vkCmdDraw(commands, 3, 1, 0, 0);
	vkCmdEndRenderPass(commands);
	shared_image_release(image, &drawer->gpu, commands, VK_IMAGE_LAYOUT_GENERAL,
		VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
	return demo_commands_run(commands, &drawer->gpu);
}

/* A new image with the seed's pattern, as an answer. */
static bool draw_one(struct drawer *drawer, int sock, uint32_t seed) {
	struct demo_gpu *gpu = &drawer->gpu;
	struct shared_image image;
	VkImageView view = VK_NULL_HANDLE;
	VkFramebuffer framebuffer = VK_NULL_HANDLE;
	bool ok = shared_image_init(&image, gpu, WIDTH, HEIGHT, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT) &&
		demo_target_init(&view, &framebuffer, gpu, drawer->pass, image.image,
			SHARED_IMAGE_FORMAT, WIDTH, HEIGHT) &&
		draw(drawer, &image, framebuffer, seed);
	if (ok) {
		const struct message answer = {
			.seed = seed, .offset = image.offset, .stride = image.stride, .size = image.size};
		ok = send_message(sock, &answer, image.fd);
	}
	vkDestroyFramebuffer(gpu->device, framebuffer, NULL);
	vkDestroyImageView(gpu->device, view, NULL);
	shared_image_finish(&image, gpu);
	return ok;
}

static bool run_drawer(int sock) {
	struct drawer drawer = {0};
	struct message request;
	int fd;
	bool ok = drawer_init(&drawer);
	while (ok && receive_message(sock, &request, &fd)) {
		ok = draw_one(&drawer, sock, request.seed);
	}
	return ok; /* the device goes with the process: that, too, must leave nothing */
}

/* --- the reader --- */

struct reader {
	struct demo_gpu gpu;
	struct demo_buffer texels;
	VkSampler sampler;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

static bool create_set(struct reader *reader) {
	VkDevice device = reader->gpu.device;
	const VkDescriptorSetLayoutBinding bindings[2] = {
		{
			.binding = 0,
			.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		},
		{
			.binding = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		},
	};
	const VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 2,
		.pBindings = bindings,
	};
	DEMO_TRY(vkCreateDescriptorSetLayout(device, &layout, NULL, &reader->set_layout));
	const VkDescriptorPoolSize sizes[2] = {
		{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1},
		{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
	};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 2,
		.pPoolSizes = sizes,
	};
	DEMO_TRY(vkCreateDescriptorPool(device, &pool, NULL, &reader->pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = reader->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &reader->set_layout,
	};
	DEMO_TRY(vkAllocateDescriptorSets(device, &allocate, &reader->set));
	const VkDescriptorBufferInfo buffer = {.buffer = reader->texels.buffer, .range = VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = reader->set,
		.dstBinding = 1,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &buffer,
	};
	vkUpdateDescriptorSets(device, 1, &write, 0, NULL);
	return true;
}

static bool reader_init(struct reader *reader) {
	const struct demo_gpu_options options = {
		.driver_name = "venus",
		.queue_flags = VK_QUEUE_COMPUTE_BIT,
		.extensions = shared_image_extensions,
		.extension_count = shared_image_extension_count,
	};
	struct demo_gpu *gpu = &reader->gpu;
	VkShaderModule shader;
	if (!demo_gpu_init(gpu, &options) ||
			!demo_buffer_init(&reader->texels, gpu, WIDTH * HEIGHT * 4,
				VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) ||
			!demo_shader_init(
				&shader, gpu, share_read_comp_spv, sizeof(share_read_comp_spv))) {
		return false;
	}
	const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
	DEMO_TRY(vkCreateSampler(gpu->device, &sampler, NULL, &reader->sampler));
	if (!create_set(reader)) {
		return false;
	}
	const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 2 * sizeof(uint32_t)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &reader->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &reader->layout));
	const VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = shader,
			.pName = "main",
		},
		.layout = reader->layout,
	};
	DEMO_TRY(vkCreateComputePipelines(
		gpu->device, VK_NULL_HANDLE, 1, &pipeline, NULL, &reader->pipeline));
	return true;
}

static bool sample(struct reader *reader, const struct shared_image *image, VkImageView view) {
	const struct demo_gpu *gpu = &reader->gpu;
	const VkDescriptorImageInfo sampled = {
		reader->sampler, view, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = reader->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
		.pImageInfo = &sampled,
	};
	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	shared_image_acquire(image, gpu, commands, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		VK_ACCESS_SHADER_READ_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, reader->pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, reader->layout, 0, 1,
		&reader->set, 0, NULL);
	const uint32_t extent[2] = {WIDTH, HEIGHT};
	vkCmdPushConstants(
		commands, reader->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(extent), extent);
	vkCmdDispatch(commands, (WIDTH + 7) / 8, (HEIGHT + 7) / 8, 1);
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	shared_image_release(image, gpu, commands, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0);
	return demo_commands_run(commands, gpu) &&
		demo_invalidate(gpu, reader->texels.memory, reader->texels.type);
}

static uint32_t pattern(uint32_t x, uint32_t y, uint32_t seed) {
	uint32_t hash = (x + y * 4099 + seed * UINT32_C(16777619)) * UINT32_C(2654435761);
	return (hash ^ hash >> 15) * UINT32_C(2246822519);
}

static bool compare(const struct reader *reader, uint32_t seed) {
	const uint32_t *texels = reader->texels.data;
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		const uint32_t right = pattern(i % WIDTH, i / WIDTH, seed);
		if (texels[i] != right) {
			return demo_fail("round %u: texel (%u, %u) is %08x and should be %08x", seed,
				i % WIDTH, i / WIDTH, texels[i], right);
		}
	}
	return true;
}

static bool read_one(struct reader *reader, int sock, const struct message *request, int fd) {
	const struct demo_gpu *gpu = &reader->gpu;
	const struct shared_image like = {.width = WIDTH, .height = HEIGHT, .offset = request->offset,
		.stride = request->stride, .size = request->size, .fd = fd};
	struct shared_image image;
	VkImageView view = VK_NULL_HANDLE;
	memset(reader->texels.data, 0xa5, WIDTH * HEIGHT * 4);
	bool ok = shared_image_import(&image, gpu, &like, VK_IMAGE_USAGE_SAMPLED_BIT);
	if (ok) {
		const VkImageViewCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
			.image = image.image,
			.viewType = VK_IMAGE_VIEW_TYPE_2D,
			.format = SHARED_IMAGE_FORMAT,
			.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
		};
		ok = demo_check(vkCreateImageView(gpu->device, &info, NULL, &view), "vkCreateImageView") &&
			sample(reader, &image, view) && compare(reader, request->seed) &&
			send_message(sock, request, -1);
	}
	vkDestroyImageView(gpu->device, view, NULL);
	shared_image_finish(&image, gpu);
	close(fd);
	return ok;
}

static bool run_reader(int sock) {
	struct reader reader = {0};
	struct message request;
	int fd;
	bool ok = reader_init(&reader);
	while (ok && receive_message(sock, &request, &fd)) {
		ok = fd >= 0 && read_one(&reader, sock, &request, fd);
	}
	return ok;
}

/* --- who starts and kills them --- */

struct worker {
	const char *role;
	bool (*run)(int sock);
	pid_t pid; /* 0: there is none */
	int sock;
};

static bool worker_start(struct worker *worker) {
	int socks[2];
	if (worker->pid) {
		return true;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0) {
		return demo_fail("socketpair: %s", strerror(errno));
	}
	fflush(stdout);
	worker->pid = fork();
	if (worker->pid < 0) {
		return demo_fail("fork: %s", strerror(errno));
	}
	if (worker->pid == 0) {
		/* the parent's ends of all sockets: a worker ends when that of its own is closed */
		for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
			if (fd != socks[1]) {
				close(fd);
			}
		}
		demo_start(worker->role);
		freopen("/dev/null", "w", stdout);
		_exit(worker->run(socks[1]) ? 0 : 1);
	}
	close(socks[1]);
	worker->sock = socks[0];
	return true;
}

static void worker_kill(struct worker *worker) {
	if (worker->pid) {
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
		close(worker->sock);
		worker->pid = 0;
	}
}

/* Ends it in order. */
static bool worker_finish(struct worker *worker) {
	int status = 0;
	if (worker->pid) {
		close(worker->sock);
		waitpid(worker->pid, &status, 0);
		worker->pid = 0;
	}
	return status == 0 || demo_fail("the %s ended with status 0x%x", worker->role, status);
}

static bool ask(struct worker *worker, const struct message *request, int fd) {
	return worker_start(worker) && send_message(worker->sock, request, fd);
}

static bool answered(struct worker *worker, struct message *answer, int *fd) {
	return receive_message(worker->sock, answer, fd) ||
		demo_fail("the %s has ended without an answer", worker->role);
}

static void pause_ms(long ms) {
	const struct timespec time = {.tv_nsec = ms * 1000000};
	nanosleep(&time, NULL);
}

static bool round_of(struct worker *drawer, struct worker *reader, uint32_t seed) {
	struct message request = {.seed = seed}, image, answer;
	int fd, none;
	if (!ask(drawer, &request, -1) || !worker_start(reader) || !answered(drawer, &image, &fd)) {
		return false;
	}
	if (fd < 0) {
		return demo_fail("the drawer sends no dma-buf");
	}
	switch (seed % 4) {
	case 0:
		worker_kill(drawer);
		break;
	case 3:
		if (!ask(reader, &image, fd)) {
			return false;
		}
		pause_ms(seed / 4 % 20);
		worker_kill(reader);
		break;
	}
	bool ok = ask(reader, &image, fd);
	close(fd);
	if (ok && seed % 4 == 2) {
		worker_kill(drawer);
	}
	ok = ok && answered(reader, &answer, &none);
	if (seed % 4 == 1) {
		worker_kill(reader);
	}
	return ok;
}

int main(int argc, char *argv[]) {
	demo_start("share");
	const unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (rounds == 0) {
		fprintf(stderr, "usage: share ROUNDS\n");
		return 2;
	}
	struct worker drawer = {.role = "drawer", .run = run_drawer};
	struct worker reader = {.role = "reader", .run = run_reader};
	bool ok = true;
	const double begin = demo_now();
	for (unsigned long i = 0; i < rounds && ok; i++) {
		if (i % 10 == 0) {
			printf("round %lu\n", i);
		}
		ok = round_of(&drawer, &reader, (uint32_t)i);
		if (!ok) {
			demo_fail("round %lu failed", i);
		}
	}
	ok = worker_finish(&drawer) && worker_finish(&reader) && ok;
	printf("%lu rounds in %.1f s\n", rounds, demo_now() - begin);
	if (ok) {
		printf("share: ok\n");
	}
	return ok ? 0 : 1;
}
