# Quintet: `make run` and `make test` do all; `make help` lists the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
JOBS    ?= $(shell nproc)
VERSION := 0.1.0

# The server and client that the tests start; sanitizer builds have their own.
SERVER ?= server/server
CLIENT ?= client/client

WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla \
         -Wmissing-prototypes -Wformat=2 -Wcast-qual -Wundef -Werror
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fstack-clash-protection \
          -fcf-protection
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT    ?= -O2
SANITIZE ?=
# Instrumented code confuses the warnings that follow values; the ordinary build,
# which judges warnings, has none.
QCFLAGS = -std=c17 -D_GNU_SOURCE -DQUINTET_VERSION='"$(VERSION)"' -I. -g $(OPT) $(WARN) \
          $(if $(SANITIZE),$(SANITIZE) -Wno-error,$(HARDEN)) -pthread $(CFLAGS)
QLDFLAGS = -pthread $(if $(SANITIZE),$(SANITIZE),$(HARDEN_LD)) -Wl,--as-needed $(LDFLAGS)
LDLIBS  = -lssl -lcrypto -lbsd -lutf8proc -ldeflate -lseccomp -linih -lcrypt \
          -lhttp_parser -lwslay -ljansson -lgd -larchive -lncursesw -ltinfo -lm
CHECK_LIBS = $(shell pkg-config --libs check 2>/dev/null)

