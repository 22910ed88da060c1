/* SPDX-License-Identifier: MIT
 *
 * identity.c - the server's key, certificate, CA and enrolment code.
 *
 * Reading is done into a struct material of one's own, with no lock held; only
 * when all of it is fine does it take the place of the old one.
 *
 *   key.pem      missing: made (EC P-256)
 *   ca-key.pem   missing with ca.pem and cert.pem: both made.  Missing alone:
 *                somebody else's CA issued the certificate; so be it
 *   ca.pem       missing beside ca-key.pem: made again only while there is no
 *                certificate yet (a first start that was killed half-way)
 *   cert.pem     missing: issued.  Issued anew, by our own CA alone, when it
 *                is about to end or an address of the machine is not in it
 *
 *   enroll-code  missing: made.  At a start a broken one is set aside
 *
 * A key or certificate that is there and broken, or does not fit together with the
 * rest, is never replaced: it may be the only copy of somebody's key.
 */
#include "server/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "crypto/random.h"
#include "server/addresses.h"
#include "server/log.h"
#include "store/file.h"

#define VALID_DAYS 3653 /* ten years with their leap days */
#define RENEW_DAYS 30   /* issue anew when fewer are left */
#define NAME_LEN   256

struct identity {
	struct lock lock;
	/* [lock] all of these */
	struct key *key;
	struct buf cert_pem;
	struct buf ca_pem;
	struct tls_context *tls;
	int64_t tls_made_ms; /* monotonic */
	uint8_t ca_sum[SHA256_LEN];
	char code[ENROL_CODE_SIZE];
};

/* What a load gathers. */
struct material {
	struct store *store;
	const struct config *cfg;
	struct why *why;
	struct key *key;
	struct key *ca_key; /* NULL: the CA is not ours */
	struct cert *ca;
	struct cert *cert;
	char host[NAME_LEN];
	struct host_addresses addresses;
	char code[ENROL_CODE_SIZE];
};

/* ---- files ---- */

/* The path of a file for messages: as configured, or in the data directory. */
static const char *
path_of(const struct material *m, const char *configured, const char *name,
	char out[4096])
{
	if (*configured != '\0')
		snprintf(out, 4096, "%s", configured);
	else
		snprintf(out, 4096, "%s/server/%s", store_dir(m->store), name);
	return out;
}

static enum qerr
complain(const struct material *m, enum qerr e, const char *configured, const char *name,
	 const char *what)
{
	char path[4096];

	return why_set(m->why, e, "%.300s %.190s", path_of(m, configured, name, path),
		       what);
}

/* Read a PEM file.  Q_MISSING, without a sentence, only for one that is not
 * configured. */
static enum qerr
read_pem(const struct material *m, const char *configured, const char *name,
	 struct buf *out)
{
	enum qerr e = *configured != '\0' ? file_read(AT_FDCWD, configured, out)
					  : store_server_read(m->store, name, out);
	char what[128];

	if (e == Q_OK || (e == Q_MISSING && *configured == '\0'))
		return e;
	snprintf(what, sizeof(what), "cannot be read: %s", qerr_str(e));
	return complain(m, e, configured, name, what);
}

/* Write what e says went well, with one sentence when anything did not. */
static enum qerr
write_pem(const struct material *m, enum qerr e, const char *name, const struct buf *pem,
	  unsigned mode)
{
	if (e == Q_OK)
		e = store_server_write(m->store, name, buf_span(pem), mode);
	if (e != Q_OK)
		why_set(m->why, e, "cannot make %s/server/%s: %s", store_dir(m->store),
			name, qerr_str(e));
	return e;
}

/* ---- keys ---- */

static enum qerr
make_key(const struct material *m, const char *name, struct key **out)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *k = NULL;
	enum qerr e = key_generate(KEY_EC_P256, 0, &k);

	if (e == Q_OK)
		e = key_private_pem(k, NULL, &pem);
	e = write_pem(m, e, name, &pem, 0600);
	buf_wipe(&pem);
	if (e != Q_OK) {
		key_free(k);
		return e;
	}
	*out = k;
	return Q_OK;
}

