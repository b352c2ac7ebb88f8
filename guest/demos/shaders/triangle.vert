/* SPDX-License-Identifier: MIT */
#version 450

/* triangle.c says where these are in pixels. */
const vec2 positions[3] = vec2[](vec2(0.0, -0.75), vec2(0.75, 0.75), vec2(-0.75, 0.75));
const vec3 colors[3] = vec3[](vec3(1.0, 0.0, 0.0), vec3(0.0, 1.0, 0.0), vec3(0.0, 0.0, 1.0));

layout(location = 0) out vec3 color;

void main() {
	gl_Position = vec4(positions[gl_VertexIndex], 0.0, 1.0);
	color = colors[gl_VertexIndex];
}
