/* SPDX-License-Identifier: MIT */
#include "presenter.h"

#include <string.h>

#if HAVE_X11
#include <X11/Xlib.h>
#include <vulkan/vulkan_xlib.h>
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* the last two are for the maintenance */
static const char *const instance_extensions[] = {
	VK_KHR_SURFACE_EXTENSION_NAME,
#if HAVE_X11
	VK_KHR_XLIB_SURFACE_EXTENSION_NAME,
#endif
	VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME,
	VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
	VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
};
static const char *const device_extensions[] = {
	VK_KHR_SWAPCHAIN_EXTENSION_NAME,
	VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
};

static void create_instance(struct presenter *presenter) {
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_3,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
		.enabledExtensionCount = COUNT(instance_extensions),
		.ppEnabledExtensionNames = instance_extensions,
	};
	presenter->maintained =
		vkCreateInstance(&info, NULL, &presenter->parity.instance) == VK_SUCCESS;
	if (!presenter->maintained) {
		info.enabledExtensionCount -= 2;
		MUST(vkCreateInstance(&info, NULL, &presenter->parity.instance));
	}
}

static void create_device(struct presenter *presenter) {
	struct parity *parity = &presenter->parity;
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkPhysicalDeviceSwapchainMaintenance1FeaturesEXT maintenance = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SWAPCHAIN_MAINTENANCE_1_FEATURES_EXT,
		.swapchainMaintenance1 = VK_TRUE,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &maintenance,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = COUNT(device_extensions),
		.ppEnabledExtensionNames = device_extensions,
	};
	presenter->maintained = presenter->maintained &&
		vkCreateDevice(parity->physical, &info, NULL, &parity->device) == VK_SUCCESS;
	if (!presenter->maintained) {
		info.pNext = NULL;
		info.enabledExtensionCount = 1;
		MUST(vkCreateDevice(parity->physical, &info, NULL, &parity->device));
	}
	vkGetDeviceQueue(parity->device, 0, 0, &parity->queue);
	const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	MUST(vkCreateCommandPool(parity->device, &pool, NULL, &parity->pool));
}

bool presenter_init(struct presenter *presenter, bool window) {
	memset(presenter, 0, sizeof(*presenter));
#if HAVE_X11
	if (window) {
		presenter->display = XOpenDisplay(NULL);
	}
#endif
	if (window && !presenter->display) {
		say("there is no X server");
		return false;
	}
	struct parity *parity = &presenter->parity;
	create_instance(presenter);
	uint32_t count = 1;
	MUST(vkEnumeratePhysicalDevices(parity->instance, &count, &parity->physical));
	vkGetPhysicalDeviceMemoryProperties(parity->physical, &parity->memory);
	create_device(presenter);
	presenter->surface = presenter_surface(presenter);
	MUST(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(
		parity->physical, presenter->surface, &presenter->limits));
	return true;
}

VkSurfaceKHR presenter_surface(struct presenter *presenter) {
	const VkInstance instance = presenter->parity.instance;
	VkSurfaceKHR surface = VK_NULL_HANDLE;
#if HAVE_X11
	if (presenter->display) {
		Display *display = presenter->display;
		const Window window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0,
			PRESENTER_SIZE, PRESENTER_SIZE, 0, 0, 0);
		XMapWindow(display, window);
		XSync(display, False);
		PFN_vkCreateXlibSurfaceKHR create =
			(PFN_vkCreateXlibSurfaceKHR)vkGetInstanceProcAddr(instance, "vkCreateXlibSurfaceKHR");
		const VkXlibSurfaceCreateInfoKHR info = {
			.sType = VK_STRUCTURE_TYPE_XLIB_SURFACE_CREATE_INFO_KHR,
			.dpy = display,
			.window = window,
		};
		MUST(create(instance, &info, NULL, &surface));
		return surface;
	}
#endif
	PFN_vkCreateHeadlessSurfaceEXT create = (PFN_vkCreateHeadlessSurfaceEXT)vkGetInstanceProcAddr(
		instance, "vkCreateHeadlessSurfaceEXT");
	const VkHeadlessSurfaceCreateInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
	MUST(create(instance, &info, NULL, &surface));
	return surface;
}

void presenter_finish(struct presenter *presenter) {
	vkDestroySurfaceKHR(presenter->parity.instance, presenter->surface, NULL);
	parity_finish(&presenter->parity);
#if HAVE_X11
	if (presenter->display) {
		XCloseDisplay(presenter->display);
	}
#endif
}

VkSwapchainCreateInfoKHR presenter_swapchain_info(
		const struct presenter *presenter, VkSurfaceKHR surface) {
	return (VkSwapchainCreateInfoKHR){
		.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
		.surface = surface,
		.minImageCount = presenter->limits.minImageCount,
		.imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
		.imageExtent = {PRESENTER_SIZE, PRESENTER_SIZE},
		.imageArrayLayers = 1,
		.imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		.preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
		.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
		.presentMode = VK_PRESENT_MODE_FIFO_KHR,
	};
}

VkCommandBuffer presenter_clear(struct presenter *presenter, VkImage handle, float red) {
	const struct parity_image image = {.image = handle, .aspects = VK_IMAGE_ASPECT_COLOR_BIT};
	VkCommandBuffer commands = parity_begin(&presenter->parity);
	parity_transition(
		commands, &image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
	const VkClearColorValue clear = {.float32 = {red, 0.5f, 0.25f, 1}};
	const VkImageSubresourceRange range = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
	vkCmdClearColorImage(
		commands, handle, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &clear, 1, &range);
	parity_transition(commands, &image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
	MUST(vkEndCommandBuffer(commands));
	return commands;
}