static enum qerr
read_key(const struct material *m, const char *configured, const char *name,
	 struct key **out)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = read_pem(m, configured, name, &pem);

	if (e == Q_OK && (e = key_parse_private(buf_span(&pem), NULL, out)) != Q_OK)
		e = complain(
		    m, e == Q_MISSING ? Q_DENIED : e, configured, name,
		    e == Q_MISSING
			? "is protected by a passphrase; the server needs it without"
		    : e == Q_DENIED
			? "is neither an RSA key of 2048 to 8192 bits nor EC P-256"
			: "holds no private key in PEM");
	buf_wipe(&pem);
	return e;
}

static enum qerr
load_key(struct material *m)
{
	enum qerr e = read_key(m, m->cfg->key_file, "key.pem", &m->key);

	if (e == Q_MISSING && *m->cfg->key_file == '\0')
		return make_key(m, "key.pem", &m->key);
	return e;
}

/* ---- certificates ---- */

static enum qerr
read_cert(const struct material *m, const char *configured, const char *name,
	  struct cert **out)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	enum qerr e = read_pem(m, configured, name, &pem);

	if (e == Q_OK && (e = cert_parse(buf_span(&pem), out)) != Q_OK)
		e = complain(m, e, configured, name, "holds no certificate in PEM");
	buf_free(&pem);
	return e;
}

static enum qerr
make_ca(struct material *m)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	char name[NAME_LEN + 16];
	enum qerr e;

	snprintf(name, sizeof(name), "Quintet CA %s", m->host);
	name[CERT_NAME_MAX] = '\0';
	e = cert_make_ca(m->ca_key, name, VALID_DAYS, &m->ca);
	if (e == Q_OK)
		e = cert_pem(m->ca, &pem);
	e = write_pem(m, e, "ca.pem", &pem, 0644);
	buf_free(&pem);
	return e;
}

static bool
have_file(const struct material *m, const char *name)
{
	struct buf any = BUF_INIT(CERT_PEM_MAX);
	enum qerr e = store_server_read(m->store, name, &any);

	buf_free(&any);
	return e != Q_MISSING;
}

static bool
ca_matches_key(const struct material *m)
{
	struct key *k = NULL;
	bool same = cert_key(m->ca, &k) == Q_OK && key_same(k, m->ca_key);

	key_free(k);
	return same;
}

static enum qerr
load_ca(struct material *m)
{
	const char *configured = m->cfg->ca_file;
	bool begun = have_file(m, "cert.pem") || *m->cfg->cert_file != '\0';
	enum qerr e;

	/* Somebody else's CA: its key is not ours to look for. */
	if (*configured != '\0')
		return read_cert(m, configured, "ca.pem", &m->ca);
	e = read_key(m, "", "ca-key.pem", &m->ca_key);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	e = read_cert(m, "", "ca.pem", &m->ca);
	if (e == Q_OK && m->ca_key != NULL && !ca_matches_key(m))
		return complain(m, Q_DENIED, "", "ca.pem",
				"does not belong to ca-key.pem beside it");
	if (e != Q_MISSING)
		return e;
	if (begun)
		return complain(m, Q_MISSING, "", "ca.pem",
				"is missing, the certificate of the CA that issued the "
				"server's; put it back");
	if (m->ca_key == NULL && (e = make_key(m, "ca-key.pem", &m->ca_key)) != Q_OK)
		return e;
	return make_ca(m);
}

/* Fill names with what the certificate should name; lists hold the pointers. */
static void
names_of(const struct material *m, const char *dns[2], const char **ip,
	 struct cert_names *names)
{
	dns[0] = "localhost";
	dns[1] = m->host;
	for (size_t i = 0; i < m->addresses.count; i++)
		ip[i] = m->addresses.text[i];
	*names = (struct cert_names){dns, strcmp(m->host, "localhost") == 0 ? 1 : 2, ip,
				     m->addresses.count};
}

