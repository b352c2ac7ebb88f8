/* SPDX-License-Identifier: MIT */
#version 450
layout(location = 0) in flat vec4 colour;
layout(location = 0) out vec4 result;
layout(push_constant) uniform Push { vec4 scale; };

void main() {
	result = colour * scale + vec4(0, 0, gl_FrontFacing ? 0.25 : 0.0, 0);
}
