/* SPDX-License-Identifier: MIT */
#version 460
#extension GL_EXT_ray_tracing : require
layout(location = 0) rayPayloadInEXT vec4 payload;

void main() {
	payload = vec4(-1, -2, -3, -4);
}
