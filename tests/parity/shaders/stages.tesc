/* SPDX-License-Identifier: MIT */
#version 450
layout(vertices = 3) out;
layout(location = 0) in vec4 colour[];
layout(location = 0) out vec4 out_colour[];

void main() {
	gl_out[gl_InvocationID].gl_Position = gl_in[gl_InvocationID % gl_PatchVerticesIn].gl_Position;
	out_colour[gl_InvocationID] = colour[gl_InvocationID % gl_PatchVerticesIn];
	gl_TessLevelInner[0] = 3.0;
	gl_TessLevelOuter[0] = 2.0;
	gl_TessLevelOuter[1] = 3.0;
	gl_TessLevelOuter[2] = 4.0;
}
