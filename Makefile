# Alicerce. `make help` lists the targets.
BUILD    ?= build
CC       ?= gcc
SANITIZE ?=
VERSION  := 0.1.0

LIB_PKGS := libpq hiredis jansson libcrypto
API_PKGS := libmicrohttpd
PKGS     := $(LIB_PKGS) $(API_PKGS)

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
          -Wvla -Wformat=2 -Wundef $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
OPT    := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2 -flto=auto -D_FORTIFY_SOURCE=3)
SAN    := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
CFLAGS ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -g $(OPT) $(SAN) $(WARN) $(HARDEN) -Ilib -I$(BUILD)/gen \
             -DALICERCE_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
ALL_LDFLAGS = $(OPT) $(SAN) -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS)

LIB_SRC    := $(wildcard lib/*.c)
API_SRC    := $(wildcard api/*.c)
WORKER_SRC := $(wildcard worker/*.c)
UNIT_SRC   := $(wildcard tests/unit/*.c)
LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/gen/migrations.o
API_OBJ    := $(API_SRC:%.c=$(BUILD)/obj/%.o)
WORKER_OBJ := $(WORKER_SRC:%.c=$(BUILD)/obj/%.o)
UNIT_OBJ   := $(UNIT_SRC:%.c=$(BUILD)/obj/%.o)

.PHONY: all
all: $(BUILD)/alicerce-api $(BUILD)/alicerce-worker ## build both programs

$(BUILD)/alicerce-api: $(API_OBJ) $(LIB_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $$(pkg-config --libs $(PKGS))

$(BUILD)/alicerce-worker: $(WORKER_OBJ) $(LIB_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $$(pkg-config --libs $(LIB_PKGS))

$(BUILD)/unit: $(UNIT_OBJ) $(LIB_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $$(pkg-config --libs $(LIB_PKGS) check)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The SQL files travel inside the programs, so that what is applied is what was built.
$(BUILD)/gen/migrations.c: $(wildcard sql/*.sql) sql/embed.sh
	@mkdir -p $(@D)
	sh sql/embed.sh sql/*.sql > $@

$(BUILD)/obj/gen/migrations.o: $(BUILD)/gen/migrations.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Every tests/unit/test_X.c has `Suite *suite_X(void)`; this list runs them all.
$(BUILD)/gen/suites.h: $(UNIT_SRC)
	@mkdir -p $(@D)
	ls tests/unit | sed -n 's/^test_\(.*\)\.c$$/X(\1)/p' > $@
$(BUILD)/obj/tests/unit/main.o: $(BUILD)/gen/suites.h

.PHONY: unit
unit: $(BUILD)/unit ## run the unit tests
	$(BUILD)/unit

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/	/' | sort

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
