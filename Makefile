# make run, make test: each installs what is missing, builds, and does it.  make help lists the rest.

SWIFT         ?= swift
PREFIX        ?= /usr
DESTDIR       ?=
# no: give up address randomisation of begat-listener for the last per cents of speed.
LISTENER_PIE  ?= yes
# Takes the symbols out of the installed programs; empty: keep them.
STRIP         ?= strip

SBINDIR       ?= $(PREFIX)/sbin
BINDIR        ?= $(PREFIX)/bin
MANDIR        ?= $(PREFIX)/share/man
DOCDIR        ?= $(PREFIX)/share/doc/begat
SYSCONFDIR    ?= /etc
# Below the prefix, never /lib: a package with a real /lib would replace that link of today's systems by a directory.
UNITDIR       ?= $(PREFIX)/lib/systemd/system
# Units of users' own service managers.
USERUNITDIR   ?= $(PREFIX)/lib/systemd/user
SYSUSERSDIR   ?= $(PREFIX)/lib/sysusers.d
# journalctl -x explains messages with files of this directory.
CATALOGDIR    ?= $(PREFIX)/lib/systemd/catalog
BASHDIR       ?= $(PREFIX)/share/bash-completion/completions
FISHDIR       ?= $(PREFIX)/share/fish/vendor_completions.d
# zsh reads different directories for the system's packages and for what is built by hand.
ZSHDIR        ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

BUILD         = .build
RELEASE       = $(BUILD)/release
PROGRAMS      = $(RELEASE)/begatd $(RELEASE)/begat-listener $(RELEASE)/begat
# Newer than every source that is in the programs.
BUILT         = $(RELEASE)/.built
SOURCES       = Package.swift $(shell find Sources UnixIPC/Sources -type f) UnixIPC/Package.swift
# The C library of a static PIE refuses to start with a run path, hence --disable-local-rpath.
# A section for each function lets the linker put those together that run for each connection.
# A table of jumps for a switch lies among the constants, on a page that a connection process would need for that alone.
BUILD_FLAGS   = -c release --static-swift-stdlib --disable-local-rpath -Xswiftc -Xfrontend -Xswiftc -function-sections \
  -Xswiftc -Xllvm -Xswiftc -min-jump-table-entries=1000
# The tools leave directories behind where they find room for temporary files; here make clean removes them.
SWIFT_HERE    = env TMPDIR=$(CURDIR)/$(BUILD)/tmp $(SWIFT)
ifneq ($(LISTENER_PIE),no)
export BEGAT_LISTENER = pie
endif

# Any of one|other will do.
BUILD_PACKAGES = libseccomp-dev 'libcurl4-openssl-dev|libcurl4-gnutls-dev' 'pkg-config|pkgconf'
# Programs that the tests run.  None of them brings a service (make check asks).
TEST_PACKAGES  = expect fortunes-min fortune-mod procps iproute2 gcc libc6-dev python3 git bc perl util-linux zsh fish libcurl4 openssl
# Servers, and what conflicts with another package: unpacked for the tests, never installed.
PEER_PACKAGES  = netcat-openbsd telnet socat rdate rsync xinetd stunnel4 mandoc systemd fail2ban tmux prometheus logrotate \
                 atftpd atftp fingerd finger haproxy nginx libnginx-mod-stream
PEERS          = $(CURDIR)/$(BUILD)/peers
# Programs of the next Debian release, for checking units and exported configurations.
NEWER_PACKAGES = systemd haproxy
NEWER          = $(CURDIR)/$(BUILD)/newer

all: build

#: build     build the programs in .build/release
build: deps
	@mkdir -p $(BUILD)/tmp
	for program in begatd begat-listener begat; do $(SWIFT_HERE) build $(BUILD_FLAGS) --product $$program || exit 1; done
	@touch $(BUILT)

#: run       build, then start begatd in the foreground; no root needed
run: build
	@STATE_DIRECTORY=$(CURDIR)/$(BUILD)/state exec $(RELEASE)/begatd

deps:
	@./.ci/install-packages $(BUILD_PACKAGES)

test-deps:
	@./.ci/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@./.ci/unpack-peers $(PEERS) $(PEER_PACKAGES)

