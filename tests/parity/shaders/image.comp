/* SPDX-License-Identifier: MIT */
#version 450
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0, rgba8) uniform writeonly image2D target;
layout(set = 0, binding = 1) uniform sampler2D source;

void main() {
	ivec2 at = ivec2(gl_GlobalInvocationID.xy);
	vec2 where = (vec2(at) + 0.25) / 24.0 - 0.15;
	imageStore(target, at, textureLod(source, where, 0.5));
}
