/* SPDX-License-Identifier: MIT */
#version 450
#extension GL_EXT_nonuniform_qualifier : require
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Result { uint result[]; };
layout(set = 0, binding = 1) uniform Uniform { uvec4 plain[4]; };
layout(set = 0, binding = 2) uniform Inline { uvec4 in_line[2]; };
layout(set = 0, binding = 3) uniform utextureBuffer texels;
layout(set = 0, binding = 4, r32ui) uniform uimageBuffer image_texels;
layout(set = 0, binding = 5) buffer Dynamic { uint dynamic[]; };
layout(set = 1, binding = 0) buffer Many { uint many[]; } buffers[];
layout(buffer_reference) buffer Linked;
layout(buffer_reference, std430) buffer Linked { uint value; Linked next; };
layout(push_constant) uniform Push { Linked first; };

void main() {
	uint i = gl_GlobalInvocationID.x;
	uint value = plain[i % 4][i % 3] * 31 + in_line[i % 2][i % 4];
	value = value * 31 + texelFetch(texels, int(i)).x;
	value = value * 31 + dynamic[i];
	value = value * 31 + buffers[nonuniformEXT(i % 5)].many[i];
	Linked link = first;
	for (int steps = 0; steps < 4; steps++) {
		value = value * 31 + link.value;
		link = link.next;
	}
	imageStore(image_texels, int(i), uvec4(value ^ 0x5555));
	/* beyond the end of the buffer: robustness */
	result[i + 64] = texelFetch(texels, int(i) + 100000).x + dynamic[i + 100000];
	result[i] = value;
}
