/* SPDX-License-Identifier: MIT */
#version 450

/* Fills a buffer with the pattern of memtest.c: word i is (i * 2654435761) ^ seed. */

layout(local_size_x = 256) in;

layout(push_constant) uniform Parameters {
	uint first; /* number of the first word of the buffer */
	uint count; /* words of the buffer */
	uint seed;
};

layout(std430, binding = 0) writeonly buffer Buffer {
	uint words[];
};

void main() {
	/* four words each: so many groups may always be dispatched */
	uint base = gl_GlobalInvocationID.x * 4;
	for (uint i = base; i < min(base + 4, count); i++) {
		words[i] = ((first + i) * 2654435761u) ^ seed;
	}
}
