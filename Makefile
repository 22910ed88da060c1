# Quintet: `make run` and `make test` do all; `make help` lists the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= gcc
JOBS    ?= $(shell nproc)
VERSION := 0.1.0

# The server and client that the tests start; sanitizer builds have their own.
SERVER ?= server/server
CLIENT ?= client/client

LIBS_PKG := libcrypto libssl libbsd libutf8proc libdeflate libseccomp inih
WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla \
         -Wmissing-prototypes -Wformat=2 -Wcast-qual -Wundef -Werror
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fstack-clash-protection \
          -fcf-protection
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT    ?= -O2
SANITIZE ?=
QCFLAGS = -std=c17 -D_GNU_SOURCE -DQUINTET_VERSION='"$(VERSION)"' -I. -g $(OPT) $(WARN) \
          $(if $(SANITIZE),$(SANITIZE),$(HARDEN)) -pthread $(CFLAGS)
QLDFLAGS = -pthread $(if $(SANITIZE),$(SANITIZE),$(HARDEN_LD)) -Wl,--as-needed $(LDFLAGS)
LDLIBS  = -lssl -lcrypto -lbsd -lutf8proc -ldeflate -lseccomp -linih
CHECK_LIBS = $(shell pkg-config --libs check 2>/dev/null)

# ---- sources ----
SRC_OF  = $(wildcard $(1)/*.c $(1)/*/*.c)
LIB_SRC := $(call SRC_OF,base) $(call SRC_OF,crypto) $(call SRC_OF,protocol) $(call SRC_OF,store)
SERVER_SRC := $(filter-out server/main.c,$(call SRC_OF,server))
CLIENT_SRC := $(filter-out client/main.c,$(call SRC_OF,client))
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
SYSTEM_SRC := $(wildcard tests/system/test_*.c)
SYSTEM_AID := $(filter-out $(SYSTEM_SRC) $(wildcard tests/system/shim_*.c),$(wildcard tests/system/*.c))
SHIM_SRC   := $(wildcard tests/system/shim_*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)

OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
SYSTEM_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(SYSTEM_SRC))
FUZZ_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(FUZZ_SRC))
SHIM_SO    := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(SHIM_SRC))

.PHONY: all run test check-build demo lint asan ubsan tsan valgrind fuzz coverage install \
        uninstall dist deps format clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(SERVER) $(CLIENT)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(QCFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcommon.a: $(call OBJ,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libserver.a: $(call OBJ,$(SERVER_SRC))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libclient.a: $(call OBJ,$(CLIENT_SRC))
	@rm -f $@
	ar rcs $@ $^

$(SERVER): $(call OBJ,server/main.c) $(BUILD)/libserver.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)
$(CLIENT): $(call OBJ,client/main.c) $(BUILD)/libclient.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)

# ---- tests ----
TEST_LIBS = $(BUILD)/libserver.a $(BUILD)/libclient.a $(BUILD)/libcommon.a

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS)
$(BUILD)/tests/system/test_%: $(BUILD)/obj/tests/system/test_%.o $(call OBJ,$(SYSTEM_AID)) $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS) -lutil
$(BUILD)/tests/system/shim_%.so: tests/system/shim_%.c
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE -I. -g -O1 -Wall -Wextra -fPIC -shared -o $@ $< -ldl
# Each fuzz target also replays its seeds under a plain main, in `make test`.
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)

check-build: $(SERVER) $(CLIENT) $(UNIT_BIN) $(SYSTEM_BIN) $(FUZZ_BIN) $(SHIM_SO)

test: deps
	@$(MAKE) --no-print-directory -j$(JOBS) check-build
	@BUILD=$(BUILD) SERVER=$(SERVER) CLIENT=$(CLIENT) tests/run.sh

asan ubsan tsan:
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/$@ SERVER=build/$@/server/server \
	    CLIENT=build/$@/client/client OPT=-O1 SANITIZE="$(SANITIZE_$@)" check-build
	@BUILD=build/$@ SERVER=build/$@/server/server CLIENT=build/$@/client/client SLOW=4 \
	    tests/run.sh
SANITIZE_asan  := -fsanitize=address -fno-omit-frame-pointer
SANITIZE_ubsan := -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE_tsan  := -fsanitize=thread -fno-omit-frame-pointer

deps:
	@tools/deps.sh

run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	cd server && exec ./server

clean:
	rm -rf build server/server client/client dist

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
