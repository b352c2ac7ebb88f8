/* SPDX-License-Identifier: MIT */
#version 460
#extension GL_EXT_ray_tracing : require
layout(location = 0) rayPayloadInEXT vec4 payload;
layout(shaderRecordEXT) buffer Record { float scale; };

void main() {
	payload = vec4(gl_HitTEXT * scale, float(gl_PrimitiveID), float(gl_InstanceCustomIndexEXT), 1);
}
