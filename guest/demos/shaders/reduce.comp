/* SPDX-License-Identifier: MIT */
#version 450

/* Each work group adds up its 256 values of x into one of y. */

layout(local_size_x = 256) in;

layout(std430, binding = 0) readonly buffer X {
	float x[];
};

layout(std430, binding = 1) writeonly buffer Y {
	float y[];
};

shared float sums[256];

void main() {
	uint i = gl_LocalInvocationIndex;
	sums[i] = x[gl_GlobalInvocationID.x];
	for (uint step = 128; step > 0; step /= 2) {
		barrier();
		if (i < step) {
			sums[i] += sums[i + step];
		}
	}
	if (i == 0) {
		y[gl_WorkGroupID.x] = sums[0];
	}
}
