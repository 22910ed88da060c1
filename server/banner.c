/* SPDX-License-Identifier: MIT */
#include "server/banner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/addresses.h"
#include "server/identity.h"
#include "server/log.h"
#include "store/store.h"

#define DEFAULT_PORT 9034 /* the client's too: it need not be typed */

/* What a student types.  host is an address without a port. */
static void
print_command(const char *host, unsigned port, FILE *out)
{
	const char *enrol = config_now()->relay_enrol ? " --enroll" : "";
	bool v6 = strchr(host, ':') != NULL;

	/* Installed ("make install") both have other names. */
	fprintf(out, "  %s ",
		strncmp(program_invocation_short_name, "quintet-", 8) == 0
		    ? "quintet-client"
		    : "client/client");
	if (port == DEFAULT_PORT)
		fprintf(out, "%s", host);
	else
		fprintf(out, v6 ? "[%s]:%u" : "%s:%u", host, port);
	fprintf(out, "%s --user NAME\n", enrol);
}

/* The same for a browser. */
static void
print_page(const char *host, unsigned port, FILE *out)
{
	bool v6 = strchr(host, ':') != NULL;

	fprintf(out, v6 ? "  http://[%s]:%u/\n" : "  http://%s:%u/\n", host, port);
}

/* Split "ADDR:PORT" or "[V6]:PORT"; true when it stands for every address. */
static bool
listens_everywhere(const char *address, char host[ADDRESS_SIZE])
{
	size_t n = strlen(address) - strlen(strrchr(address, ':'));

	if (*address == '[') {
		address++;
		n -= 2;
	}
	snprintf(host, ADDRESS_SIZE, "%.*s", (int)n, address);
	return strcmp(host, "::") == 0 || strcmp(host, "0.0.0.0") == 0;
}

static void
print_ways(const struct listener *l,
	   void (*print)(const char *host, unsigned port, FILE *out), FILE *out)
{
	struct host_addresses all = {NULL, 0};
	unsigned port = listener_port(l);
	char host[ADDRESS_SIZE];
	size_t shown = 0;
	bool v4_only;

	if (!listens_everywhere(listener_address(l), host)) {
		print(host, port, out);
		return;
	}
	v4_only = strcmp(host, "0.0.0.0") == 0;
	if (addresses_of_host(false, &all) != Q_OK)
		log_event(LOG_WARN, NULL, "addresses-unknown", "port=%u", port);
	for (size_t i = 0; i < all.count; i++)
		if (!v4_only || strchr(all.text[i], ':') == NULL) {
			print(all.text[i], port, out);
			shown++;
		}
	if (shown == 0)
		print("127.0.0.1", port, out);
	addresses_free(&all);
}

void
banner_print(struct server *server, struct listener *const *listeners, size_t count,
	     FILE *out)
{
	char code[ENROL_CODE_SIZE], sum[FINGERPRINT_SIZE];
	const char *dir = store_dir(server->store);
	char *real = realpath(dir, NULL);

	identity_enrol_code(server->identity, code);
	identity_ca_fingerprint(server->identity, sum);
	fprintf(out, "Quintet " QUINTET_VERSION "; all it keeps is in %s\n\n",
		real != NULL ? real : dir);
	free(real);
	fputs("Students connect with\n", out);
	for (size_t i = 0; i < count; i++)
		print_ways(listeners[i], print_command, out);
	if (config_now()->relay_enrol)
		fprintf(out, "and the enrolment code\n  %s\n", code);
	if (server->files != NULL && config_now()->http_enabled &&
	    config_now()->board_enabled) {
		fputs("or with a browser at\n", out);
		for (size_t i = 0; i < count; i++)
			print_ways(listeners[i], print_page, out);
	}
	fprintf(out, "SHA-256 fingerprint of the server's CA\n  %s\n\n", sum);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "listening on %s\n", listener_address(listeners[i]));
	fflush(out);
}
