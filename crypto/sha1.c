/* SPDX-License-Identifier: MIT */
#include "crypto/sha1.h"

#include "crypto/evp.h"

enum qerr
sha1(struct span s, uint8_t out[SHA1_LEN])
{
	return EVP_Digest(s.len > 0 ? s.p : (const uint8_t *)"", s.len, out, NULL,
			  EVP_sha1(), NULL) == 1
		   ? Q_OK
		   : evp_failed(Q_CRYPTO);
}
