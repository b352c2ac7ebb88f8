/* SPDX-License-Identifier: MIT */
#version 450
layout(triangles, invocations = 2) in;
layout(triangle_strip, max_vertices = 3) out;
layout(location = 0) in vec4 colour[];
layout(location = 0) out flat vec4 out_colour;
layout(location = 1, xfb_buffer = 0, xfb_offset = 0, xfb_stride = 16) out vec4 captured;

void main() {
	for (int i = 0; i < 3; i++) {
		gl_Position = gl_in[i].gl_Position * vec4(1.0 - 0.5 * float(gl_InvocationID), 1, 1, 1);
		out_colour = colour[i];
		captured = gl_Position + vec4(gl_PrimitiveIDIn);
		EmitVertex();
	}
	EndPrimitive();
}
