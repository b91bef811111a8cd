# Every target is one line that calls the real tools; the first thing all but the last two do is scripts/setup.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/sightline/target
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: run test test-camera demo bench soak package ci types icons
.DEFAULT_GOAL := run

run: ; @scripts/run
test: ; @scripts/test
test-camera: ; @scripts/test-camera
demo: ; @scripts/demo
bench: ; @scripts/bench
soak: ; @scripts/soak
package: ; @scripts/package
ci: ; @scripts/ci
types: ; UPDATE_TYPES=1 cargo test -q -p sightline-wire
icons: ; @node scripts/icons.mjs
