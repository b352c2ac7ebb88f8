/* SPDX-License-Identifier: MIT */
#version 450
layout(triangles, fractional_odd_spacing, ccw) in;
layout(location = 0) in vec4 colour[];
layout(location = 0) out vec4 out_colour;

void main() {
	const vec3 at = gl_TessCoord;
	gl_Position = at.x * gl_in[0].gl_Position + at.y * gl_in[1].gl_Position + at.z * gl_in[2].gl_Position;
	gl_Position.x *= 0.75 + 0.25 * at.y;
	out_colour = at.x * colour[0] + at.y * colour[1] + at.z * colour[2];
}
