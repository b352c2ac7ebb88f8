/* SPDX-License-Identifier: MIT */
#version 450

/* Writes the arguments of an indirect dispatch: one group of 64 for each 64 of x[0] elements. */

layout(local_size_x = 1) in;

layout(std430, binding = 0) readonly buffer X {
	float x[];
};

layout(std430, binding = 1) writeonly buffer Arguments {
	uint groups[3];
};

void main() {
	groups[0] = (uint(x[0]) + 63) / 64;
	groups[1] = 1;
	groups[2] = 1;
}
