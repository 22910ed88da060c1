/* SPDX-License-Identifier: MIT
 *
 * Addresses in figures and behind names, with a resolver of the test's own, which answers
 * when it is told to.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "server/nodes/lookup.h"

static sem_t go, done;
static atomic_int asked;

/* Of a name it knows the addresses 192.0.2.1 to .6, once it may say so. */
int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
	    struct addrinfo **out)
{
	struct sockaddr_in *to = calloc(6, sizeof(*to));
	struct addrinfo *a = calloc(6, sizeof(*a));
	bool figures = (hints->ai_flags & AI_NUMERICHOST) != 0;
	int n = figures ? 1 : 6;

	ck_assert_ptr_nonnull(to);
	ck_assert_ptr_nonnull(a);
	if (!figures) {
		atomic_fetch_add(&asked, 1);
		sem_wait(&go);
	}
	for (int i = 0; i < n; i++) {
		to[i] = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = htons((uint16_t)atoi(port)),
					     .sin_addr.s_addr =
						 htonl(0xc0000201 + (unsigned)i)};
		a[i].ai_addr = (struct sockaddr *)&to[i];
		a[i].ai_addrlen = sizeof(to[i]);
		a[i].ai_next = i + 1 < n ? &a[i + 1] : NULL;
	}
	if (figures && inet_pton(AF_INET, host, &to[0].sin_addr) != 1) {
		free(to);
		free(a);
		return EAI_NONAME;
	}
	*out = a;
	return 0;
}

void
freeaddrinfo(struct addrinfo *a)
{
	free(a->ai_addr);
	free(a);
}

static void
tell(void)
{
	sem_post(&done);
}

static void
setup(void)
{
	sem_init(&go, 0, 0);
	sem_init(&done, 0, 0);
	atomic_store(&asked, 0);
}

static const struct place name = {.kind = NODES_HOST, .port = 9034, .host = "lab.test"};

START_TEST(figures)
{
	const struct place p = {.kind = NODES_IP4, .ip = {192, 0, 2, 7}, .port = 9};
	struct lookup_found found;
	struct lookup *l = lookup_start(&p, tell);
	const struct sockaddr_in *to = (const struct sockaddr_in *)&found.to[0];

	ck_assert_ptr_nonnull(l);
	ck_assert(lookup_done(l, &found)); /* at once */
	ck_assert_int_eq(sem_trywait(&done), 0);
	ck_assert_ptr_null(found.problem);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(ntohl(to->sin_addr.s_addr), 0xc0000207);
	ck_assert_uint_eq(ntohs(to->sin_port), 9);
	ck_assert_int_eq(atomic_load(&asked), 0);
	lookup_drop(l);
}
END_TEST

START_TEST(names)
{
	struct lookup_found found;
	struct lookup *l = lookup_start(&name, tell);

	ck_assert_ptr_nonnull(l);
	ck_assert(!lookup_done(l, &found));
	sem_post(&go);
	sem_wait(&done);
	/* done is called before the thread lets go. */
	ck_assert(lookup_done(l, &found));
	ck_assert_uint_eq(found.count, LOOKUP_MAX);
	ck_assert_ptr_null(found.problem);
	lookup_drop(l);
}
END_TEST

/* The resolver has been asked by so many threads. */
static void
wait_asked(int n)
{
	while (atomic_load(&asked) < n)
		usleep(1000);
}

/* Dropped while the resolver is still silent: nobody is told. */
START_TEST(dropped)
{
	struct lookup *l = lookup_start(&name, tell), *other;
	struct lookup_found found;

	ck_assert_ptr_nonnull(l);
	wait_asked(1);
	lookup_drop(l);
	lookup_drop(NULL);
	other = lookup_start(&name, tell);
	ck_assert_ptr_nonnull(other);
	wait_asked(2);
	sem_post(&go);
	sem_post(&go);
	sem_wait(&done);
	ck_assert(lookup_done(other, &found));
	ck_assert_int_ne(sem_trywait(&done), 0);
	lookup_drop(other);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes_lookup");
	TCase *c = tcase_create("lookup");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, figures);
	tcase_add_test(c, names);
	tcase_add_test(c, dropped);
	suite_add_tcase(s, c);
	return unit_main(s);
}
