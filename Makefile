# SPDX-License-Identifier: MIT
#
# make			the static and the shared library, and weft.pc
# make deps		get what is missing to build and test (DEPS=no: never)
# make demo		build and run the examples
# make test		build and run all tests
# make models		check the protocols under it all, by Spin
# make differential	random programs, in weft and in Go
# make soak		all of this with fresh seeds: SOAK=seconds (3600)
# make bench		measure beside the peers; bench-{net,growth,cost}: more
# make install		into $(DESTDIR)$(prefix); make uninstall takes it out
# make dist		weft-VERSION.tar.gz in the build folder
# SANITIZE=address,undefined, SANITIZE=thread, CHAOS=1, FAULT=1, CHECK=1 and
# UCONTEXT=1 build and test another variant, in a folder of its own.

prefix ?= /usr/local
includedir ?= $(prefix)/include
libdir ?= $(prefix)/lib
CFLAGS ?= -O2 -g
LDLIBS ?= -lm
comma := ,

MODES := $(foreach m,CHAOS FAULT CHECK UCONTEXT,$(if $($m),$m))
VARIANT := $(strip $(subst $(comma), ,$(SANITIZE)) $(MODES))
BUILD ?= build$(if $(VARIANT),/$(subst $() $(),-,$(VARIANT)))

VERSION := $(shell awk -F'"' '/WF_VERSION "/ {print $$2}' include/weft/base.h)
SONAME := libweft.so.$(firstword $(subst ., ,$(VERSION)))
SHARED := libweft.so.$(VERSION)
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer \
  -fno-sanitize-recover=all)
ATOMIC_OPS = $(shell pkg-config --cflags atomic_ops 2>/dev/null)
USER_CC = $(CC) -MMD -MP -std=gnu11 -pthread -Wall -Wextra -Wpedantic \
  -Iinclude $(SAN) $(CPPFLAGS) $(CFLAGS)
WEFT_CC = $(USER_CC) -fvisibility=hidden $(MODES:%=-DWEFT_%) $(ATOMIC_OPS)
LINK = $(CC) -pthread $(SAN) $(CFLAGS) $(LDFLAGS)

