# Each target does its own set-up; the first one takes a minute and is kept in the cache (packaging/setup/venv.py).
.POSIX:
.PHONY: help run exe packages wheel test check bench lock clean distclean

VENV = packaging/setup/venv
ENV = env PYTHONPATH=src

help:
	@echo "make run        show a real update on this machine: gateway, DNS server, client; leaves nothing running"
	@echo "make exe        ddns.exe for Windows, built here, into build/windows-amd64"
	@echo "make packages   zip, MSI and bill of materials of it, into build/packages; signed when DDNS_SIGN_... is set"
	@echo "make wheel      wheel and sdist, into build/wheel"
	@echo "make test       every check and every test"
	@echo "make check      the checks only: format, lint, types, import directions"
	@echo "make bench      whole runs side by side with other clients"
	@echo "make lock       pin the newest allowed packages in packaging/locks"
	@echo "make clean      remove what was built here"
	@echo "make distclean  remove the cache as well"

run:
	@venv=$$($(VENV) gateway) && $(ENV) "$$venv/bin/python" -m ddns demo $(ARGS)

exe:
	@venv=$$($(VENV) dev) && $(ENV):packaging "$$venv/bin/python" -m windows.build $(ARGS)

packages:
	@venv=$$($(VENV) dev) && $(ENV):packaging "$$venv/bin/python" -m packages $(ARGS)

wheel:
	@venv=$$($(VENV) dev) && "$$venv/bin/python" -m hatchling build -d build/wheel

check:
	@venv=$$($(VENV) dev) && PATH="$$venv/bin:$$PATH" $(ENV) packaging/setup/check

test: check
	@venv=$$($(VENV) dev) && PATH="$$venv/bin:$$PATH" $(ENV) packaging/setup/test $(ARGS)

bench:
	@venv=$$($(VENV) dev) && $(ENV):tests:packaging "$$venv/bin/python" -m bench $(ARGS)

lock:
	@venv=$$($(VENV) lock) && PATH="$$venv/bin:$$PATH" packaging/setup/lock

clean:
	rm -rf build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf "$${DDNS_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/ddns-fleet}"
