/* SPDX-License-Identifier: MIT
 *
 * Everything in PEM that a peer or a file may hand us.  No passphrase, so that
 * no key derivation is paid for.
 */
#include <stddef.h>
#include <stdint.h>

#include "crypto/cert.h"
#include "crypto/kex.h"
#include "crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kex *mine;
	struct span pem = span_of(data, size);
	uint8_t secret[KEX_SECRET_LEN];
	struct key *key;
	struct cert *cert;

	if (mine == NULL && (mine = kex_new()) == NULL)
		return 0;
	if (key_parse_public(pem, &key) == Q_OK)
		key_free(key);
	if (key_parse_private(pem, NULL, &key) == Q_OK)
		key_free(key);
	if (cert_parse(pem, &cert) == Q_OK) {
		(void)cert_check(cert, cert);
		cert_free(cert);
	}
	(void)kex_derive(mine, pem, secret);
	return 0;
}
