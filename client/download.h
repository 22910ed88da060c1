/* SPDX-License-Identifier: MIT
 *
 * download.h - a file that comes in pieces: to a partial file at first, and under its
 * name only when it is whole.
 *
 *	FOLDER/.quintet-0123456789abcdef.part  ->  FOLDER/report.pdf, or report-1.pdf ...
 *
 * Nothing is ever overwritten, and the name in the folder appears in one step, with the
 * contents on the disk.  A client that is killed leaves a partial file behind; it has
 * held a lock on it, so the next one that opens the folder knows that nobody writes
 * there any longer, and removes it.
 *
 * One thread; blocks on the disk.
 */
#ifndef CLIENT_DOWNLOAD_H
#define CLIENT_DOWNLOAD_H

#include "base/bytes.h"

#define DOWNLOAD_PATH      4096
#define DOWNLOAD_PART_SIZE 32

struct download {
	int folder, fd; /* -1: not open */
	char folder_path[DOWNLOAD_PATH];
	char part[DOWNLOAD_PART_SIZE];
	uint64_t written, flushed;
};
#define DOWNLOAD_INIT                  \
	{                              \
		.folder = -1, .fd = -1 \
	}

/* Where files go when nobody says so: the desktop's download folder
 * ($XDG_CONFIG_HOME/user-dirs.dirs), or else ~/Downloads, or else, when neither is a
 * folder, the current one. */
void download_folder(char out[DOWNLOAD_PATH]);

/* Make a partial file in the folder, with room for size bytes where the file system can
 * promise that.  Q_FULL: there is no such room; Q_MISSING, Q_DENIED, Q_SYS; why is a
 * phrase, here and below, and d is closed. */
enum qerr
download_open(struct download *d, const char *folder, uint64_t size, struct why *why);
/* Append.  Q_FULL, Q_SYS: download_drop. */
enum qerr download_write(struct download *d, struct span bytes, struct why *why);
/* Whole: to the disk, and in place under a harmless form of what it is called
 * (file_name in client/file.h; id stands in for a name of nothing).  Closes d in every
 * case; *path is the folder's with the name behind it. */
enum qerr download_keep(struct download *d, struct span called, uint64_t id,
			char path[DOWNLOAD_PATH], struct why *why);
/* Away with it.  Fine for one that is not open. */
void download_drop(struct download *d);

#endif
