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

static int
replay_file(const char *path)
{
	uint8_t *all, *exact;
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL || (all = malloc(FILE_MAX)) == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(EXIT_FAILURE);
	}
	n = fread(all, 1, FILE_MAX, f);
	fclose(f);
	/* Exactly sized copies, so that the sanitizers see one byte too many. */
	for (size_t len = 0; len <= n; len = len < 64 && len < n ? len + 1 : n + (len == n)) {
		if ((exact = malloc(len > 0 ? len : 1)) == NULL)
			abort();
		memcpy(exact, all, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	free(all);
	return 1;
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
			count += replay_file(path);
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
