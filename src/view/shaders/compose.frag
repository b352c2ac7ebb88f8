#version 450
/* SPDX-License-Identifier: MIT */

layout(set = 0, binding = 0) uniform sampler2D image;

/* struct push_constants of compose.c */
layout(push_constant) uniform Push {
	vec2 origin;      /* of the image's rectangle, pixels of the target */
	vec2 size;
	uvec4 components; /* which of a texel's is red, green, blue, alpha; 4: there is none, opaque */
} push;

layout(location = 0) out vec4 color;

void main()
{
	/* From the pixel's own place, not interpolated: exact where a texel is a pixel, and free of the
	 * limits that viewports have. */
	vec4 texel = texture(image, (gl_FragCoord.xy - push.origin) / push.size);
	color = vec4(texel[push.components.r], texel[push.components.g], texel[push.components.b],
		push.components.a < 4 ? texel[push.components.a] : 1.0);
}
