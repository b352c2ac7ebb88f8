#version 450
/* SPDX-License-Identifier: MIT */

/* One triangle that covers the target; the scissor cuts the picture's rectangle out of it. */
void main()
{
	vec2 corner = vec2((gl_VertexIndex << 1) & 2, gl_VertexIndex & 2);
	gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