static enum qerr
issue(struct material *m, const struct cert_names *names)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *fresh = NULL;
	int days = cert_days_left(m->ca);
	enum qerr e;

	if (m->ca_key == NULL)
		return complain(m, Q_MISSING, "", "cert.pem",
				"cannot be issued: the CA's key ca-key.pem is not there");
	if (days <= 0)
		return complain(m, Q_TIMEOUT, "", "ca.pem",
				"has expired; remove it with ca-key.pem and cert.pem to "
				"make a new CA");
	e = cert_issue(m->ca, m->ca_key, m->key, m->host, names,
		       days < VALID_DAYS ? days : VALID_DAYS, &fresh);
	if (e == Q_OK)
		e = cert_pem(fresh, &pem);
	e = write_pem(m, e, "cert.pem", &pem, 0644);
	buf_free(&pem);
	if (e != Q_OK) {
		cert_free(fresh);
		return e;
	}
	cert_free(m->cert);
	m->cert = fresh;
	return Q_OK;
}

/* Does the certificate fit the key and the CA?  Q_TIMEOUT: but for its dates. */
static enum qerr
check_cert(const struct material *m)
{
	const char *configured = m->cfg->cert_file;
	struct key *k = NULL;
	bool same = cert_key(m->cert, &k) == Q_OK && key_same(k, m->key);
	enum qerr e;

	key_free(k);
	if (!same)
		return complain(m, Q_DENIED, configured, "cert.pem",
				"does not belong to the server's key; remove it and a "
				"new one is issued");
	if ((e = cert_check(m->cert, m->ca)) == Q_TIMEOUT)
		return complain(
		    m, e, configured, "cert.pem",
		    "has expired, or is not valid yet (is the machine's clock right?)");
	if (e != Q_OK)
		return complain(
		    m, e, configured, "cert.pem",
		    "was not issued by the CA in ca.pem, or is not meant for a server");
	return Q_OK;
}

static enum qerr
load_cert(struct material *m)
{
	const char *configured = m->cfg->cert_file;
	struct cert_names names;
	const char *dns[2], **ip;
	bool ours = *configured == '\0' && m->ca_key != NULL;
	enum qerr e;

	if ((ip = calloc(m->addresses.count + 1, sizeof(*ip))) == NULL)
		return why_set(m->why, Q_NOMEM, "there is no memory for the certificate");
	names_of(m, dns, ip, &names);
	e = read_cert(m, configured, "cert.pem", &m->cert);
	if (e == Q_MISSING && *configured == '\0') {
		e = issue(m, &names);
	} else if (e == Q_OK) {
		e = check_cert(m);
		if (ours && (e == Q_TIMEOUT ||
			     (e == Q_OK && (cert_days_left(m->cert) < RENEW_DAYS ||
					    !cert_covers(m->cert, &names))))) {
			log_event(LOG_INFO, NULL, "identity-reissue", "days_left=%d",
				  cert_days_left(m->cert));
			e = issue(m, &names);
		}
	}
	free(ip);
	return e;
}

/* ---- the whole ---- */

/* The machine's name, or "localhost" when it has none that a certificate could
 * hold (RFC 1123: letters, digits, dashes, dots). */
static void
find_host(char out[NAME_LEN])
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-.";

	if (gethostname(out, NAME_LEN) == -1)
		out[0] = '\0';
	out[NAME_LEN - 1] = '\0';
	if (out[0] == '\0' || out[strspn(out, allowed)] != '\0' ||
	    strstr(out, "..") != NULL || strchr("-.", out[0]) != NULL ||
	    strchr("-.", out[strlen(out) - 1]) != NULL || strlen(out) > 63)
		snprintf(out, NAME_LEN, "localhost");
}

static void
material_free(struct material *m)
{
	key_free(m->key);
	key_free(m->ca_key);
	cert_free(m->ca);
	cert_free(m->cert);
	addresses_free(&m->addresses);
	secret_wipe(m->code, sizeof(m->code));
}