# ---- sources ----
SRC_OF  = $(wildcard $(1)/*.c $(1)/*/*.c)
LIB_SRC := $(call SRC_OF,base) $(call SRC_OF,crypto) $(call SRC_OF,protocol) $(call SRC_OF,store)
SERVER_SRC := $(filter-out server/main.c,$(call SRC_OF,server))
CLIENT_SRC := $(filter-out client/main.c,$(call SRC_OF,client))
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
SYSTEM_SRC := $(wildcard tests/system/test_*.c)
FAULTS_SRC := $(wildcard tests/system/faults_*.c)
SYSTEM_AID := $(filter-out $(SYSTEM_SRC) $(FAULTS_SRC) $(wildcard tests/system/shim_*.c),$(wildcard tests/system/*.c))
SHIM_SRC   := $(wildcard tests/system/shim_*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)

OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
SYSTEM_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(SYSTEM_SRC))
FAULTS_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(FAULTS_SRC))
FUZZ_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(FUZZ_SRC))
SHIM_SO    := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(SHIM_SRC))

.PHONY: all run test test-faults check-build sio-echo demo lint asan ubsan tsan valgrind fuzz libfuzzer coverage bench bench-build bench-peers \
        install uninstall dist deps deps-run deps-dev format clean help
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
$(BUILD)/tests/system/faults_%: $(BUILD)/obj/tests/system/faults_%.o $(call OBJ,$(SYSTEM_AID)) $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS) -lutil
$(BUILD)/tests/system/shim_%.so: tests/system/shim_%.c
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE -I. -g -O1 -Wall -Wextra -fPIC -shared -o $@ $< -ldl
# Each fuzz target also replays its seeds under a plain main, in `make test`.
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)

# A server for checkers of Engine.IO and Socket.IO, of the module that board stands on.
SIO_ECHO := $(BUILD)/tests/system/sio-echo
sio-echo: $(SIO_ECHO)
$(SIO_ECHO): $(call OBJ,$(wildcard tests/system/sio-echo/*.c)) $(BUILD)/libserver.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)

check-build: $(SERVER) $(CLIENT) $(UNIT_BIN) $(SYSTEM_BIN) $(FUZZ_BIN) $(SHIM_SO) $(SIO_ECHO)

test: deps
	@$(MAKE) --no-print-directory -j$(JOBS) check-build
	@BUILD=$(BUILD) SERVER=$(SERVER) CLIENT=$(CLIENT) tests/run.sh

# What needs networks of its own, and rights to make them: links that are cut and healed.
test-faults: deps
	@$(MAKE) --no-print-directory -j$(JOBS) $(SERVER) $(FAULTS_BIN)
	@BUILD=$(BUILD) SERVER=$(SERVER) tests/system/netns.sh

# The same tests under a sanitizer, in a build folder of its own.
asan ubsan tsan: deps
	@$(MAKE) --no-print-directory -j$(JOBS) $(VARIANT) OPT=-O1 SANITIZE="$(SANITIZE_$@)" check-build
	@$(VARIANT) QUINTET_SANITIZER=$@ SLOW=4 SKIP="$(SKIP_$@)" tests/run.sh
VARIANT = BUILD=build/$@ SERVER=build/$@/server/server CLIENT=build/$@/client/client
# Both in one build: half the time of two.  ubsan alone is the quicker one to ask.
SANITIZE_asan  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE_ubsan := -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE_tsan  := -fsanitize=thread -fno-omit-frame-pointer
# Hundreds of forks of one thread, and browsers: minutes, for threads that others try too.
SKIP_tsan ?= test_(removal|page|page_rough|page_tls)$$

# Units and seeds under memcheck: what is read before it was written, and what lies
# outside.  Leaks are AddressSanitizer's; the system tests would be too slow; programs
# left out depend on time, take memory or descriptors away from memcheck itself, or would
# take minutes for what AddressSanitizer sees as well.
valgrind: deps-dev
	@$(MAKE) --no-print-directory -j$(JOBS) check-build
	@SLOW=20 QUINTET_SANITIZER=valgrind SKIP="$(VALGRIND_SKIP)" \
	    WRAP="valgrind -q --error-exitcode=99 --leak-check=no" tests/run.sh /unit/ /fuzz/
VALGRIND_SLOW := client_rooms|switchboard|tls|contacts_deliver|rooms_content|glyph|identity|wrap
VALGRIND_SKIP ?= test_(throttle|key|password|passwords|listener|bytes|file|hash|msglog|msglog_damage|msglog_short|$(VALGRIND_SLOW))$$

# A smoke run of every fuzz target: FUZZ_SECONDS each, from the seeds in git.
FUZZ_SECONDS ?= 10
fuzz: deps-dev
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/fuzz CC=clang OPT=-O1 \
	    SANITIZE="-fsanitize=fuzzer-no-link,address,undefined" libfuzzer
	@BUILD=build/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/smoke.sh
LIBFUZZER_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/libfuzzer/%,$(FUZZ_SRC))
libfuzzer: $(LIBFUZZER_BIN)
$(BUILD)/libfuzzer/%: $(BUILD)/obj/tests/fuzz/%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

coverage: deps-dev
	@$(MAKE) --no-print-directory -j$(JOBS) $(VARIANT) OPT=-O0 SANITIZE="--coverage" check-build
	@$(VARIANT) SLOW=2 tests/run.sh
	@tools/coverage.sh build/coverage

# ---- bench ----
BENCH_AID := bench/util.c bench/link.c bench/load.c bench/keyring.c bench/talk.c bench/dialect.c bench/roomlink.c bench/siolink.c
BENCH_BIN := $(patsubst bench/%.c,$(BUILD)/bench/%,$(filter-out $(BENCH_AID),$(wildcard bench/*.c)))

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(call OBJ,$(BENCH_AID)) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(QLDFLAGS) -o $@ $^ $(LDLIBS)

# Every figure of docs/performance.md, in under ten minutes.
bench: deps
	@$(MAKE) --no-print-directory -j$(JOBS) $(SERVER) bench-build
	@BUILD=$(BUILD) SERVER=$(SERVER) bench/run
bench-build: $(BENCH_BIN)
# contacts against ngircd and mosquitto, which this installs; board against socket.io.
bench-peers: deps
	@bench/peers.sh
	@$(MAKE) --no-print-directory -j$(JOBS) $(SERVER) bench-build
	@BUILD=$(BUILD) SERVER=$(SERVER) bench/run --only contacts,board

# ---- what people type ----
deps:
	@tools/deps.sh
deps-run:
	@tools/deps.sh --run
deps-dev:
	@tools/deps.sh --dev

run: deps-run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	cd server && exec ./server

demo: deps-run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@SERVER=$(SERVER) CLIENT=$(CLIENT) tools/demo.sh

lint: deps-dev
	@tools/lint.sh

format:
	clang-format -i $(FORMATTED)
FORMATTED = $(shell git ls-files '*.c' '*.h')

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(PREFIX)/share/doc/quintet $(DESTDIR)$(PREFIX)/share/quintet
	install -m 755 $(SERVER) $(DESTDIR)$(PREFIX)/bin/quintet-server
	install -m 755 $(CLIENT) $(DESTDIR)$(PREFIX)/bin/quintet-client
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 README.md CHANGELOG.md LICENSE docs/quintet.service \
	    $(DESTDIR)$(PREFIX)/share/doc/quintet/
	cp -R web $(DESTDIR)$(PREFIX)/share/quintet/
	chmod -R u=rwX,go=rX $(DESTDIR)$(PREFIX)/share/quintet/web

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/quintet-server $(DESTDIR)$(PREFIX)/bin/quintet-client
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(PREFIX)/share/man/man?/%,$(wildcard docs/man/*))
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/quintet $(DESTDIR)$(PREFIX)/share/quintet

dist:
	@mkdir -p dist
	git archive --prefix=quintet-$(VERSION)/ -o dist/quintet-$(VERSION).tar.gz HEAD
	@echo dist/quintet-$(VERSION).tar.gz

clean:
	rm -rf build server/server client/client dist

help:
	@echo "make run        install what is needed, build, start the server"
	@echo "make test       install what is needed, build, run every test"
	@echo "make test-faults   networks that are cut and healed (needs root)"
	@echo "make demo       a server and two clients: the whole thing in ten seconds"
	@echo "make all        build server/server and client/client"
	@echo "make deps       install the Debian packages, or print the one command"
	@echo "make lint       warnings of two compilers, format, include rules, checkers"
	@echo "make asan ubsan tsan   the tests under a sanitizer"
	@echo "make valgrind   the unit tests under memcheck"
	@echo "make fuzz       a smoke run of every fuzz target (FUZZ_SECONDS=10)"
	@echo "make bench      what the server costs, against what the work costs at least"
	@echo "make bench-peers   contacts and board against servers of their kind, which it installs"
	@echo "make coverage   which lines the tests run"
	@echo "make install uninstall dist format clean   as everywhere (PREFIX, DESTDIR)"

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
