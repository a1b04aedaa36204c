# Every target works from a clean clone: `setup` installs what is missing.
SHELL := /bin/bash
SWIFT_FILES := Package.swift Sources Tests Examples/Package.swift Examples/Sources Examples/Tests \
	Benchmarks/Package.swift Benchmarks/Sources

.PHONY: help setup demo simulate test crash-test share embed bench lint docs sanitize clean

help:
	@printf '%s\n' \
		'make demo      the example gateway against a fleet that breaks: a table, and a page with a picture' \
		'make simulate  fleets that fail under virtual time: tables, and drawings in out/; a million schedules' \
		'make test      all tests, all traits, the examples, and a consumer of one module' \
		'make crash-test  a ledger is killed at 500 random moments, a queue of jobs at 200, and nothing is lost' \
		'make embed     a folder goes through an embedding endpoint, is killed, and goes on where it was' \
		'make share     processes share a limit through a server that is killed and restarted' \
		'make bench     the hot path beside the limits of this machine; writes Benchmarks/results.tsv' \
		'make lint      format and documentation' \
		'make docs      DocC pages in .build/docs, warnings as errors' \
		'make sanitize  thread and address sanitizers' \
		'make clean     removes what the others built'

setup:
	@bash dev/setup.sh

demo: setup
	@bash Examples/demo.sh

simulate: setup
	swift build -c release --package-path Examples --product FleetSimulation
	@mkdir -p out
	Examples/.build/release/FleetSimulation redundancy --seeds 100 --drawing out/redundancy.svg
	Examples/.build/release/FleetSimulation retry-storm --seeds 100 --drawing out/retry-storm.svg
	Examples/.build/release/FleetSimulation hedging --seeds 20 --drawing out/hedging.svg
	Examples/.build/release/FleetSimulation nesting --drawing out/nesting.svg
	Examples/.build/release/FleetSimulation fairness --drawing out/fairness.svg
	Examples/.build/release/FleetSimulation spending --drawing out/spending.svg
	Examples/.build/release/FleetSimulation quota --drawing out/quota.svg
	Examples/.build/release/FleetSimulation overshoot --drawing out/overshoot.svg
	Examples/.build/release/FleetSimulation ladder --drawing out/ladder.svg
	Examples/.build/release/FleetSimulation routing --drawing out/routing.svg
	Examples/.build/release/FleetSimulation overload --drawing out/overload.svg
	Examples/.build/release/FleetSimulation canary --seeds 2000 --drawing out/canary.svg
	Examples/.build/release/FleetSimulation schedules --seeds 1000000 --drawing out/schedules.svg
	@echo 'simulate: drawings are in out/'

test: setup
	@echo 'test: the package, all traits (1 of 3): what talks to a server by itself, because the simulations take all cores'
	swift test --enable-all-traits --skip 'SpillwayHTTPClientTests|SpillwayValkeyTests'
	swift test --enable-all-traits --filter 'SpillwayHTTPClientTests|SpillwayValkeyTests'
	@echo 'test: the examples (2 of 3): the gateway and the simulations by themselves, because they take all cores'
	swift test --package-path Examples --skip FleetSimulationTests --skip GatewayTests
	@bash dev/python.sh
	swift test --package-path Examples --filter GatewayTests --skip PythonClientTests
	swift test --package-path Examples --filter PythonClientTests
	swift test --package-path Examples --filter FleetSimulationTests
	@echo 'test: a consumer of one module (3 of 3)'
	bash dev/consumer.sh

ROUNDS ?= 500
JOB_ROUNDS ?= 200
crash-test: setup
	swift build -c release --package-path Examples --product LedgerCrash
	swift build -c release --package-path Examples --product JobCrash
	Examples/.build/release/LedgerCrash --rounds $(ROUNDS)
	Examples/.build/release/JobCrash --rounds $(JOB_ROUNDS)

share: setup
	swift build -c release --package-path Examples --product SharedLimitFleet
	Examples/.build/release/SharedLimitFleet rate
	Examples/.build/release/SharedLimitFleet rate --fallback 0.1
	Examples/.build/release/SharedLimitFleet money

embed: setup
	@bash Examples/embed.sh

bench: setup
	swift build -c release --package-path Benchmarks --product Report
	Benchmarks/.build/release/Report Benchmarks/results.tsv

lint:
	swift format lint --strict --recursive $(SWIFT_FILES)
	@bash dev/lint.sh

docs: setup
	bash dev/docs.sh

sanitize: setup
	swift test --sanitize=thread --scratch-path .build/thread-sanitizer
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build/address-sanitizer

clean:
	rm -rf .build Examples/.build Benchmarks/.build out
