# A front for Meson and Ninja. make deps|visit|test|check|bench|grid|behaviours|tcp-requirements|requirements|attacks|sabotage|install|clean
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
NINJA = ninja -C $(BUILD)

.PHONY: all deps deps-build visit test check bench grid behaviours tcp-requirements requirements attacks sabotage install clean fuzz asan
all: $(BUILD)/build.ninja
	@$(NINJA)

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dbuildtype=release -Db_ndebug=false >$(BUILD).log 2>&1 || { cat $(BUILD).log >&2; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

# what is missing of Debian's packages
deps:
	@tools/deps all
deps-build:
	@tools/deps build

visit: deps-build
	@$(MAKE) --no-print-directory all
	$(BUILD)/culver visit http://www.server.com/ --out $(BUILD)/visit

test: deps
	@$(MAKE) --no-print-directory all
	@test -e $(BUILD)/.has-tests || { meson setup --reconfigure $(BUILD) >/dev/null && touch $(BUILD)/.has-tests; }
	@$(NINJA)
	@meson test -C $(BUILD) --print-errorlogs --no-suite slow
	@tests/run-all $(BUILD)/culver .

# the house rules, sanitizers, a minute of fuzzing for each parser
FUZZ_SECONDS ?= 60
check: test
	@tools/check-all $(BUILD)
	@tools/check-valgrind $(BUILD)
	@$(MAKE) --no-print-directory asan fuzz
asan: deps
	@test -e $(BUILD)-asan/build.ninja || meson setup $(BUILD)-asan -Dbuildtype=debug -Db_sanitize=address,undefined >/dev/null
	@ninja -C $(BUILD)-asan
	@meson test -C $(BUILD)-asan --print-errorlogs --no-suite slow -t 4
fuzz: deps
	@tools/fuzz $(FUZZ_SECONDS)

bench: deps
	@$(MAKE) --no-print-directory all
	$(BUILD)/culver bench

# 18,000 lossy transfers in virtual time: 180 cells, GRID_SEEDS each, on all cores; GRID='--cc bbr' and the like (tools/grid --help)
GRID_SEEDS ?= 100
GRID ?=
grid: deps
	@$(MAKE) --no-print-directory all
	@test -e $(BUILD)/.has-tests || { meson setup --reconfigure $(BUILD) >/dev/null && touch $(BUILD)/.has-tests; }
	@$(NINJA) tests/unit/tcp/test_tcp_grid >/dev/null
	@tools/grid $(BUILD) --seeds $(GRID_SEEDS) $(GRID)

# each row of docs/behaviours.md, and the test that shows it
behaviours: deps
	@$(MAKE) --no-print-directory all
	@test -e $(BUILD)/.has-tests || { meson setup --reconfigure $(BUILD) >/dev/null && touch $(BUILD)/.has-tests; }
	@$(NINJA) >/dev/null
	@tools/behaviours $(BUILD)

# each numbered requirement of RFC 9293; those of hosts, routers and NAT; each attack: and the test that shows it
tcp-requirements requirements attacks: deps
	@$(MAKE) --no-print-directory all
	@test -e $(BUILD)/.has-tests || { meson setup --reconfigure $(BUILD) >/dev/null && touch $(BUILD)/.has-tests; }
	@$(NINJA) >/dev/null
	@tools/requirements $(if $(filter attacks,$@),attacks,$(if $(filter requirements,$@),hosts,tcp)) $(BUILD)

# each patch of tests/sabotage breaks one mechanism in a copy of the tree: the tests that it names must notice
sabotage: deps
	@tools/sabotage --scratch $(BUILD)-sabotage

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-sabotage
