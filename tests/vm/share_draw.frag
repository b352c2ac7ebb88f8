/* SPDX-License-Identifier: MIT */
#version 450

/* The pattern of share.c: every bit of every texel depends on its place and on the seed. */
layout(push_constant) uniform Push {
	uint seed;
};

layout(location = 0) out vec4 pixel;

void main() {
	uvec2 place = uvec2(gl_FragCoord.xy);
	uint hash = (place.x + place.y * 4099u + seed * 16777619u) * 2654435761u;
	hash = (hash ^ (hash >> 15)) * 2246822519u;
	pixel = unpackUnorm4x8(hash);
}
