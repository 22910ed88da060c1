/* SPDX-License-Identifier: MIT
 *
 * replay.c - a plain main for a fuzz target: feeds it every file of the corpus
 * folders named on the command line, each also cut short at every length up to
 * 64 bytes, and prints a summary that tests/run.sh counts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (1 << 20)
#define CUT_MAX  64

/* In a block of exactly len bytes, so that the sanitizers see one too many. */
static void
feed(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	if (exact == NULL)
		abort();
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void
replay_file(const char *path)
{
	static uint8_t all[FILE_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	n = fread(all, 1, sizeof(all), f);
	fclose(f);
	for (size_t len = 0; len < n && len <= CUT_MAX; len++)
		feed(all, len);
	feed(all, n);
}

int
main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;

		if (d == NULL) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		while ((e = readdir(d)) != NULL) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
			replay_file(path);
			count++;
		}
		closedir(d);
	}
	if (count == 0) {
		fprintf(stderr, "no seeds\n");
		return EXIT_FAILURE;
	}
	printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", count);
	return EXIT_SUCCESS;
}
