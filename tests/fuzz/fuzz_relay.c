/* SPDX-License-Identifier: MIT
 *
 * The relay codec: the input is a stream of frames as on the wire, save that
 * the ciphertext of a sealed frame is taken as what is inside.  Whatever parses
 * must encode to the same bytes again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/relay.h"

#define SEALED_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct buf *made, struct span read)
{
	assert(span_eq(buf_span(made), read));
	buf_free(made);
}

/* frame is the whole clear frame, size field included; body follows its opcode. */
static void
clear_message(struct span frame, int32_t opcode, struct span body)
{
	struct buf out = BUF_INIT(SEALED_MAX);
	struct relay_hello hello;
	struct relay_server_hello server_hello;
	struct relay_proof proof;
	struct relay_enrol enrol;
	struct relay_enrolled enrolled;
	char name[NAME_SIZE];
	enum qerr e = Q_FORMAT;

	switch (opcode) {
	case RELAY_HELLO:
		if (relay_hello_parse(body, &hello) == Q_OK) {
			(void)relay_name_parse(hello.user, name);
			e = relay_hello_put(&out, &hello);
		}
		break;
	case RELAY_SERVER_HELLO:
		if (relay_server_hello_parse(body, &server_hello) == Q_OK)
			e = relay_server_hello_put(&out, &server_hello);
		break;
	case RELAY_PROOF:
		if (relay_proof_parse(body, &proof) == Q_OK)
			e = relay_proof_put(&out, &proof);
		break;
	case RELAY_ENROL:
		if (relay_enrol_parse(body, &enrol) == Q_OK) {
			(void)relay_name_parse(enrol.name, name);
			e = relay_enrol_put(&out, &enrol);
		}
		break;
	case RELAY_ENROLLED:
		if (relay_enrolled_parse(body, &enrolled) == Q_OK)
			e = relay_enrolled_put(&out, &enrolled);
		break;
	default: break;
	}
	if (e == Q_OK)
		same(&out, frame);
}

/* With each NUL left out or counted as the entry itself has it. */
static void
list(struct span data)
{
	struct buf out = BUF_INIT(SEALED_MAX);
	struct reader r = reader_of(data), before = r;
	char name[NAME_SIZE];
	enum qerr e;

	while ((e = relay_list_next(&r, name)) == Q_OK) {
		size_t used = before.left - r.left;

		assert(relay_list_put(&out, name, used > 4 + strlen(name)) == Q_OK);
		before = r;
	}
	if (e == Q_MISSING)
		same(&out, data);
	buf_free(&out);
}

static void
sealed_message(int32_t opcode, struct span data)
{
	struct buf out = BUF_INIT(SEALED_MAX);
	struct relay_key_message key;
	struct relay_sealed peer;
	struct span pem;
	int32_t nonce;
	char name[NAME_SIZE];
	enum qerr e = Q_FORMAT;

	switch (opcode) {
	case RELAY_CHAT_REQUEST:
	case RELAY_CHAT_REQUEST_RECEIVED_DISTINCT:
		if (relay_name_parse(data, name) == Q_OK)
			assert(name_valid(span_str(name)));
		break;
	case RELAY_CHAT_ACCEPT:
	case RELAY_PEER_PUBLIC_KEY:
		if (relay_pem_parse(data, &pem) == Q_OK)
			e = relay_pem_put(&out, pem);
		break;
	case RELAY_NONCE:
		if (relay_nonce_parse(data, &nonce) == Q_OK)
			e = relay_nonce_put(&out, nonce);
		break;
	case RELAY_FIRST_KEY:
		if (relay_first_key_parse(data, &key) == Q_OK)
			e = relay_first_key_put(&out, &key);
		break;
	case RELAY_SECOND_KEY:
		if (relay_second_key_parse(data, &key) == Q_OK)
			e = relay_second_key_put(&out, &key);
		break;
	case RELAY_LIST:
	case RELAY_LIST_DISTINCT: list(data); break;
	case RELAY_PEER_MESSAGE:
		if (relay_peer_parse(data, &peer) == Q_OK)
			assert(peer.iv + RELAY_IV_LEN == data.p + data.len);
		break;
	default: break;
	}
	if (e == Q_OK)
		same(&out, data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct relay_frame f;

	(void)relay_recognise(in);
	while (relay_frame_next(in, RELAY_CLEAR_MAX, SEALED_MAX, &f) == Q_OK) {
		struct relay_inner inner;

		if (f.clear) {
			struct span body = span_of(f.body.p + 4, f.body.len - 4);

			clear_message(span_of(in.p, f.total), (int32_t)le32_get(f.body.p),
				      body);
		} else if (relay_inner_parse(relay_sealed_parts(f.body).ct, &inner) ==
			   Q_OK) {
			uint8_t head[RELAY_HEAD_LEN];

			relay_head_put(head, inner.opcode, inner.counter);
			assert(memcmp(head, f.body.p, sizeof(head)) == 0);
			sealed_message(inner.opcode, inner.data);
		}
		in = span_of(in.p + f.total, in.len - f.total);
	}
	return 0;
}
