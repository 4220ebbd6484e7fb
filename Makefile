# Alicerce. `make help` lists the targets.
#
#   make CC=clang WERROR=1        another compiler, warnings are errors
#   make SANITIZE=thread          a sanitizer; each has a build folder of its own
#   make CFLAGS=-Dx LDFLAGS=...   added to the flags; a change of flags rebuilds
#   make V=1                      shows each command whole
#
# Sources are found by wildcard: a new file in lib/, api/, worker/, sql/, tests/unit/ or tests/fuzz/
# needs no line here.
VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif

ASAN := address,undefined
SANITIZE ?=
ifeq ($(SANITIZE),)
BUILD ?= build
else ifeq ($(SANITIZE),$(ASAN))
BUILD ?= build/asan
else ifeq ($(SANITIZE),thread)
BUILD ?= build/tsan
else
BUILD ?= build/$(SANITIZE)
endif

LIB_PKGS    := libpq hiredis jansson libcrypto libmicrohttpd
API_PKGS    := libjwt libsodium libcurl
WORKER_PKGS := libcurl
PKGS        := $(sort $(LIB_PKGS) $(API_PKGS) $(WORKER_PKGS))

# What the compiler is and knows: -fcf-protection is x86's, LTO wants GNU ld's plugin of the same compiler.
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
IS_X86   := $(findstring x86,$(shell $(CC) -dumpmachine 2>/dev/null))

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
          -Wvla -Wformat=2 -Wundef $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection $(if $(IS_X86),-fcf-protection) -fPIE
LTO    := $(if $(IS_CLANG),,-flto=auto)
AR     := $(if $(IS_CLANG),ar,gcc-ar)
OPT    := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2 $(LTO) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SAN    := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -g $(OPT) $(SAN) $(WARN) $(HARDEN) -Ilib -I$(BUILD)/gen \
              -DALICERCE_VERSION='"$(VERSION)"' $(PKG_CFLAGS) -pthread $(CFLAGS)
ALL_LDFLAGS = $(OPT) $(SAN) -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(LDFLAGS)

