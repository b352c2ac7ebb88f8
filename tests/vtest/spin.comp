#version 450
/* SPDX-License-Identifier: MIT */
/* Works for as long as it is told to, and then writes a value. */
layout(local_size_x = 1) in;
layout(push_constant) uniform parameters {
	uint rounds;
	uint value;
};
layout(set = 0, binding = 0) buffer result {
	uint data[];
};

void main() {
	uint x = value;
	for (uint i = 0; i < rounds; i++) {
		x = x * 1664525u + 1013904223u;
		if (x == 0u) {
			data[1] = i; /* so that it is not optimised away */
		}
	}
	data[0] = value;
}