# The library's tests, the programs' unit tests, then the programs just built, by real clients: those wait for one another, and would hold up the others.
# At last a package that knows the library as others do.
#: test      build, then run all tests; ends in a summary
test: test-deps
	@rm -rf $(BUILD)/logs $(BUILD)/tmp
	@.ci/stage build $(MAKE) --no-print-directory build
	@.ci/stage build-tests $(SWIFT_HERE) build --build-tests $(TEST_FLAGS)
	@.ci/stage build-library-tests $(SWIFT_HERE) build --build-tests $(LIBRARY) $(TEST_FLAGS)
	@.ci/stage library-tests $(RUN_TESTS) $(LIBRARY)
	@.ci/stage unit-tests $(RUN_TESTS) --skip EndToEndTests
	@.ci/stage end-to-end-tests $(RUN_TESTS) --filter EndToEndTests
	@.ci/stage command-sweep Tests/Sweep/run $(RELEASE)
	@.ci/stage consumer $(SWIFT_HERE) run --package-path UnixIPC/Tests/Consumer --scratch-path $(BUILD)/consumer
	@.ci/summary

# Few tests wait at the same time.  The time limit of a test counts from when it could start, not from when it does: 30
# minutes are more than a whole run takes.
RUN_TESTS = env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 SWIFT_BACKTRACE=enable=no BEGAT_PROGRAMS=$(CURDIR)/$(RELEASE) BEGAT_PEERS=$(PEERS) \
  $(SWIFT_HERE) test --skip-build $(TEST_FLAGS)
TEST_FLAGS = --disable-local-rpath
# The library is a package of its own, and knows nothing of this one.
LIBRARY    = --package-path UnixIPC --scratch-path $(BUILD)/library

# Packages that make a machine of their own, unpacked beside the project like the peers.
MACHINE_PACKAGES = systemd systemd-sysv systemd-container systemd-userdbd dbus libpam-systemd iproute2
MACHINE = $(BUILD)/machine

# A real systemd boots in a container directory; needs root.
#: test-systemd  boot a systemd of its own with the programs installed, and test them there
test-systemd: $(BUILT)
	@./.ci/install-packages $(TEST_PACKAGES)
	@./.ci/unpack-peers $(CURDIR)/$(MACHINE)/peers $(MACHINE_PACKAGES)
	@rm -rf $(MACHINE)/tree $(MACHINE)/place
	@$(MAKE) --no-print-directory -s install DESTDIR=$(CURDIR)/$(MACHINE)/tree PREFIX=/usr
	@Tests/Systemd/run $(MACHINE)/tree $(MACHINE)/peers $(MACHINE)/place $(CASES)

# Networks of its own, with three machines behind HAProxy and nginx; needs root.
#: test-balancer  put balancers in front of three machines in networks of their own, and test begat there
test-balancer: $(BUILT)
	@./.ci/install-packages $(TEST_PACKAGES)
	@./.ci/unpack-peers $(PEERS) $(PEER_PACKAGES)
	@rm -rf $(BUILD)/balancer
	@Tests/Balancer/run $(RELEASE) $(PEERS) $(BUILD)/balancer $(CASES)

#: nightly   the tests, then what takes too long for every change (Tests/Nightly)
nightly: test
	@for script in Tests/Nightly/*; do \
	  [ -x $$script ] || continue; \
	  SWIFT='$(SWIFT)' BEGAT_PROGRAMS=$(CURDIR)/$(RELEASE) BEGAT_PEERS=$(PEERS) .ci/stage nightly-$${script##*/} $$script || exit 1; \
	done

# Servers that begat is compared with, unpacked beside the project like the peers of the tests.  Two of them conflict with
# each other, and Debian 12 lacks s6-networking.
BENCH_PACKAGES = xinetd ucspi-tcp s6 socat ncat systemd \
  $(shell apt-cache show s6-networking > /dev/null 2>&1 && echo s6-networking)
BENCH_OPTIONS  = $(PARTS) $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
  $(if $(HELD),--held $(HELD))

#: bench     measure begat and other servers, and write Benchmarks/RESULTS.md; QUICK=yes: only see that all of it runs
bench: $(BUILT)
	@./.ci/install-packages $(TEST_PACKAGES)
	@./.ci/unpack-peers $(CURDIR)/$(BUILD)/bench/peers $(BENCH_PACKAGES)
	@./.ci/unpack-peers $(CURDIR)/$(BUILD)/bench/inetd openbsd-inetd
	@Benchmarks/run $(BENCH_OPTIONS)

# The library's documentation, for a web server.  A link that leads nowhere is an error.
#: docs      build the library's documentation in .build/docs
docs: deps
	@mkdir -p $(BUILD)/tmp
	@env TMPDIR=$(CURDIR)/$(BUILD)/tmp SWIFT=$(SWIFT) UnixIPC/Scripts/build-documentation $(CURDIR)/$(BUILD)/docs $(CURDIR)/$(BUILD)/docs-build
	@UnixIPC/Scripts/check-documentation $(BUILD)/docs-build/graphs/all
	@echo "python3 -m http.server --directory $(BUILD)/docs 8000, then http://localhost:8000/documentation/unixipc"