static enum qerr
material_load(struct material *m)
{
	enum qerr e;

	find_host(m->host);
	if ((e = addresses_of_host(true, &m->addresses)) != Q_OK)
		return why_set(m->why, e, "cannot list the machine's addresses: %s",
			       qerr_str(e));
	if ((e = load_key(m)) != Q_OK || (e = load_ca(m)) != Q_OK ||
	    (e = load_cert(m)) != Q_OK)
		return e;
	e = enrol_code_read(m->store, m->code, m->why);
	return e == Q_MISSING ? enrol_code_make(m->store, m->code, m->why) : e;
}

/* The CA goes along, although clients that have pinned it need it not: one that comes
 * for the first time can show its fingerprint to a person. */
static enum qerr
make_tls(const struct key *key, struct span cert, struct span ca,
	 struct tls_context **out)
{
	struct buf chain = BUF_INIT(2 * CERT_PEM_MAX);
	enum qerr e;

	if ((e = buf_put_span(&chain, cert)) == Q_OK &&
	    (e = buf_put_span(&chain, ca)) == Q_OK)
		e = tls_server_context(key, buf_span(&chain), out);
	buf_free(&chain);
	return e;
}

/* Turn m into what is served and swap it in. */
static enum qerr
adopt(struct identity *id, struct material *m)
{
	struct buf cert = BUF_INIT(CERT_PEM_MAX), ca = BUF_INIT(CERT_PEM_MAX), swap;
	struct tls_context *tls = NULL, *old_tls;
	uint8_t sum[SHA256_LEN];
	struct key *old;
	enum qerr e;

	if ((e = cert_pem(m->cert, &cert)) != Q_OK ||
	    (e = cert_pem(m->ca, &ca)) != Q_OK ||
	    (e = cert_fingerprint(m->ca, sum)) != Q_OK ||
	    (e = make_tls(m->key, buf_span(&cert), buf_span(&ca), &tls)) != Q_OK) {
		why_set(m->why, e, "cannot use the certificate: %s", qerr_str(e));
	} else {
		lock_take(&id->lock);
		old = id->key, id->key = m->key, m->key = old;
		swap = id->cert_pem, id->cert_pem = cert, cert = swap;
		swap = id->ca_pem, id->ca_pem = ca, ca = swap;
		old_tls = id->tls, id->tls = tls, tls = old_tls;
		id->tls_made_ms = clock_mono_ms();
		memcpy(id->ca_sum, sum, sizeof(sum));
		memcpy(id->code, m->code, sizeof(id->code));
		lock_drop(&id->lock);
	}
	buf_free(&cert);
	buf_free(&ca);
	tls_context_free(tls);
	return e;
}

enum qerr
identity_reload(struct identity *id, struct store *store, const struct config *cfg,
		struct why *why)
{
	struct material m = {.store = store, .cfg = cfg, .why = why};
	enum qerr e = material_load(&m);

	if (e == Q_OK)
		e = adopt(id, &m);
	material_free(&m);
	return e;
}

enum qerr
identity_open(struct store *store, const struct config *cfg, struct identity **out,
	      struct why *why)
{
	struct identity *id = calloc(1, sizeof(*id));
	enum qerr e;

	if (id == NULL)
		return why_set(why, Q_NOMEM,
			       "there is no memory for the server's identity");
	lock_init(&id->lock);
	enrol_code_set_aside_broken(store);
	if ((e = identity_reload(id, store, cfg, why)) != Q_OK) {
		identity_free(id);
		return e;
	}
	*out = id;
	return Q_OK;
}

void
identity_free(struct identity *id)
{
	if (id == NULL)
		return;
	key_free(id->key);
	buf_free(&id->cert_pem);
	buf_free(&id->ca_pem);
	tls_context_free(id->tls);
	secret_wipe(id->code, sizeof(id->code));
	lock_fini(&id->lock);
	free(id);
}

struct key *
identity_key(struct identity *id)
{
	struct key *k;

	lock_take(&id->lock);
	k = key_ref(id->key);
	lock_drop(&id->lock);
	return k;
}

/* Is the context that is served old?  Then take what a new one is made of; the next
 * one to ask gets "no", so that one thread makes it. */
