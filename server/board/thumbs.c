/* SPDX-License-Identifier: MIT
 *
 * thumbs.c - small pictures for lists.
 *
 * DESIGN.  Pictures are decoded by one thread, one after the other, so that whoever sends
 * one does not wait for it, and no number of pictures takes more than one processor and
 * the memory of one.  What is wanted waits in a ring of bounded size; what finds it full
 * is forgotten, and wanted again by the next list in which it stands.  The result goes to
 * the store, also when it is that none can be made.
 *
 * A hostile picture may be small and decode into gigabytes, or take minutes: so its
 * header's size is looked at first, and a JPEG may not come in more scans than real ones
 * have.  libgd refuses the rest.  It does not turn photographs, so that is done here.
 */
#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <gd.h>

#include "base/clock.h"
#include "protocol/exif.h"
#include "server/board/upper.h"
#include "server/log.h"
#include "store/media.h"

#define SIDE_MAX   160                /* pixels of a small picture */
#define PIXELS_MAX (16 * 1024 * 1024) /* of a large one: 130 MB while it is decoded */
#define SCANS_MAX  100                /* of a JPEG */
#define QUALITY    60
#define WANTED_MAX 256

static struct {
	struct server *server; /* NULL: not started */
	pthread_t thread;
	struct lock lock; /* a leaf (server/locks.h) */
	pthread_cond_t stirred;
	pthread_cond_t made;
	uint64_t wanted[WANTED_MAX]; /* [lock] a ring */
	size_t head, n;              /* [lock] */
	uint64_t busy;               /* [lock] the one at hand; 0: none */
	bool stop;                   /* [lock] */
} thumbs;

/* ---- one picture ---- */

/* A progressive JPEG goes over all pixels once for each of its scans.  More may be counted
 * than there are: those of a picture inside its header, too. */
static bool
too_many_scans(struct span content)
{
	const uint8_t *p = content.p, *end = content.p + content.len;
	unsigned n = 0;

	while (end - p >= 2 && (p = memchr(p, 0xff, (size_t)(end - p) - 1)) != NULL)
		if (*++p == 0xda && ++n > SCANS_MAX)
			return true;
	return false;
}

static gdImagePtr
decode(struct span content)
{
	void *p = (void *)(uintptr_t)content.p; /* libgd only reads it */
	int len = (int)content.len;
	struct image_size size;
	enum image_kind kind = image_kind_of(content, &size);

	if (kind == IMAGE_NONE || content.len > MEDIA_SIZE_MAX ||
	    (uint64_t)size.width * size.height > PIXELS_MAX)
		return NULL;
	switch (kind) {
	case IMAGE_PNG: return gdImageCreateFromPngPtr(len, p);
	case IMAGE_JPEG:
		return too_many_scans(content) ? NULL : gdImageCreateFromJpegPtr(len, p);
	case IMAGE_GIF: return gdImageCreateFromGifPtr(len, p);
	case IMAGE_WEBP: return gdImageCreateFromWebpPtr(len, p);
	case IMAGE_NONE:
	default: return NULL;
	}
}

/* A side, when the longer one is to be at most max: at least 1. */
static int
scaled(int side, int longer, int max)
{
	int64_t s = longer <= max ? side : (int64_t)side * max / longer;

	return s < 1 ? 1 : (int)s;
}

typedef void scaling(gdImagePtr to, gdImagePtr from, int to_x, int to_y, int from_x,
		     int from_y, int to_w, int to_h, int from_w, int from_h);

/* A copy with sides of at most max. */
static gdImagePtr
scale(gdImagePtr from, int max, scaling *copy)
{
	int w = gdImageSX(from), h = gdImageSY(from), longer = w > h ? w : h;
	gdImagePtr to =
	    gdImageCreateTrueColor(scaled(w, longer, max), scaled(h, longer, max));

	if (to == NULL)
		return NULL;
	gdImageAlphaBlending(to, 0);
	gdImageSaveAlpha(to, 1);
	copy(to, from, 0, 0, 0, 0, gdImageSX(to), gdImageSY(to), w, h);
	return to;
}

/* Averaging all pixels of a photograph takes a second.  So it is thinned out first, to what
 * still leaves sixteen for each one of the small picture. */
static gdImagePtr
shrink(gdImagePtr large)
{
	gdImagePtr thin = scale(large, 4 * SIDE_MAX, gdImageCopyResized), small;

	if (thin == NULL)
		return NULL;
	small = scale(thin, SIDE_MAX, gdImageCopyResampled);
	gdImageDestroy(thin);
	return small;
}

/* As the camera was held.  Consumes small; NULL: no memory. */
static gdImagePtr
turn_up(gdImagePtr small, struct exif_turn turn)
{
	gdImagePtr turned;

	if (turn.mirror)
		gdImageFlipHorizontal(small);
	if (turn.quarters == 0)
		return small;
	/* libgd turns the other way. */
	turned = gdImageRotateInterpolated(small, 90.0F * (float)(4 - turn.quarters), 0);
	gdImageDestroy(small);
	return turned;
}

