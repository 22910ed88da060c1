/* SPDX-License-Identifier: MIT */
#include "server/http/file_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <libdeflate.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "store/file.h"

#define PATH_SIZE 512
/* Where more effort takes much more time and saves little. */
#define GZIP_LEVEL 9
#define TAG_BYTES  12 /* of the hash */

struct file_set {
	struct file files[FILE_SET_MAX]; /* sorted by path once all are there */
	size_t count;
	size_t bytes;
	size_t read; /* bytes of the files as they are on the disk */
};

/* ---- names and types ---- */

static bool
name_served(const char *name)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-";

	return name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

static const char *
type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
	    {".html", "text/html; charset=UTF-8"},
	    {".css", "text/css; charset=UTF-8"},
	    {".js", "text/javascript; charset=UTF-8"},
	    {".mjs", "text/javascript; charset=UTF-8"},
	    {".json", "application/json"},
	    {".webmanifest", "application/manifest+json"},
	    {".svg", "image/svg+xml"},
	    {".png", "image/png"},
	    {".ico", "image/vnd.microsoft.icon"},
	    {".woff2", "font/woff2"},
	    {".txt", "text/plain; charset=UTF-8"},
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i].end) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* ---- the two forms of a file ---- */

/* The compressed form has a tag of its own: it is another sequence of bytes. */
static enum qerr
put_tags(struct file *f)
{
	uint8_t hash[SHA256_LEN];
	char hex[HEX_LEN(TAG_BYTES) + 1];
	enum qerr e = sha256(&f->plain.bytes, 1, hash);

	if (e != Q_OK)
		return e;
	hex_encode(span_of(hash, TAG_BYTES), hex);
	snprintf(f->plain.tag, sizeof(f->plain.tag), "\"%s\"", hex);
	snprintf(f->gzip.tag, sizeof(f->gzip.tag), "\"%s-gzip\"", hex);
	return Q_OK;
}

/* What does not become smaller (pictures) stays as it is. */
static enum qerr
compress_file(struct libdeflate_compressor *c, struct file *f)
{
	size_t n = 0, max = f->plain.bytes.len;
	uint8_t *out;

	if (max == 0)
		return Q_OK;
	if ((out = malloc(max)) == NULL)
		return Q_NOMEM;
	n = libdeflate_gzip_compress(c, f->plain.bytes.p, max, out, max - 1);
	if (n == 0) {
		free(out);
		return Q_OK;
	}
	f->gzip.bytes = span_of(out, n);
	return Q_OK;
}

/* ---- the folder ---- */

/* Take a file's content (consumed). */
static enum qerr
add(struct file_set *set, const char *path, struct buf *content)
{
	struct file *f = &set->files[set->count];
	uint8_t *bytes = content->p;

	*f = (struct file){.type = type_of(path)};
	if ((f->path = strdup(path)) == NULL)
		return Q_NOMEM;
	/* An empty file, too, has bytes that can be freed. */
	if (bytes == NULL && (bytes = malloc(1)) == NULL) {
		free(f->path);
		return Q_NOMEM;
	}
	f->plain.bytes = span_of(bytes, content->len);
	set->read += content->len;
	set->count++;
	*content = (struct buf)BUF_INIT(0);
	return Q_OK;
}

static enum qerr
read_one(struct file_set *set, int dir, const char *name, const char *path,
	 struct why *why)
{
	struct buf content = BUF_INIT(FILE_SET_BYTES);
	struct stat st;
	enum qerr e = Q_LIMIT;

	if (set->count < FILE_SET_MAX)
		e = file_read_limit(dir, name, FILE_SET_BYTES - set->read, &content, &st);
	if (e == Q_OK)
		e = add(set, path, &content);
	buf_free(&content);
	if (e == Q_LIMIT)
		return why_set(why, e, "more than %d files or %d MiB", FILE_SET_MAX,
			       FILE_SET_BYTES / (1024 * 1024));
	return e == Q_OK ? e : why_set(why, e, "%s: %s", path + 1, qerr_str(e));
}

