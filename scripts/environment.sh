# What ./check, ./demo and scripts/lock stand on: a Python environment that equals the lock file, and a browser.
#
# Sourced from the top folder, with `set -euo pipefail`. Needs bash, python3 (3.11 or newer) and the package
# registries; what else is missing it installs when it runs as root on Debian, and names otherwise. It does nothing
# when nothing changed. Begin at `ensure_python_packages` and `ensure_chromium`.

PYTHON=.venv/bin/python
BUILDER=(hatchling editables packaging pathspec pluggy tomlkit trove-classifiers)
QUIET_S=2       # a step says nothing of its time before this
REPEAT_S=5      # and then again every so often

say() { printf '%s\n' "$*" >&2; }

stop() {
    say "$*"
    exit 1
}

# run_step WORDS COMMAND…: run it, show the time while it lasts, show its output only when it fails.
run_step() {
    local words=$1 output started waited shown=0 status=0
    shift
    output=$(mktemp)
    started=$SECONDS
    "$@" >"$output" 2>&1 &
    local child=$!
    trap 'kill "$child" 2>/dev/null; exit 130' INT TERM
    while kill -0 "$child" 2>/dev/null; do
        waited=$((SECONDS - started))
        if ((waited >= QUIET_S && waited >= shown + REPEAT_S)) || ((shown == 0 && waited >= QUIET_S)); then
            say "  … $words ($waited s)"
            shown=$waited
        fi
        sleep 0.2
    done
    wait "$child" || status=$?
    trap - INT TERM
    if ((status != 0)); then
        cat "$output" >&2
        rm -f "$output"
        stop "Could not finish this step: $words (exit code $status, output above)."
    fi
    rm -f "$output"
    say "  $words: done in $((SECONDS - started)) s"
}

install_from_debian() {
    local package=$1 what_for=$2
    if ! command -v apt-get >/dev/null; then
        stop "$what_for is missing and this is not Debian: install it ($package on Debian), then run this again."
    fi
    if [[ $(id -u) != 0 ]]; then
        stop "$what_for is missing: run 'apt-get install --no-install-recommends $package' as root, then this again."
    fi
    run_step "reading Debian's package lists" apt-get update -q
    run_step "installing $package" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$package"
}

system_python() {
    command -v python3 >/dev/null || install_from_debian python3 "Python"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "Python 3.11 or newer is needed; python3 is $(python3 -V 2>&1)."
}

make_environment() {
    system_python
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_from_debian python3-venv "Python's venv module"
    run_step "making .venv" python3 -m venv --clear .venv
}

# Single requirements out of requirements/dev.txt, hashes included, whatever platform markers they carry.
install_pinned() {
    local pinned name status=0
    pinned=$(mktemp)
    for name in "$@"; do
        awk -v begin="$name==" 'index($0, begin) == 1 { inside = 1 } inside { print } inside && !/\\$/ { exit }' \
            requirements/dev.txt >>"$pinned"
    done
    "$PYTHON" -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r "$pinned" || status=$?
    rm -f "$pinned"
    return "$status"
}

install_locked() {
    .venv/bin/uv pip install -q --python "$PYTHON" --require-hashes -r "requirements/$1.txt"
}

# Gatepost itself, as it stands in this folder. hatchling builds it, from the lock and not from the network.
install_ourselves() {
    .venv/bin/uv pip install -q --python "$PYTHON" --no-deps --no-build-isolation --no-index -e .
}

# ensure_python_packages edge|cloud|dev|uv: .venv holds what that lock file says. `dev` is all of the others and more.
ensure_python_packages() {
    local wanted=$1 stamp=.venv/.gatepost-$1 state lock
    exec {lock}<scripts/environment.sh # two commands at once: the second waits for the first
    if command -v flock >/dev/null && ! flock -n "$lock"; then
        say "  … another ./check or ./demo is preparing .venv, waiting for it"
        flock "$lock"
    fi
    state=$(sha256sum pyproject.toml requirements/*.txt scripts/environment.sh | sha256sum)
    if ! "$PYTHON" -c '' 2>/dev/null; then
        say "Preparing the Python environment in .venv"
        make_environment
    fi
    if [[ $wanted != uv && -f .venv/.gatepost-dev ]]; then
        stamp=.venv/.gatepost-dev wanted=dev
    fi
    if [[ $(cat "$stamp" 2>/dev/null) != "$state" ]]; then
        install_wanted "$wanted"
        printf '%s\n' "$state" >"$stamp"
    fi
    exec {lock}<&-
}

install_wanted() {
    "$PYTHON" -c 'import uv' 2>/dev/null || run_step "installing uv" install_pinned uv
    [[ $1 != uv ]] || return 0
    run_step "installing the packages of requirements/$1.txt" install_locked "$1"
    [[ $1 == dev ]] || run_step "installing the builder" install_pinned "${BUILDER[@]}"
    run_step "installing Gatepost from this folder" install_ourselves
}

chromium_path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# The program inside the playwright package that talks to the browser.
driver() { "$(echo .venv/lib/python3*/site-packages/playwright/driver/node)" "$@"; }

driver_runs() { driver --version >/dev/null 2>&1; }

ensure_socat() {
    command -v socat >/dev/null || install_from_debian socat "socat (for the tests of serial lines)"
}

# A broker for the tests of MQTT; they start their own.
ensure_mosquitto() {
    [[ -x /usr/sbin/mosquitto ]] || install_from_debian mosquitto "mosquitto (for the tests of MQTT)"
}

# Chromium and what drives it. After `ensure_python_packages dev`.
ensure_chromium() {
    chromium_path >/dev/null || install_from_debian chromium "Chromium (for the browser tests)"
    chromium_path >/dev/null || stop "Chromium was installed and still cannot be found."
    driver_runs || install_from_debian libatomic1 "A library of the browser's driver"
    driver_runs || stop "The browser's driver does not run: $(driver --version 2>&1 | head -n 1)"
}
