/* SPDX-License-Identifier: MIT */
#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Result { vec4 result[]; };
layout(set = 0, binding = 1) uniform Uniform { vec4 value; } uniforms[2];
layout(set = 0, binding = 2) uniform texture2D image;
layout(set = 0, binding = 6) uniform sampler plain;
layout(set = 0, binding = 4) uniform sampler2D both[2];
layout(set = 0, binding = 5, rgba8) uniform readonly image2D stored;
layout(set = 0, binding = 3) uniform textureBuffer texels;

void main() {
	int i = int(gl_GlobalInvocationID.x);
	vec2 at = vec2(i % 8, i / 8) / 7.0;
	result[i * 4] = uniforms[0].value + 2.0 * uniforms[1].value;
	result[i * 4 + 1] = textureLod(sampler2D(image, plain), at, 0);
	result[i * 4 + 2] = textureLod(both[0], at, 0) + 2.0 * textureLod(both[1], at * 2.0 - 0.5, 0);
	result[i * 4 + 3] = imageLoad(stored, ivec2(i % 8, i / 8)) + texelFetch(texels, i);
}