LIB_SRC    := $(wildcard lib/*.c)
API_SRC    := $(wildcard api/*.c)
WORKER_SRC := $(wildcard worker/*.c)
UNIT_SRC   := $(wildcard tests/unit/*.c)
SQL_SRC    := $(sort $(wildcard sql/*.sql))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/gen/migrations.o
API_OBJ    := $(API_SRC:%.c=$(BUILD)/obj/%.o)
WORKER_OBJ := $(WORKER_SRC:%.c=$(BUILD)/obj/%.o)
# What unit tests and fuzz targets reach into: all but the two mains. Archives, because both programs
# have a loop.o and no test wants both.
INNER      := $(BUILD)/api.a $(BUILD)/worker.a $(BUILD)/lib.a
UNIT_OBJ   := $(UNIT_SRC:%.c=$(BUILD)/obj/%.o)

PROGRAMS := $(BUILD)/alicerce-api $(BUILD)/alicerce-worker
PYTHON   := python3 -B
SUPPORT  := tests/support
CORES    := $(shell nproc 2>/dev/null || echo 2)
Q        := $(if $(V),,@)
SAY       = $(if $(V),@:,@printf '  %-5s %s\n' $1 $2)

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

.PHONY: all
all: $(PROGRAMS) ## build both programs into build/

# --- compiling and linking

$(BUILD)/alicerce-api: $(API_OBJ) $(LIB_OBJ) $(BUILD)/gen/lists
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $$(pkg-config --libs $(LIB_PKGS) $(API_PKGS))

$(BUILD)/alicerce-worker: $(WORKER_OBJ) $(LIB_OBJ) $(BUILD)/gen/lists
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $$(pkg-config --libs $(LIB_PKGS) $(WORKER_PKGS))

$(BUILD)/unit: $(UNIT_OBJ) $(INNER) $(BUILD)/gen/lists
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $$(pkg-config --libs $(PKGS) check)

$(BUILD)/api.a: $(filter-out %/main.o,$(API_OBJ)) $(BUILD)/gen/lists
$(BUILD)/worker.a: $(filter-out %/main.o,$(WORKER_OBJ)) $(BUILD)/gen/lists
$(BUILD)/lib.a: $(LIB_OBJ) $(BUILD)/gen/lists
%.a:
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

# Tests name what they reach into by its room: "api/router.h". What lies in lib/ needs none.
$(BUILD)/obj/tests/%.o: private ALL_CFLAGS += -I.

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/flags
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The SQL files travel inside the programs, so that what is applied is what was built.
$(BUILD)/gen/migrations.c: $(SQL_SRC) sql/embed.sh $(BUILD)/gen/lists
	$(call SAY,SQL,$@)
	$(Q)sh sql/embed.sh $(SQL_SRC) > $@

$(BUILD)/obj/gen/migrations.o: $(BUILD)/gen/migrations.c $(BUILD)/gen/flags
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Every tests/unit/test_X.c has `Suite *suite_X(void)`; this list runs them all.
$(BUILD)/gen/suites.h: $(BUILD)/gen/lists
	$(Q)printf 'X(%s)\n' $(sort $(patsubst tests/unit/test_%.c,%,$(filter tests/unit/test_%,$(UNIT_SRC)))) > $@
$(BUILD)/obj/tests/unit/main.o: $(BUILD)/gen/suites.h

# Two texts that are rewritten only when they change: objects are made anew when flags or the
# compiler differ, programs when a source came or went. What is missing is named before all else.
$(BUILD)/gen/flags: export TEXT = $(shell $(CC) --version 2>/dev/null | head -n 1) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(BUILD)/gen/lists: export TEXT = $(SQL_SRC) $(LIB_SRC) $(API_SRC) $(WORKER_SRC) $(UNIT_SRC) $(ALL_LDFLAGS)
$(BUILD)/gen/flags $(BUILD)/gen/lists: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$TEXT" | cmp -s - $@ || printf '%s\n' "$$TEXT" > $@
$(BUILD)/gen/flags: | need-build

.PHONY: FORCE need-build need-test
FORCE:
need-build:
	@CC="$(CC)" sh $(SUPPORT)/deps.sh check build
need-test:
	@CC="$(CC)" sh $(SUPPORT)/deps.sh check build test
$(UNIT_OBJ): | need-test

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- running it here

.PHONY: deps
deps: ## install what building, running and testing need (apt-get as root or by sudo), or name it
	@sh $(SUPPORT)/deps.sh install build run web test

.PHONY: run dev status stop demo meta-demo
run: ## start PostgreSQL, Redis, API, worker and nginx with the page, all private, under .run/; Ctrl-C stops them
	@sh $(SUPPORT)/deps.sh install build run web
	@$(MAKE) all
	@exec $(PYTHON) $(SUPPORT)/stack.py run

dev: ## as run, and rebuild and restart whenever a source file is saved
	@sh $(SUPPORT)/deps.sh install build run web
	@exec $(PYTHON) $(SUPPORT)/stack.py dev

FORMAT ?= text
status: ## where it runs (FORMAT=text, env or json)
	@$(PYTHON) $(SUPPORT)/stack.py status --format $(FORMAT)

stop: ## stop what `make run` or `make dev` started
	@$(PYTHON) $(SUPPORT)/stack.py stop

demo: ## send the running stack some posts, counts and deliveries, and show what arrived
	@$(PYTHON) $(SUPPORT)/demo.py

meta-demo: ## send the running stack a minute of what Meta sends, and show what became of it (SECONDS=60)
	@$(PYTHON) $(SUPPORT)/meta_demo.py

# --- the page

.PHONY: web web-check web-test screens
web: ## build the page (web/) into build/web/page, if it changed
	@sh $(SUPPORT)/deps.sh install web
	@sh web/build.sh
web-check: web ## the page: lock file, types, eslint, unit tests, size of the first load
	@cd web && npm run -s lock-check && npm run -s typecheck && npm run -s lint && npm run -s unit && npm run -s size
web-test: web-check all ## the page in Chromium against the real stack (WEB="--only posts")
	@sh $(SUPPORT)/deps.sh install run browser
	@$(PYTHON) tests/web/run.py $(WEB)
screens: ## docs/screens anew, from the pictures that web-test left in build/screens
	@sh web/scripts/screens.sh

# --- in containers

.PHONY: env deploy image-size compose-test
env: ## make .env for docker compose, with secrets of its own (SECRETS=files keeps them in files)
	@SECRETS="$(SECRETS)" sh docker/env.sh

deploy: ## replace the running backends one by one, without losing a request (BUILD=no: no build before)
	@sh docker/deploy.sh

image-size: ## what is in the backend image, file by file, and the sum
	@sh docker/image-size.sh $(or $(IMAGE),alicerce-backend:$(VERSION))

compose-test: ## the stack in containers, on a Docker engine of its own (root; COMPOSE_TEST="--only scale")
	@$(PYTHON) tests/compose/run.py $(COMPOSE_TEST)

.PHONY: musl musl-image
musl: ## build against musl and run the unit tests so; makes its libraries first, a few minutes, once
	@sh $(SUPPORT)/deps.sh install build musl
	@sh tests/musl/run.sh
musl-image: ## how large the backend image is on Alpine, from libraries built as Alpine builds them (root; ALPINE=minirootfs)
	@sh $(SUPPORT)/deps.sh install build musl run
	@sh tests/musl/image.sh $(ALPINE)

# --- tests

.PHONY: test
test: ## run every test: unit, sql, flow, fault, chaos, fuzz corpus, race detector; installs what is missing
	@sh $(SUPPORT)/deps.sh install build run web test
	@$(PYTHON) tests/all.py

.PHONY: unit
unit: ## run the unit tests, with ASan and UBSan
	@sh $(SUPPORT)/deps.sh install build test
	@$(MAKE) SANITIZE=$(or $(SANITIZE),$(ASAN)) unit-here
.PHONY: unit-here
unit-here: $(BUILD)/unit
	$(BUILD)/unit

.PHONY: flow fault
flow: ## run the flow tests: every route over real servers (TESTS="--only posts")
	@sh $(SUPPORT)/deps.sh install build run web test
	@$(MAKE) asan
	@$(PYTHON) tests/run.py flow --bin build/asan $(TESTS)
fault: ## run the fault tests: kill and freeze each process in turn
	@sh $(SUPPORT)/deps.sh install build run web test
	@$(MAKE) asan
	@$(PYTHON) tests/run.py fault --bin build/asan $(TESTS)

# The long form is by hand: make chaos N=100000 FAULTS=100 (tests/chaos/README.md).
N      ?= 2000
FAULTS ?= 12
CHAOS_OPTIONS = --deliveries $(N) --faults $(FAULTS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)') \
                $(if $(RATE),--rate $(RATE)) $(if $(PROCESSES),--processes $(PROCESSES)) --report build/chaos/report.json
.PHONY: chaos chaos-proof
chaos: all ## send N=2000 deliveries under FAULTS=12 random faults (SEED=), look for each one afterwards
	@$(PYTHON) tests/chaos/chaos.py $(CHAOS_OPTIONS) $(CHAOS)
chaos-proof: all ## plant four bugs in turn; chaos has to report the loss or the doubling
	@$(PYTHON) tests/chaos/proof.py $(PLANTS)

.PHONY: asan tsan
asan: ## build with address and undefined-behaviour sanitizers into build/asan
	@$(MAKE) SANITIZE=$(ASAN) all build/asan/unit
tsan: ## build with the thread sanitizer into build/tsan
	@$(MAKE) SANITIZE=thread all

# A fuzz target is tests/fuzz/fuzz_X.c with LLVMFuzzerTestOneInput, its corpus tests/fuzz/corpus/X/.
# clang's libFuzzer explores; with any compiler, replay.c runs the corpus as a regression test.
FUZZ_SECONDS ?= 20
FUZZ_LINK = $(INNER) $$(pkg-config --libs $(PKGS))
$(BUILD)/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(INNER)
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(FUZZ_LINK)
$(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(INNER)
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(FUZZ_LINK)

.PHONY: fuzz fuzz-corpus fuzz-here replay-here
fuzz: ## let clang's fuzzer explore each target for FUZZ_SECONDS=20
	@sh $(SUPPORT)/deps.sh check build fuzz
	@$(MAKE) CC=clang SANITIZE=$(ASAN) BUILD=build/fuzz CFLAGS=-fsanitize=fuzzer-no-link fuzz-here
fuzz-here: $(FUZZ_NAMES:%=$(BUILD)/fuzz_%)
	@for name in $(FUZZ_NAMES); do mkdir -p $(BUILD)/corpus/$$name && echo "  FUZZ  $$name" && \
	    { $(BUILD)/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=5 -artifact_prefix=$(BUILD)/ \
	        $(BUILD)/corpus/$$name tests/fuzz/corpus/$$name >$(BUILD)/fuzz_$$name.log 2>&1 || \
	      { tail -n 40 $(BUILD)/fuzz_$$name.log; exit 1; }; } && \
	    grep '^Done' $(BUILD)/fuzz_$$name.log || exit 1; done
fuzz-corpus: ## run the fuzz targets over their corpus, with ASan and UBSan
	@$(MAKE) SANITIZE=$(ASAN) replay-here
replay-here: $(FUZZ_NAMES:%=$(BUILD)/replay_%)
	@for name in $(FUZZ_NAMES); do $(BUILD)/replay_$$name tests/fuzz/corpus/$$name || exit 1; done

.PHONY: bench
bench: ## measure every route beside nginx, pgbench and redis-benchmark (BENCH="--conns 64 ...")
	@sh $(SUPPORT)/deps.sh install build run bench
	@$(MAKE) all
	@exec $(PYTHON) bench/bench.py $(BENCH)

.PHONY: bench-drain
bench-drain: ## measure how fast the worker empties the queue (BENCH="--deliveries 1000000")
	@sh $(SUPPORT)/deps.sh install build run
	@$(MAKE) all
	@exec $(PYTHON) bench/drain.py $(BENCH)

.PHONY: bench-flood bench-auth bench-listeners bench-growth
bench-flood bench-auth bench-growth: need-wrk
.PHONY: need-wrk
need-wrk:
	@sh $(SUPPORT)/deps.sh install build run bench
bench-flood: all ## do 10,000 wrong sign-ins slow other users down? (BENCH="--logins 1000")
	@exec $(PYTHON) bench/flood.py $(BENCH)
bench-auth: ## what a token adds to the CPU time of a GET
	@$(MAKE) BUILD=build/bench-auth CFLAGS=-DBENCH_TOKEN_OPTIONAL build/bench-auth/alicerce-api
	@exec $(PYTHON) bench/auth.py $(BENCH)
bench-listeners: all ## what 1,000 listeners of live events cost in memory (BENCH="--listeners 5000")
	@exec $(PYTHON) bench/listeners.py $(BENCH)
bench-growth: all ## what a request costs with a thousand posts and with a million (BENCH="--requests 3000000")
	@exec $(PYTHON) bench/growth.py $(BENCH)

# --- installing

.PHONY: install
install: all ## install programs, man pages, units and docs (PREFIX=/usr/local DESTDIR=)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/alicerce
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 README.md LICENSE $(wildcard docs/*.md docs/*.yaml) $(DESTDIR)$(PREFIX)/share/doc/alicerce
	for unit in docs/systemd/*.service; do \
	    sed 's|@PREFIX@|$(PREFIX)|' $$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} && \
	    chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; done

# --- upkeep

C_DIRS   := api lib worker tests/unit tests/fuzz bench
C_FILES  := $(wildcard $(C_DIRS:%=%/*.c))
H_FILES  := $(wildcard $(C_DIRS:%=%/*.h))
CLANGDB  := CC=clang SANITIZE= BUILD=build/clang

.PHONY: format
format: ## lay out all C files with clang-format
	clang-format -i $(C_FILES) $(H_FILES)

.PHONY: compdb
compdb: compile_commands.json ## write compile_commands.json for clangd
compile_commands.json: FORCE
	@$(MAKE) $(CLANGDB) build/clang/gen/suites.h build/clang/gen/migrations.c
	@$(MAKE) -nB V=1 $(CLANGDB) all build/clang/unit | $(PYTHON) $(SUPPORT)/compdb.py > $@

.PHONY: lint lint-format lint-headers lint-cppcheck lint-tidy
lint: ## clang-format, headers that compile alone, cppcheck, clang-tidy: no finding allowed
	@CC="$(CC)" sh $(SUPPORT)/deps.sh check build test lint
	@$(MAKE) lint-format
	@$(MAKE) lint-headers
	@$(MAKE) lint-cppcheck
	@$(MAKE) lint-tidy
lint-format:
	clang-format --dry-run -Werror $(C_FILES) $(H_FILES)
lint-headers: $(BUILD)/gen/flags
	@echo "  each of $(words $(H_FILES)) headers alone"
	$(Q)for h in $(H_FILES); do $(CC) $(ALL_CFLAGS) -I. -Werror -fsyntax-only -x c $$h || exit 1; done
lint-cppcheck:
	cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
	    --error-exitcode=1 -j$(CORES) -Ilib -I. -D_GNU_SOURCE lib api worker
lint-tidy: compile_commands.json
	printf '%s\n' $(C_FILES) | xargs -P$(CORES) -n4 clang-tidy --quiet -p .

.PHONY: readme readme-check
readme: all ## rewrite what README and man pages have from --help
	@$(PYTHON) $(SUPPORT)/documents.py write
readme-check: all ## README and man pages say what --help says
	@$(PYTHON) $(SUPPORT)/documents.py check

.PHONY: clean
clean: ## remove what was built (.run/ with its data stays)
	rm -rf build compile_commands.json

.PHONY: help
help: ## print this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | sort | expand -t 15
