/* SPDX-License-Identifier: MIT */
#version 450

/* A cube from -1 to 1: six faces of two triangles each, counterclockwise from outside. */

layout(push_constant) uniform Push {
	mat4 transform; /* to clip coordinates */
	mat4 rotation;
};

layout(location = 0) out vec2 place; /* on the face */
layout(location = 1) out vec3 tint;

const vec2 corners[6] = vec2[](vec2(-1.0, -1.0), vec2(1.0, -1.0), vec2(1.0, 1.0),
	vec2(-1.0, -1.0), vec2(1.0, 1.0), vec2(-1.0, 1.0));
const vec3 tints[6] = vec3[](vec3(1.0, 0.4, 0.3), vec3(0.3, 0.9, 0.5), vec3(0.4, 0.6, 1.0),
	vec3(1.0, 0.9, 0.3), vec3(0.9, 0.4, 1.0), vec3(0.4, 1.0, 1.0));

void main() {
	int face = gl_VertexIndex / 6;
	vec2 corner = corners[gl_VertexIndex % 6];
	float side = (face & 1) == 0 ? 1.0 : -1.0;
	/* on the near side of one axis; the other axes are turned so that the winding stays */
	vec3 position = vec3(corner.x * side, corner.y, side);
	position = face / 2 == 0 ? position.xyz : face / 2 == 1 ? position.zxy : position.yzx;
	gl_Position = transform * vec4(position, 1.0);
	vec3 normal = face / 2 == 0 ? vec3(0.0, 0.0, side) :
		face / 2 == 1 ? vec3(side, 0.0, 0.0) : vec3(0.0, side, 0.0);
	vec3 light = normalize(vec3(0.3, 0.5, 1.0));
	tint = tints[face] * (0.35 + 0.65 * max(dot(mat3(rotation) * normal, light), 0.0));
	place = corner * 0.5 + 0.5;
}
