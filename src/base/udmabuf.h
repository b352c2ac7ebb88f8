/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_UDMABUF_H
#define VENERA_BASE_UDMABUF_H

#include <stdbool.h>
#include <stdint.h>

/**
 * dma-bufs of ordinary shared memory: Linux makes them with the device /dev/udmabuf
 * (CONFIG_UDMABUF), whose documentation is include/uapi/linux/udmabuf.h and
 * drivers/dma-buf/udmabuf.c of the kernel. A GPU driver that imports no pointers to shared memory
 * imports these.
 */

/** May this process make dma-bufs? */
bool udmabuf_is_there(void);

/**
 * A dma-buf of `size` bytes at `offset` of the memfd `fd`, both whole pages; the memfd must be
 * sealed against shrinking (struct shmem's are). The same pages, kept for as long as the dma-buf
 * lives. A descriptor, or -errno: -ENOSYS or -ENOENT where there is no such device, -EINVAL also
 * for more than its limit (the parameter size_limit_mb of the module: 64 MiB, if nobody has raised
 * it).
 */
int udmabuf_create(int fd, uint64_t offset, uint64_t size);

#endif