static bool
tls_is_old(struct identity *id, struct key **key, struct buf *cert, struct buf *ca)
{
	int64_t now = clock_mono_ms();
	bool old;

	lock_take(&id->lock);
	old = now - id->tls_made_ms >= IDENTITY_TICKETS_MS &&
	      buf_put_span(cert, buf_span(&id->cert_pem)) == Q_OK &&
	      buf_put_span(ca, buf_span(&id->ca_pem)) == Q_OK;
	if (old) {
		*key = key_ref(id->key);
		id->tls_made_ms = now;
	}
	lock_drop(&id->lock);
	return old;
}

static void
renew_tls(struct identity *id)
{
	struct buf cert = BUF_INIT(CERT_PEM_MAX), ca = BUF_INIT(CERT_PEM_MAX);
	struct tls_context *fresh = NULL, *old;
	struct key *key = NULL;

	if (tls_is_old(id, &key, &cert, &ca) &&
	    make_tls(key, buf_span(&cert), buf_span(&ca), &fresh) == Q_OK) {
		lock_take(&id->lock);
		/* A reload may have been quicker; its context is the right one. */
		if (id->key == key)
			old = id->tls, id->tls = fresh, fresh = old;
		lock_drop(&id->lock);
	}
	tls_context_free(fresh);
	key_free(key);
	buf_free(&cert);
	buf_free(&ca);
}

struct tls_context *
identity_tls(struct identity *id)
{
	struct tls_context *c;

	renew_tls(id);
	lock_take(&id->lock);
	c = tls_context_ref(id->tls);
	lock_drop(&id->lock);
	return c;
}

static enum qerr
copy_pem(struct identity *id, const struct buf *from, struct buf *out)
{
	enum qerr e;

	lock_take(&id->lock);
	e = buf_put_span(out, buf_span(from));
	lock_drop(&id->lock);
	return e;
}

enum qerr
identity_cert_pem(struct identity *id, struct buf *out)
{
	return copy_pem(id, &id->cert_pem, out);
}

enum qerr
identity_chain_pem(struct identity *id, struct buf *out)
{
	size_t before = out->len;
	enum qerr e;

	lock_take(&id->lock);
	if ((e = buf_put_span(out, buf_span(&id->cert_pem))) == Q_OK &&
	    (e = buf_put_span(out, buf_span(&id->ca_pem))) != Q_OK)
		out->len = before;
	lock_drop(&id->lock);
	return e;
}

enum qerr
identity_ca_pem(struct identity *id, struct buf *out)
{
	return copy_pem(id, &id->ca_pem, out);
}

void
identity_ca_fingerprint(struct identity *id, char out[FINGERPRINT_SIZE])
{
	lock_take(&id->lock);
	fingerprint_text(id->ca_sum, out);
	lock_drop(&id->lock);
}

void
identity_enrol_code(struct identity *id, char out[ENROL_CODE_SIZE])
{
	lock_take(&id->lock);
	memcpy(out, id->code, ENROL_CODE_SIZE);
	lock_drop(&id->lock);
}

enum qerr
identity_rotate_enrol_code(struct identity *id, struct store *store,
			   char out[ENROL_CODE_SIZE], struct why *why)
{
	enum qerr e;

	if ((e = enrol_code_make(store, out, why)) != Q_OK)
		return e;
	lock_take(&id->lock);
	memcpy(id->code, out, ENROL_CODE_SIZE);
	lock_drop(&id->lock);
	return Q_OK;
}

enum qerr
identity_enrol_proof(struct identity *id, const char *label, struct span name,
		     struct span pem, uint8_t out[SHA256_LEN])
{
	struct span parts[3] = {span_str(label), name, pem};
	char shown[ENROL_CODE_SIZE], code[ENROL_CODE_LEN];
	size_t n = 0;
	enum qerr e;

	identity_enrol_code(id, shown);
	for (const char *c = shown; *c != '\0'; c++)
		if (*c != '-')
			code[n++] = *c;
	e = hmac_sha256(span_of(code, n), parts, 3, out);
	secret_wipe(shown, sizeof(shown));
	secret_wipe(code, sizeof(code));
	return e;
}
