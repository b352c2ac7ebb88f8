/* SPDX-License-Identifier: MIT */
#version 450
layout(local_size_x_id = 0, local_size_y = 1) in;
layout(constant_id = 1) const uint factor = 3;
layout(constant_id = 2) const bool negate = false;
layout(set = 0, binding = 0) buffer Result { uint result[]; };
layout(push_constant) uniform Push { uint base, count; };

void main() {
	uint i = gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * 1024;
	if (i < count) {
		uint value = base + i * factor;
		result[i] = negate ? ~value : value;
	}
}
