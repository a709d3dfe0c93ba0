# make run, make test: each installs what is missing, builds, and does it.  Everything else is below.

SWIFT         ?= swift
PREFIX        ?= /usr
DESTDIR       ?=
# no: give up address randomisation of begat-listener for the last per cents of speed.
LISTENER_PIE  ?= yes

BUILD         = .build
RELEASE       = $(BUILD)/release
PROGRAMS      = $(RELEASE)/begatd $(RELEASE)/begat-listener $(RELEASE)/begat
# The C library of a static PIE refuses to start with a run path, hence --disable-local-rpath.
# A section for each function lets the linker put those together that run for each connection.
BUILD_FLAGS   = -c release --static-swift-stdlib --disable-local-rpath -Xswiftc -Xfrontend -Xswiftc -function-sections
ifneq ($(LISTENER_PIE),no)
export BEGAT_LISTENER = pie
endif

# Any of one|other will do.
BUILD_PACKAGES = libsystemd-dev 'libcurl4-openssl-dev|libcurl4-gnutls-dev' 'pkg-config|pkgconf'
# Programs that the tests run.  None of them brings a service (make check asks).
TEST_PACKAGES  = expect fortunes-min fortune-mod procps iproute2 gcc libc6-dev python3 git bc perl util-linux zsh fish libcurl4 openssl
# Servers, and what conflicts with another package: unpacked for the tests, never installed.
PEER_PACKAGES  = netcat-openbsd telnet socat rdate rsync xinetd stunnel4 mandoc systemd
PEERS          = $(CURDIR)/$(BUILD)/peers

all: build

deps:
	@./.ci/install-packages $(BUILD_PACKAGES)

test-deps:
	@./.ci/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@./.ci/unpack-peers $(PEERS) $(PEER_PACKAGES)

build: deps
	for program in begatd begat-listener begat; do $(SWIFT) build $(BUILD_FLAGS) --product $$program || exit 1; done

run: build
	@exec $(RELEASE)/begatd

# Unit tests, then the programs just built, by real clients: those wait for one another, and would hold up the others.
# At last a package that knows the library as others do.
test: test-deps build
	$(SWIFT) build --build-tests $(TEST_FLAGS)
	$(RUN_TESTS) --skip EndToEndTests
	$(RUN_TESTS) --filter EndToEndTests
	$(SWIFT) run --package-path Tests/Consumer --scratch-path $(BUILD)/consumer

RUN_TESTS = SWIFT_BACKTRACE=enable=no BEGAT_PROGRAMS=$(CURDIR)/$(RELEASE) BEGAT_PEERS=$(PEERS) \
  $(SWIFT) test --skip-build $(TEST_FLAGS)
TEST_FLAGS = --disable-local-rpath

# The library's documentation, for a web server.  A link that leads nowhere is an error; not every parameter is worth a
# line of its own.
docs: deps
	$(SWIFT) package --disable-local-rpath --allow-writing-to-directory $(BUILD)/docs generate-documentation \
	  --target UnixIPC --transform-for-static-hosting --output-path $(BUILD)/docs > $(BUILD)/docs.log 2>&1 \
	  || { cat $(BUILD)/docs.log; exit 1; }
	@if grep -A3 "doesn't exist at\|would override\|ambiguous" $(BUILD)/docs.log; then exit 1; fi
	@echo "python3 -m http.server --directory $(BUILD)/docs 8000, then http://localhost:8000/documentation/unixipc"

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Snippets Benchmarks/spawn

# What CI asks besides the tests: nothing to format, documentation without a dead link, and a build from nothing without
# a warning.
check: deps docs
	@.ci/check-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Snippets Benchmarks/spawn
	rm -rf $(BUILD)-check
	$(SWIFT) build $(BUILD_FLAGS) --scratch-path $(BUILD)-check > $(BUILD)/check.log 2>&1 || { cat $(BUILD)/check.log; exit 1; }
	@if grep 'warning:' $(BUILD)/check.log; then echo "the build has warnings"; exit 1; fi
	rm -rf $(BUILD)-check

install: $(PROGRAMS)
	install -D -m 755 $(RELEASE)/begatd $(DESTDIR)$(PREFIX)/sbin/begatd
	install -D -m 755 $(RELEASE)/begat-listener $(DESTDIR)$(PREFIX)/sbin/begat-listener
	install -D -m 755 $(RELEASE)/begat $(DESTDIR)$(PREFIX)/bin/begat
	# An administrator's file stays.
	[ -e $(DESTDIR)/etc/begat/begatd.toml ] || install -D -m 644 etc/begatd.toml $(DESTDIR)/etc/begat/begatd.toml
	install -D -m 644 man/begat.1 $(DESTDIR)$(PREFIX)/share/man/man1/begat.1
	install -D -m 644 man/begatd.8 $(DESTDIR)$(PREFIX)/share/man/man8/begatd.8
	install -D -m 644 man/begat-listener.8 $(DESTDIR)$(PREFIX)/share/man/man8/begat-listener.8
	for program in begat begatd; do \
	  $(RELEASE)/$$program --generate-completion-script bash > $(BUILD)/completion && \
	  install -D -m 644 $(BUILD)/completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program && \
	  $(RELEASE)/$$program --generate-completion-script zsh > $(BUILD)/completion && \
	  install -D -m 644 $(BUILD)/completion $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_$$program && \
	  $(RELEASE)/$$program --generate-completion-script fish > $(BUILD)/completion && \
	  install -D -m 644 $(BUILD)/completion $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish \
	    || exit 1; \
	done
	install -d $(DESTDIR)/lib/systemd/system
	for unit in systemd/*.service systemd/*.socket; do \
	  sed 's|/usr/sbin/|$(PREFIX)/sbin/|' $$unit > $(DESTDIR)/lib/systemd/system/$${unit##*/}; \
	done

$(PROGRAMS):
	$(MAKE) build

clean:
	rm -rf $(BUILD) .build-*

.PHONY: all deps test-deps build run test docs format check install clean