/* Append the small picture to out, or nothing. */
static void
make(struct span content, struct buf *out)
{
	gdImagePtr large = decode(content), small = NULL;
	void *p;
	int len;

	if (large != NULL) {
		small = shrink(large);
		gdImageDestroy(large);
	}
	if (small != NULL)
		small = turn_up(small, exif_turn(content));
	if (small == NULL)
		return;
	if ((p = gdImageWebpPtrEx(small, &len, QUALITY)) != NULL) {
		(void)buf_put(out, p, (size_t)len);
		gdFree(p);
	}
	gdImageDestroy(small);
}

static void
make_one(struct store *store, uint64_t media_id)
{
	struct buf content = BUF_INIT(MEDIA_SIZE_MAX), small = BUF_INIT(MEDIA_THUMB_MAX);
	enum qerr e = media_thumb_read(store, media_id, &small);

	if (e == Q_OK) { /* it was wanted twice */
		buf_free(&small);
		return;
	}
	if ((e = media_read(store, media_id, &content)) == Q_OK) {
		make(buf_span(&content), &small);
		e = media_thumb_add(store, media_id, buf_span(&small));
	}
	buf_free(&content);
	buf_free(&small);
	malloc_trim(0); /* a picture's memory is not for this thread to keep */
	if (e != Q_OK && e != Q_EXISTS && e != Q_MISSING)
		log_limited(LOG_ERROR, NULL, NULL, "thumb-failed", "media=%llu error=%s",
			    (unsigned long long)media_id, qerr_str(e));
}

/* ---- the thread ---- */

/* The next one; 0: it is time to stop. */
static uint64_t
take(void)
{
	lock_take(&thumbs.lock);
	thumbs.busy = 0;
	pthread_cond_broadcast(&thumbs.made);
	while (thumbs.n == 0 && !thumbs.stop)
		(void)lock_wait(&thumbs.lock, &thumbs.stirred, 0);
	if (!thumbs.stop) {
		thumbs.busy = thumbs.wanted[thumbs.head];
		thumbs.head = (thumbs.head + 1) % WANTED_MAX;
		thumbs.n--;
	}
	lock_drop(&thumbs.lock);
	return thumbs.busy;
}

static void *
run(void *arg)
{
	struct server *server = arg;
	uint64_t id;

	while ((id = take()) != 0)
		make_one(server->store, id);
	return NULL;
}

/* What libgd has to say of a picture is of no use to anybody. */
static void __attribute__((format(printf, 2, 0)))
say_nothing(int level, const char *format, va_list ap)
{
	(void)level, (void)format, (void)ap;
}

enum qerr
board_thumbs_start(struct server *server)
{
	gdSetErrorMethod(say_nothing);
	lock_init(&thumbs.lock);
	lock_cond_init(&thumbs.stirred);
	lock_cond_init(&thumbs.made);
	thumbs.head = thumbs.n = 0;
	thumbs.stop = false;
	if (pthread_create(&thumbs.thread, NULL, run, server) != 0)
		return Q_NOMEM;
	thumbs.server = server;
	return Q_OK;
}

void
board_thumbs_stop(void)
{
	if (thumbs.server == NULL)
		return;
	lock_take(&thumbs.lock);
	thumbs.stop = true;
	pthread_cond_signal(&thumbs.stirred);
	lock_drop(&thumbs.lock);
	pthread_join(thumbs.thread, NULL);
	pthread_cond_destroy(&thumbs.made);
	pthread_cond_destroy(&thumbs.stirred);
	lock_fini(&thumbs.lock);
	thumbs.server = NULL;
}

/* ---- asking ---- */

static bool is_wanted_locked(uint64_t id) REQUIRES(thumbs.lock);

static bool
is_wanted_locked(uint64_t id)
{
	LOCK_ASSERT_HELD(&thumbs.lock);
	for (size_t i = 0; i < thumbs.n; i++)
		if (thumbs.wanted[(thumbs.head + i) % WANTED_MAX] == id)
			return true;
	return thumbs.busy == id;
}

static void want_locked(uint64_t id) REQUIRES(thumbs.lock);

static void
want_locked(uint64_t id)
{
	LOCK_ASSERT_HELD(&thumbs.lock);
	if (thumbs.n == WANTED_MAX || is_wanted_locked(id))
		return;
	thumbs.wanted[(thumbs.head + thumbs.n++) % WANTED_MAX] = id;
	pthread_cond_signal(&thumbs.stirred);
}

void
board_thumb_want(uint64_t media_id)
{
	lock_take(&thumbs.lock);
	want_locked(media_id);
	lock_drop(&thumbs.lock);
}

/* Have it made, and wait as long as that may take. */
static void
await(uint64_t id, int64_t until_ms)
{
	lock_take(&thumbs.lock);
	want_locked(id);
	while (is_wanted_locked(id) && !thumbs.stop &&
	       lock_wait(&thumbs.lock, &thumbs.made, until_ms))
		continue;
	lock_drop(&thumbs.lock);
}

enum qerr
board_thumb_read(struct server *server, uint64_t media_id, int64_t until_ms,
		 struct buf *out)
{
	size_t before = out->len;
	enum qerr e = media_thumb_read(server->store, media_id, out);

	if (e == Q_MISSING) {
		await(media_id, until_ms);
		e = media_thumb_read(server->store, media_id, out);
	}
	if (e == Q_LIMIT || (e == Q_OK && out->len == before))
		return Q_MISSING;
	return e;
}