PARTS := weft.c.o arch/switch.S.o
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard test/*.c))
SCRIPTS := $(wildcard test/*.sh)
EXAMPLES := $(patsubst %/,$(BUILD)/%,$(wildcard examples/*/))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard $1/*.c)))

all: $(BUILD)/libweft.a $(BUILD)/$(SHARED) $(BUILD)/weft.pc

# All is built again when compiler or flags change; make install takes what is
# there.
GOALS := $(or $(MAKECMDGOALS),all)
FOLDERS := obj/lib/arch pic/lib/arch obj/test test examples obj/bench/weft bench
$(BUILD)/flags: $(if $(filter-out install uninstall,$(GOALS)),FORCE) | need
	@mkdir -p $(FOLDERS:%=$(BUILD)/%) $(EXAMPLES:$(BUILD)/%=$(BUILD)/obj/%)
	@set '$(WEFT_CC) $(LINK)'; echo "$$1" | cmp -s - $@ || echo "$$1" >$@

$(BUILD)/obj/lib/%.o: lib/% $(BUILD)/flags
	$(WEFT_CC) -c -o $@ $<
$(BUILD)/pic/lib/%.o: lib/% $(BUILD)/flags
	$(WEFT_CC) -fPIC -c -o $@ $<
$(BUILD)/obj/test/%.o: test/%.c $(BUILD)/flags
	$(WEFT_CC) -iquote lib -c -o $@ $<
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(USER_CC) -c -o $@ $<

$(BUILD)/libweft.a: $(PARTS:%=$(BUILD)/obj/lib/%)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/$(SHARED): $(PARTS:%=$(BUILD)/pic/lib/%) lib/weft.map
	$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,-Bsymbolic-functions \
	  -Wl,--version-script=lib/weft.map -o $@ $(filter %.o,$^)
	ln -sf $(SHARED) $(@D)/$(SONAME) && ln -sf $(SONAME) $(@D)/libweft.so
$(BUILD)/weft.pc: pkgconfig/weft.pc.in $(BUILD)/flags FORCE
	@sed -e 's|@prefix@|$(prefix)|; s|@version@|$(VERSION)|' \
	  -e 's|@libdir@|$(patsubst $(prefix)/%,$${prefix}/%,$(libdir))|' \
	  -e 's|@includedir@|$(includedir:$(prefix)/%=$${prefix}/%)|' $< >$@

.SECONDEXPANSION:
$(TESTS): $(BUILD)/test/%: $(BUILD)/obj/test/%.o
$(EXAMPLES): $(BUILD)/%: $$(call objects,$$*)
$(BUILD)/bench/weft-bench: $(call objects,bench/weft)
$(BUILD)/examples/background_worker: LDLIBS += -lsqlite3
$(BUILD)/examples/http_server: LDLIBS += -lcjson
# What other examples need, in the words of pkg-config.
needs_glib_fetch := glib-2.0
needs_lua_host := $(or $(LUA),lua5.4)
asked = $(if $(needs_$2),$(shell pkg-config $1 $(needs_$2)))
$(EXAMPLES): LDLIBS += $(call asked,--libs,$(@F))
$(BUILD)/obj/examples/%: override CPPFLAGS += \
  $(call asked,--cflags,$(notdir $(@D)))
$(TESTS) $(EXAMPLES) $(BUILD)/bench/weft-bench: $(BUILD)/libweft.a
	$(LINK) -o $@ $(filter %.o,$^) $(BUILD)/libweft.a $(LDLIBS)

# What is missing is installed by deps, demo, test and bench, else only named.
GETS := $(filter deps demo test bench%,$(GOALS))
deps need:
	@DEPS='$(if $(GETS),$(DEPS),no)' CC='$(CC)' CXX='$(CXX)' \
	  sh .ci/deps.sh lib $(if $(filter deps demo test,$(GETS)),examples) \
	  $(if $(filter deps test,$(GETS)),test)

demo: $(EXAMPLES)
	@EXAMPLES='$(BUILD)/examples' sh examples/demo.sh
tests: $(TESTS)
test: $(TESTS) $(EXAMPLES)
	@BUILD='$(BUILD)' EXAMPLES='$(BUILD)/examples' CC='$(CC)' CXX='$(CXX)' \
	  SANITIZE='$(SANITIZE)' prove -e '' $(PROVEFLAGS) $(TESTS) $(SCRIPTS)
bench: bench-run
bench-%: $(BUILD)/bench/weft-bench
	BUILD='$(BUILD)' sh bench/$*.sh

differential: all
models differential soak:
	@BUILD='$(BUILD)' CC='$(CC)' PROVEFLAGS='$(PROVEFLAGS)' test/$@/run.sh

install: all
	install -d $(DESTDIR)$(includedir)/weft $(DESTDIR)$(libdir)/pkgconfig
	install -m 644 include/weft.h $(DESTDIR)$(includedir)
	install -m 644 include/weft/*.h $(DESTDIR)$(includedir)/weft
	install -m 644 $(BUILD)/libweft.a $(DESTDIR)$(libdir)
	install -m 755 $(BUILD)/$(SHARED) $(DESTDIR)$(libdir)
	cp -fP $(BUILD)/$(SONAME) $(BUILD)/libweft.so $(DESTDIR)$(libdir)
	install -m 644 $(BUILD)/weft.pc $(DESTDIR)$(libdir)/pkgconfig
	@[ '$(DESTDIR)' ] || ldconfig 2>/dev/null || :	# so that ld.so knows it
uninstall:
	cd $(DESTDIR)$(includedir) && rm -rf weft weft.h
	cd $(DESTDIR)$(libdir) && rm -f libweft.* pkgconfig/weft.pc
clean:; rm -rf $(BUILD)
DIST := weft-$(VERSION)
dist:
	@mkdir -p $(BUILD)
	if [ -e .git ]; then \
	  git archive --prefix=$(DIST)/ -o $(BUILD)/$(DIST).tar.gz HEAD; else \
	  ln -sfn $(CURDIR) $(BUILD)/$(DIST) && tar -C $(BUILD) -chzf \
	    $(BUILD)/$(DIST).tar.gz --exclude='$(DIST)/build*' $(DIST); fi

.PHONY: all deps need demo tests test models differential soak bench install \
  uninstall clean dist FORCE
FORCE:
.DELETE_ON_ERROR:
-include $(foreach d,obj pic,$(wildcard $(BUILD)/$d/*/*.d $(BUILD)/$d/*/*/*.d))
