/* SPDX-License-Identifier: MIT */
#version 450
#extension GL_EXT_multiview : require
layout(location = 0) in vec4 position;
layout(location = 1) in vec4 colour;
layout(location = 0) out vec4 out_colour;
layout(location = 1, xfb_buffer = 0, xfb_offset = 0, xfb_stride = 16) out vec4 captured;

void main() {
	out_colour = colour + vec4(gl_InstanceIndex) * 0.125;
	captured = position * 2.0;
	gl_Position = position + vec4(float(gl_ViewIndex) * 0.25, 0, 0, 0);
	gl_PointSize = 3.0;
}