/* Read what is in the folder behind dir (consumed); path is its own, "" for the first. */
static enum qerr
read_folder(struct file_set *set, int dir, const char *path, unsigned depth,
	    struct why *why)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;
	enum qerr e = Q_OK;

	if (d == NULL) {
		e = why_set(why, qerr_errno(errno), "%s: %s", path, strerror(errno));
		close(dir);
		return e;
	}
	while (e == Q_OK && (errno = 0, entry = readdir(d)) != NULL) {
		char below[PATH_SIZE];
		struct stat st;
		int fd;

		if (!name_served(entry->d_name) ||
		    fstatat(dir, entry->d_name, &st, 0) == -1)
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s/%s", path,
				     entry->d_name) >= sizeof(below))
			e = why_set(why, Q_LIMIT, "%.200s: the path is too long", path);
		else if (S_ISREG(st.st_mode))
			e = read_one(set, dir, entry->d_name, below, why);
		else if (S_ISDIR(st.st_mode) && depth < FILE_SET_DEPTH &&
			 (fd = openat(dir, entry->d_name,
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1)
			e = read_folder(set, fd, below, depth + 1, why);
	}
	if (e == Q_OK && errno != 0)
		e = why_set(why, qerr_errno(errno), "%s: %s", path, strerror(errno));
	closedir(d);
	return e;
}

static int
cmp_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static enum qerr
finish(struct file_set *set)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(GZIP_LEVEL);
	enum qerr e = c == NULL ? Q_NOMEM : Q_OK;

	qsort(set->files, set->count, sizeof(set->files[0]), cmp_files);
	for (size_t i = 0; e == Q_OK && i < set->count; i++) {
		struct file *f = &set->files[i];

		if ((e = put_tags(f)) == Q_OK)
			e = compress_file(c, f);
		set->bytes += f->plain.bytes.len + f->gzip.bytes.len;
	}
	libdeflate_free_compressor(c);
	return e;
}

enum qerr
file_set_load(const char *folder, struct file_set **out, struct why *why)
{
	struct file_set *set;
	enum qerr e;
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return why_set(why, errno == ENOTDIR ? Q_MISSING : qerr_errno(errno),
			       "%s: %s", folder, strerror(errno));
	if ((set = calloc(1, sizeof(*set))) == NULL) {
		close(dir);
		return why_set(why, Q_NOMEM, "no memory");
	}
	if ((e = read_folder(set, dir, "", 1, why)) != Q_OK)
		goto out;
	if ((e = finish(set)) != Q_OK) {
		why_set(why, e, "%s", qerr_str(e));
		goto out;
	}
	if (file_set_find(set, span_str("/")) == NULL) {
		e = why_set(why, Q_MISSING, "%s: there is no index.html", folder);
		goto out;
	}
	*out = set;
	return Q_OK;
out:
	file_set_free(set);
	return e;
}

/* Only the set has made what the spans point to. */
static void
free_bytes(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

void
file_set_free(struct file_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++) {
		free(set->files[i].path);
		free_bytes(set->files[i].plain.bytes);
		free_bytes(set->files[i].gzip.bytes);
	}
	free(set);
}

/* ---- what is asked of it ---- */

const struct file *
file_set_find(const struct file_set *set, struct span path)
{
	size_t low = 0, high = set->count;

	if (span_eq(path, span_str("/")))
		path = span_str("/index.html");
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct span s = span_str(set->files[mid].path);
		int c = memcmp(path.p, s.p, path.len < s.len ? path.len : s.len);

		if (c == 0 && path.len == s.len)
			return &set->files[mid];
		if (c < 0 || (c == 0 && path.len < s.len))
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

size_t
file_set_bytes(const struct file_set *set)
{
	return set->bytes;
}

size_t
file_set_count(const struct file_set *set)
{
	return set->count;
}

/* Take what stands before the next comma, without white space around it. */
static struct span
next_item(struct span *list)
{
	struct span item = {list->p, 0};

	while (item.len < list->len && list->p[item.len] != ',')
		item.len++;
	list->p += item.len;
	list->len -= item.len;
	if (list->len > 0)
		list->p++, list->len--;
	while (item.len > 0 && (item.p[0] == ' ' || item.p[0] == '\t'))
		item.p++, item.len--;
	while (item.len > 0 &&
	       (item.p[item.len - 1] == ' ' || item.p[item.len - 1] == '\t'))
		item.len--;
	return item;
}

bool
file_tag_listed(struct span header, const char *tag)
{
	while (header.len > 0) {
		struct span item = next_item(&header);

		if (item.len >= 2 && memcmp(item.p, "W/", 2) == 0)
			item.p += 2, item.len -= 2;
		if (span_eq(item, span_str(tag)) || span_eq(item, span_str("*")))
			return true;
	}
	return false;
}