#: format    format all Swift sources
format:
	$(SWIFT) format --in-place --recursive $(FORMATTED)

FORMATTED = Package.swift Sources Tests Benchmarks/spawn $(addprefix UnixIPC/,Package.swift Sources Tests Snippets)

#: release-library  split the library off, with its history, as a repository in .build/UnixIPC
release-library:
	rm -rf $(BUILD)/UnixIPC
	UnixIPC/Scripts/split-off $(CURDIR)/$(BUILD)/UnixIPC

#: api-check  say what programs written for the library of the commit BASE would miss today
api-check:
	@env SWIFT=$(SWIFT) UnixIPC/Scripts/check-api $(or $(BASE),$(shell git describe --tags --abbrev=0 --match 'library-*' 2> /dev/null || echo HEAD~1))


# The annotated configuration and begatd.toml(5) are made from the keys in Sources/Settings.
#: references  write etc/begatd.toml and man/begatd.toml.5 anew from the keys
references:
	$(SWIFT_HERE) run --disable-local-rpath write-references .

# CI checks this besides the tests: nothing to format, documentation without a dead link, packages that harm nothing, a
# build from nothing without a warning, in which every hot function is where the linker looks for it, an installation
# that leaves nothing behind, and units without a fault.
#: check     the other checks of CI: format, documentation, warnings, installation, units
check: deps
	@mkdir -p $(BUILD)/tmp
	@.ci/stage format-check $(SWIFT) format lint --strict --recursive $(FORMATTED)
	@.ci/check-imports . $(SWIFT)
	@.ci/check-imports UnixIPC $(SWIFT)
	@.ci/check-stage
	@.ci/check-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@.ci/stage documentation $(MAKE) --no-print-directory docs
	@rm -rf $(BUILD)-check
	@.ci/stage build-from-nothing $(SWIFT_HERE) build $(BUILD_FLAGS) --explicit-target-dependency-import-check error --scratch-path $(BUILD)-check
	@if grep 'warning:' $(BUILD)/logs/build-from-nothing.log; then echo "the build has warnings"; exit 1; fi
	@.ci/check-hot-functions $(BUILD)-check/release/begat-listener
	@.ci/check-install $(CURDIR)/$(BUILD)-check/release
	@.ci/stage newer-programs .ci/unpack-newer $(NEWER) $(NEWER_PACKAGES) || \
	  echo "units and exported configurations are checked by this release's programs alone"
	@.ci/check-units $(CURDIR)/$(BUILD)-check/release $(PEERS) $(NEWER)
	@.ci/check-export $(CURDIR)/$(BUILD)-check/release $(PEERS) $(NEWER)
	@rm -rf $(BUILD)-check

