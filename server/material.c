/* SPDX-License-Identifier: MIT
 *
 * material.c - the server's key, certificate, CA and enrolment code on the disk.
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
#include "server/material.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/log.h"
#include "store/file.h"

#define VALID_DAYS 3653 /* ten years with their leap days */
#define RENEW_DAYS 30   /* issue anew when fewer are left */

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

/* Nothing is known of what is in it: there is no memory, or the disk failed. */
static enum qerr
unreadable(const struct material *m, enum qerr e, const char *configured,
	   const char *name)
{
	char what[128];

	snprintf(what, sizeof(what), "cannot be read: %s", qerr_str(e));
	return complain(m, e, configured, name, what);
}

/* Read a PEM file.  Q_MISSING, without a sentence, only for one that is not
 * configured. */
static enum qerr
read_pem(const struct material *m, const char *configured, const char *name,
	 struct buf *out)
{
	enum qerr e = *configured != '\0' ? file_read(AT_FDCWD, configured, out)
					  : store_server_read(m->store, name, out);

	if (e == Q_OK || (e == Q_MISSING && *configured == '\0'))
		return e;
	return unreadable(m, e, configured, name);
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
bad_key(const struct material *m, enum qerr e, const char *configured, const char *name)
{
	const char *what = "holds no private key in PEM";

	switch (e) {
	case Q_NOMEM: return unreadable(m, e, configured, name);
	case Q_MISSING:
		e = Q_DENIED;
		what = "is protected by a passphrase; the server needs it without";
		break;
	case Q_DENIED:
		what = "is neither an RSA key of 2048 to 8192 bits nor EC P-256";
		break;
	default: break;
	}
	return complain(m, e, configured, name, what);
}

static enum qerr
read_key(const struct material *m, const char *configured, const char *name,
	 struct key **out)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = read_pem(m, configured, name, &pem);

	if (e == Q_OK && (e = key_parse_private(buf_span(&pem), NULL, out)) != Q_OK)
		e = bad_key(m, e, configured, name);
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
		e = e == Q_NOMEM
			? unreadable(m, e, configured, name)
			: complain(m, e, configured, name, "holds no certificate in PEM");
	buf_free(&pem);
	return e;
}

static enum qerr
make_ca(struct material *m)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	char name[HOST_NAME_LEN + 16];
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

/* Q_DENIED: c is another key's. */
static enum qerr
cert_fits(const struct cert *c, const struct key *key)
{
	struct key *k = NULL;
	enum qerr e = cert_key(c, &k);

	if (e == Q_OK && !key_same(k, key))
		e = Q_DENIED;
	key_free(k);
	return e;
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
	if (e == Q_OK && m->ca_key != NULL && (e = cert_fits(m->ca, m->ca_key)) != Q_OK)
		return e == Q_DENIED ? complain(m, e, "", "ca.pem",
						"does not belong to ca-key.pem beside it")
				     : unreadable(m, e, "", "ca.pem");
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
	enum qerr e = cert_fits(m->cert, m->key);

	if (e == Q_DENIED)
		return complain(m, e, configured, "cert.pem",
				"does not belong to the server's key; remove it and a "
				"new one is issued");
	if (e != Q_OK)
		return unreadable(m, e, configured, "cert.pem");
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
find_host(char out[HOST_NAME_LEN])
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-.";

	if (gethostname(out, HOST_NAME_LEN) == -1)
		out[0] = '\0';
	out[HOST_NAME_LEN - 1] = '\0';
	if (out[0] == '\0' || out[strspn(out, allowed)] != '\0' ||
	    strstr(out, "..") != NULL || strchr("-.", out[0]) != NULL ||
	    strchr("-.", out[strlen(out) - 1]) != NULL || strlen(out) > 63)
		snprintf(out, HOST_NAME_LEN, "localhost");
}

void
material_free(struct material *m)
{
	key_free(m->key);
	key_free(m->ca_key);
	cert_free(m->ca);
	cert_free(m->cert);
	addresses_free(&m->addresses);
	secret_wipe(m->code, sizeof(m->code));
}

enum qerr
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
