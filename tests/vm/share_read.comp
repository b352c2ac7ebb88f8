/* SPDX-License-Identifier: MIT */
#version 450

/* Samples an image and stores what it finds, line by line. */
layout(local_size_x = 8, local_size_y = 8) in;

layout(push_constant) uniform Push {
	uint width, height;
};
layout(set = 0, binding = 0) uniform sampler2D image;
layout(set = 0, binding = 1) buffer Texels {
	uint texels[];
};

void main() {
	uvec2 place = gl_GlobalInvocationID.xy;
	if (place.x < width && place.y < height) {
		texels[place.y * width + place.x] = packUnorm4x8(texelFetch(image, ivec2(place), 0));
	}
}
