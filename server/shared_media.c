/* SPDX-License-Identifier: MIT
 *
 * What is written down as a media's kind: "image/png", "image/png named", "none".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "server/config.h"
#include "server/engineio/bundle.h"
#include "server/shared_priv.h"

#define NO_PICTURE "none"
#define NAMED      " named"

void
shared_media_note(struct media_info *info, enum image_kind kind, bool named)
{
	snprintf(info->kind, sizeof(info->kind), "%s%s",
		 kind == IMAGE_NONE ? NO_PICTURE : image_type(kind), named ? NAMED : "");
}

/* The kind without what is behind it. */
static bool
cut_name(const struct media_info *info, char kind[MEDIA_KIND_MAX + 1])
{
	char *behind;

	strlcpy(kind, info->kind, MEDIA_KIND_MAX + 1);
	if ((behind = strstr(kind, NAMED)) == NULL)
		return false;
	*behind = '\0';
	return true;
}

enum qerr
shared_media_kind(struct shared *sh, const struct media_info *info, enum image_kind *out)
{
	struct buf content = BUF_INIT(MEDIA_SIZE_MAX);
	char kind[MEDIA_KIND_MAX + 1];
	enum qerr e;

	if (info->kind[0] != '\0') {
		(void)cut_name(info, kind);
		*out = image_kind_of_type(kind);
		return Q_OK;
	}
	if ((e = media_read(sh->server->store, info->id, &content)) == Q_OK)
		*out = image_kind_of(buf_span(&content), NULL);
	buf_free(&content);
	return e;
}

/* A picture is one copy for all who get it, and counts little in the backlog of each; so
 * who sends many to somebody who fetches none must find an end here. */
bool
shared_media_full(void)
{
	return blobs_held() / 2 > (size_t)config_now()->board_max_inflight;
}

void
shared_media_name(const struct media_info *info, enum image_kind kind,
		  char out[SHARED_MEDIA_NAME_SIZE])
{
	char text[MEDIA_KIND_MAX + 1];

	if (cut_name(info, text))
		strlcpy(out, info->name, SHARED_MEDIA_NAME_SIZE);
	else
		snprintf(out, SHARED_MEDIA_NAME_SIZE, "media-%" PRIu64 ".%s", info->id,
			 image_extension(kind));
}
