/* SPDX-License-Identifier: MIT */
#version 460
#extension GL_EXT_ray_query : require
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform accelerationStructureEXT scene;
layout(binding = 1) buffer Result { vec4 result[]; };

void main() {
	const vec2 at = vec2(gl_GlobalInvocationID.xy) / 16.0 * 2.0 - 1.0;
	rayQueryEXT query;
	rayQueryInitializeEXT(query, scene, 0, 0xff, vec3(at, -1), 0.01, vec3(0.01, 0.02, 1), 10.0);
	while (rayQueryProceedEXT(query)) {
		if (rayQueryGetIntersectionTypeEXT(query, false) == gl_RayQueryCandidateIntersectionTriangleEXT) {
			rayQueryConfirmIntersectionEXT(query);
		} else {
			rayQueryGenerateIntersectionEXT(query, 1.5);
		}
	}
	const uint i = gl_GlobalInvocationID.y * 16 + gl_GlobalInvocationID.x;
	if (rayQueryGetIntersectionTypeEXT(query, true) == gl_RayQueryCommittedIntersectionNoneEXT) {
		result[i] = vec4(-1);
	} else {
		result[i] = vec4(rayQueryGetIntersectionTEXT(query, true),
			float(rayQueryGetIntersectionPrimitiveIndexEXT(query, true)),
			float(rayQueryGetIntersectionInstanceCustomIndexEXT(query, true)),
			float(rayQueryGetIntersectionGeometryIndexEXT(query, true)));
	}
}
