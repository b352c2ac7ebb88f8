/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_VTEST_FAKE_RENDER_H
#define VENERA_TESTS_VTEST_FAKE_RENDER_H

/**
 * What the stand-in for venera-render does on demand: the first word of a command stream is one
 * of these, the meaning of further words is given. Any other stream does nothing. Like the
 * real one it executes a stream before it looks at the fence behind it.
 */
enum fake_command {
	FAKE_ABORT = 0x7e570001,
	FAKE_EXIT,      /* with code 3 */
	FAKE_LOST,      /* sends RENDER_EVENT_LOST with a reason that has control characters */
	FAKE_HOLD,      /* from now on fences do not retire */
	FAKE_RELEASE,   /* the held fences and those that come retire */
	FAKE_BAD_FENCE, /* sends a fence that nobody asked for */
	FAKE_BAD_BLOB,  /* sends a blob that nobody asked for */
	FAKE_BAD_EVENT, /* sends an event that does not exist */
	FAKE_HANG,      /* reads nothing any more and does not exit when the channel is closed */
	FAKE_STALL,     /* word 1: milliseconds for which nothing is read */
	FAKE_COPY,      /* word 1: resource; the words behind it are copied to its beginning */
};

/** Blob ids with a meaning; for all others there is memory of the wanted size. */
enum fake_blob {
	FAKE_BLOB_UNKNOWN = 0x7e571001,   /* -ENOENT */
	FAKE_BLOB_NO_FD,                  /* success without a descriptor */
	FAKE_BLOB_SMALL,                  /* memory of half the size */
	FAKE_BLOB_OTHER,                  /* the answer names another resource */
	FAKE_BLOB_SLOW,                   /* after a second */
	FAKE_BLOB_NEVER,                  /* no answer */
	FAKE_BLOB_NO_MEMORY,              /* -ENOMEM */
};

#endif
