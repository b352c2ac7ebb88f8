/* SPDX-License-Identifier: MIT */
#version 450

layout(set = 0, binding = 0) uniform sampler2D pattern;

layout(location = 0) in vec2 place;
layout(location = 1) in vec3 tint;
layout(location = 0) out vec4 pixel;

void main() {
	pixel = vec4(tint * texture(pattern, place).rgb, 1.0);
}