PAGES     = $(notdir $(wildcard man/*.[1-8]))
# Drop-ins of units lie in folders named after these.
UNITS     = $(patsubst systemd/%,%,$(wildcard systemd/*.service systemd/*.socket systemd/*.timer systemd/*.service.d/*.conf))
USERUNITS = $(notdir $(wildcard systemd/user/*))
DOCUMENTS = README.md CHANGELOG.md SECURITY.md LICENSE docs/metrics.md docs/scale.md docs/security.md docs/systemd.md etc/begatd.toml
# For the administrator to copy, in the folders below /etc where they belong.
EXAMPLES  = fail2ban/action.d/begat.conf prometheus/begat-alerts.yml grafana/begat-dashboard.json logrotate.d/begat
DROPINS   = $(patsubst systemd/examples/%,%,$(wildcard systemd/examples/*.d/*.conf))
SHELLS    = begat begatd
page_path = $(MANDIR)/man$(subst .,,$(suffix $1))/$1

# Every file that is installed but the administrator's configuration.
INSTALLED = $(SBINDIR)/begatd $(SBINDIR)/begat-listener $(BINDIR)/begat $(foreach page,$(PAGES),$(call page_path,$(page))) \
  $(foreach shell,$(SHELLS),$(BASHDIR)/$(shell) $(ZSHDIR)/_$(shell) $(FISHDIR)/$(shell).fish) \
  $(addprefix $(UNITDIR)/,$(UNITS)) $(addprefix $(USERUNITDIR)/,$(USERUNITS)) $(SYSUSERSDIR)/begat.conf \
  $(addprefix $(DOCDIR)/,$(notdir $(DOCUMENTS))) \
  $(addprefix $(DOCDIR)/examples/,$(EXAMPLES)) $(addprefix $(DOCDIR)/examples/systemd/,$(DROPINS)) \
  $(CATALOGDIR)/begat.catalog
PROGRAM = install -D -m 755 $(if $(STRIP),--strip --strip-program=$(STRIP))
FILE    = install -D -m 644
# Units name the programs and the documents by their paths.
PATHS   = s|/usr/sbin/|$(SBINDIR)/|g; s|/usr/bin/|$(BINDIR)/|g; s|/usr/share/doc/begat|$(DOCDIR)|g

# Builds only if a source is newer than the programs: `make && sudo make install` builds nothing as root.
#: install   put programs, manual pages, completions and units below DESTDIR and PREFIX
install: $(BUILT)
	$(PROGRAM) $(RELEASE)/begatd '$(DESTDIR)$(SBINDIR)/begatd'
	$(PROGRAM) $(RELEASE)/begat-listener '$(DESTDIR)$(SBINDIR)/begat-listener'
	$(PROGRAM) $(RELEASE)/begat '$(DESTDIR)$(BINDIR)/begat'
	# An administrator's file stays.
	[ -e '$(DESTDIR)$(SYSCONFDIR)/begat/begatd.toml' ] || \
	  $(FILE) etc/begatd.toml '$(DESTDIR)$(SYSCONFDIR)/begat/begatd.toml'
	$(foreach page,$(PAGES),$(FILE) man/$(page) '$(DESTDIR)$(call page_path,$(page))' &&) true
	$(foreach file,$(DOCUMENTS),$(FILE) $(file) '$(DESTDIR)$(DOCDIR)/$(notdir $(file))' &&) true
	$(foreach file,$(EXAMPLES),$(FILE) etc/$(file) '$(DESTDIR)$(DOCDIR)/examples/$(file)' &&) true
	completion=$$(mktemp) && trap 'rm -f "$$completion"' EXIT && \
	for program in $(SHELLS); do \
	  $(RELEASE)/$$program --generate-completion-script bash > $$completion && \
	  $(FILE) $$completion "$(DESTDIR)$(BASHDIR)/$$program" && \
	  $(RELEASE)/$$program --generate-completion-script zsh > $$completion && \
	  $(FILE) $$completion "$(DESTDIR)$(ZSHDIR)/_$$program" && \
	  $(RELEASE)/$$program --generate-completion-script fish > $$completion && \
	  $(FILE) $$completion "$(DESTDIR)$(FISHDIR)/$$program.fish" || exit 1; \
	done
	$(FILE) systemd/begat.catalog '$(DESTDIR)$(CATALOGDIR)/begat.catalog'
	$(FILE) systemd/begat.sysusers '$(DESTDIR)$(SYSUSERSDIR)/begat.conf'
	unit=$$(mktemp) && trap 'rm -f "$$unit"' EXIT && \
	put() { sed '$(PATHS)' "systemd/$$1" > $$unit && $(FILE) $$unit "$(DESTDIR)$$2"; } && \
	{ for name in $(UNITS); do put $$name "$(UNITDIR)/$$name" || exit 1; done; \
	  for name in $(USERUNITS); do put user/$$name "$(USERUNITDIR)/$$name" || exit 1; done; \
	  for name in $(DROPINS); do put examples/$$name "$(DOCDIR)/examples/systemd/$$name" || exit 1; done; }

#: uninstall remove what install put there; the configuration in /etc stays
uninstall:
	$(foreach file,$(INSTALLED),rm -f '$(DESTDIR)$(file)' &&) true
	-[ ! -d '$(DESTDIR)$(DOCDIR)' ] || find '$(DESTDIR)$(DOCDIR)' -depth -type d -empty -delete
	-[ ! -d '$(DESTDIR)$(UNITDIR)' ] || find '$(DESTDIR)$(UNITDIR)' -type d -name 'begat*.d' -empty -delete

list-installed:
	@$(foreach file,$(INSTALLED),echo '$(file)' &&) true

$(BUILT): $(SOURCES)
	$(MAKE) build

VERSION = $(shell sed -n 's/.*text = "\([0-9][^"]*\)".*/\1/p' $$(grep -rl 'enum BegatVersion' Sources))

#: dist      pack the committed sources as begat-VERSION.tar.gz
dist:
	git archive --format=tar.gz --prefix=begat-$(VERSION)/ -o begat-$(VERSION).tar.gz HEAD
	@echo begat-$(VERSION).tar.gz

#: clean     remove what was built
clean:
	rm -rf $(BUILD) .build-*

#: help      this list
help:
	@sed -n 's/^#: /make /p' Makefile

.PHONY: all deps test-deps build run test test-systemd test-balancer nightly bench docs format references release-library api-check check install uninstall list-installed dist clean help
