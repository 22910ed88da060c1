/* SPDX-License-Identifier: MIT
 *
 * shared_store.h - a server with a store and one shared chat, of Alice and bob, for tests.
 */
#ifndef TESTS_UNIT_SHARED_STORE_H
#define TESTS_UNIT_SHARED_STORE_H

#include "tests/unit/core.h"

#include "server/shared.h"
#include "tests/unit/tempdir.h"

static struct store_options options;
static _Atomic uint64_t chat_id;
static struct shared_chat *chat;

static inline void
open_store(void)
{
	struct why why;

	ck_assert_int_eq(store_open(at("d"), &options, &core.store, &why), Q_OK);
	ck_assert_int_eq(chats_open(core.store, &core.chats), Q_OK);
	ck_assert_int_eq(shared_open(&core, &core.shared, &why), Q_OK);
}

static inline void
close_store(void)
{
	shared_chat_unref(chat);
	chat = NULL;
	shared_close(core.shared);
	chats_close(core.chats);
	store_close(core.store);
}

static inline void
make_chat(void)
{
	struct chat_info info;

	tempdir_make();
	options = (struct store_options)STORE_OPTIONS_DEFAULT;
	core_start();
	open_store();
	ck_assert_int_eq(chats_create(core.chats, "Alice", "bob", 0, &info), Q_OK);
	chat_id = info.id;
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
}

static inline void
drop_chat(void)
{
	close_store();
	core_stop();
	tempdir_remove();
}

#endif
