# abgleich: make, make test, make demo. See CONTRIBUTING.md.
CC ?= gcc
CXX ?= g++
B ?= build
PKGS = libcurl sqlite3 libxml-2.0 libuv jansson libsodium icu-i18n icu-uc zlib libmicrohttpd libcrypto
WARN = -Wall -Wextra -Wshadow -Wformat=2 -Werror
OPT ?= -O2 -D_FORTIFY_SOURCE=2
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS += -std=gnu11 -g $(OPT) $(HARDEN) $(WARN) -Wstrict-prototypes -Wmissing-prototypes -pthread
CXXFLAGS += -std=gnu++17 -g $(OPT) $(HARDEN) $(WARN) -pthread
LDFLAGS += -pie -Wl,-z,relro,-z,now -pthread
LDLIBS = -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpsl -linih -lphonenumber -lresolv -lstdc++ -lm
# Process start counts: a run that finds nothing to do has 10 ms of CPU. Loading ICU, libphonenumber, protobuf and their C++
# libraries dynamically costs 5 ms of it, so the program has these linked in; curl (TLS updates matter there) stays shared.
ABSL = $(patsubst lib%.a,-l%,$(notdir $(wildcard /usr/lib/*/libabsl_*.a)))
LDLIBS_PROGRAM = -Wl,--as-needed -Wl,-Bstatic -Wl,--start-group -lphonenumber -lprotobuf $(ABSL) -licui18n -licuuc -licudata \
	-lstdc++ -lxml2 -llzma -lz -lsqlite3 -lsodium -ljansson -luv_a -linih -Wl,--end-group -Wl,-Bdynamic -lcurl -lcrypto -lpsl -lmicrohttpd -lresolv \
	-lm -ldl

DIRS = base mapping connectors state core server cli
SRC = $(filter-out cli/main.c,$(wildcard $(DIRS:%=%/*.c)))
CXXSRC = $(wildcard mapping/*.cc)
OBJ := $(SRC:%.c=$(B)/%.o) $(CXXSRC:%.cc=$(B)/%.o)
LIB = $(B)/libabgleich.a
TESTSRC = $(wildcard tests/unit/*.c tests/property/*.c)
TESTS = $(TESTSRC:%.c=$(B)/%)
SIM = $(B)/tests/sim/abgleich-sim
SIMOBJ = $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))
MAIN = $(wildcard cli/main.c)
BIN = $(if $(MAIN),$(B)/abgleich)

.PHONY: all deps debug suite unit test demo bench sim soak mutants fuzz fuzz-programs format lint coverage clean
all: $(BIN) $(LIB)

$(LIB): $(OBJ)
	@rm -f $@; ar rcs $@ $^
$(B)/abgleich: $(B)/cli/main.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS_PROGRAM)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) -lcriterion $(LDLIBS)
$(B)/tests/property/%: $(B)/tests/property/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) -lcriterion $(LDLIBS)
# The simulator has a registry of its own, so its objects come before the library.
$(SIM): $(SIMOBJ) $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(SIMOBJ) $(LIB) $(LDLIBS)

include po/po.mk

deps:
	@tests/deps.sh

# With the address and undefined-behaviour sanitizers: the program, or anything else by TARGET.
debug:
	$(MAKE) B=build-debug OPT="-O1 -fsanitize=address,undefined -fno-omit-frame-pointer" HARDEN= \
		LDFLAGS="-pie -pthread -fsanitize=address,undefined" $(if $(TARGET),build-debug/$(TARGET),all)

# The whole suite; `make unit` is the quick part of it.
test: deps
	$(MAKE) -j$$(nproc) fuzz-programs
	$(MAKE) -j$$(nproc) suite
suite: $(TESTS) $(SIM) all
	@/usr/bin/python3 tests/run.py $(TESTS)
unit: $(TESTS)
	@/usr/bin/python3 tests/run.py --only $(TESTS)

# Shows it all on a real server, in a scratch folder.
demo:
	@tests/deps.sh --no-npm
	@$(MAKE) -j$$(nproc) all >/dev/null
	@/usr/bin/python3 tests/demo/demo.py $(B)/abgleich

# One seed, told in full: make sim SEED=4711. Many: make sim SEEDS=100000
SEED ?= 1
SEEDS ?= 1
sim: $(SIM)
	$(SIM) --first $(SEED) --seeds $(SEEDS) $(if $(filter 1,$(SEEDS)),-v)

bench: all
	@/usr/bin/python3 tests/bench/bench.py
	@/usr/bin/python3 tests/bench/directory.py
	@/usr/bin/python3 tests/bench/dav.py
	@/usr/bin/python3 tests/bench/siege.py

# An hour of virtual time with many accounts: memory and files flat, no write after convergence. `make test` has a short form.
ACCOUNTS ?= 1000
soak: $(SIM)
	$(SIM) --soak $(ACCOUNTS)

# Faults planted one by one, each of which some test must catch; about half an hour. Some only: make mutants MUTANTS="lock-shared".
SEEDS_OF_MUTANTS ?= 2000
mutants: all
	@/usr/bin/python3 tests/mutants/mutants.py --seeds $(SEEDS_OF_MUTANTS) $(MUTANTS)

# libFuzzer: make fuzz (10 s a target), make fuzz SECONDS=3600. Findings stay in build-fuzz/.
SECONDS ?= 10
FUZZ = $(patsubst tests/fuzz/%.c,build-fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
# Nothing of cli/ is fuzzed, and lines are all that a report needs: less to compile.
fuzz-programs:
	$(MAKE) B=build-fuzz CC=clang CXX=clang++ HARDEN= DIRS="base mapping connectors state core server" \
		OPT="-O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" $(FUZZ)
build-fuzz/fuzz_%: build-fuzz/tests/fuzz/fuzz_%.o $(LIB)
	$(CXX) -O1 -g -pthread -fsanitize=fuzzer,address,undefined -o $@ $< $(LIB) $(LDLIBS)
fuzz: fuzz-programs
	@tests/fuzz.sh $(SECONDS) $(FUZZ)

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cc')
lint: all
	cppcheck --quiet --enable=warning,portability --inline-suppr --error-exitcode=1 -I. -D_GNU_SOURCE --library=tests/cppcheck.cfg $(DIRS)
	clang-tidy --quiet $(SRC) -- $(CPPFLAGS) -std=gnu11
coverage:
	$(MAKE) B=build-coverage OPT="-O0 --coverage" HARDEN= unit
	gcovr -r . build-coverage --exclude tests

clean:
	rm -rf build build-debug build-coverage build-fuzz

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:
