#!/usr/bin/env bash
# The only script a newcomer needs: builds, tests and shows harepd. `./build.sh help` lists the verbs.
# Progress goes to standard error, results to standard output; a long step's own output goes to a log that is shown when it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly out=$PWD/out
readonly logs=$out/logs
# The native compiler calls the C compiler to link.
readonly build_packages=(procps util-linux gcc libc6-dev)

# The PostgreSQL that is there, or the one of this Debian (or Ubuntu) release.
postgres_major() {
    local installed
    installed=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/postgres' 2>/dev/null | cut -d/ -f5 | sort -n | tail -n 1)
    case ${installed:-$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")} in
        trixie) echo 17 ;;
        noble) echo 16 ;;
        [0-9]*) echo "$installed" ;;
        *) echo 15 ;;
    esac
}

readonly server_packages=("postgresql-$(postgres_major)" "postgresql-$(postgres_major)-repmgr" repmgr haproxy socat openssl)
readonly test_packages=(pgbouncer python3-grpcio python3-grpc-tools iproute2 nftables stress-ng)

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# Build nodes that stay behind would outlive a machine's test run; a developer's machine keeps them for speed.
if [ "${CI:-}" = true ]; then
    export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
fi

say() { printf '%s\n' "$*" >&2; }
die() {
    say "build.sh: $*"
    exit 1
}

usage() {
    cat <<'TEXT'
usage: ./build.sh [verb] [options]

  (none)            build the daemon to out/harepd
  test [filter]     build everything and run every test, real servers included; ends with "N passed, N failed"
  demo [options]    the main job on this machine: primary, standby, witness, HAProxy, three daemons, a writer that never stops
      --check         without a terminal: one JSON object a line on standard output, exit 0 only if all went as it must
      --rounds N      how many times both phases are run (default 1)
  sim [options]     the simulator over many seeds
      --seeds N       how many seeds (default 2000)
      --seed S        replay one seed
      --minutes M     go on for so long, from a seed that differs each time
  bench [options]   benchmarks: core, and steering on real servers beside its floor (bench --help)
  fmt [--check]     lay out the sources as .editorconfig says; --check only looks
  help              this text

As root, a verb installs what it lacks from Debian's packages; otherwise it says what to install.
TEXT
}

# ---- steps: one line each, the elapsed time while they run, their log when they fail --------------------------------

# step NAME LOG COMMAND...: runs COMMAND with its output in LOG. A counter may be shown by setting step_count to a function of the log.
step_count=
step() {
    local name=$1 log=$2 begun=$SECONDS status=0 pid shown=0
    shift 2
    mkdir -p "$(dirname "$log")"
    # In a process group of its own, so that an interrupt ends all of it; without the locks, which a build node would keep for ever.
    set -m
    "$@" >"$log" 2>&1 </dev/null 8>&- 9>&- &
    pid=$!
    set +m
    trap 'kill -TERM -- "-$pid" 2>/dev/null; wait "$pid"; exit 130' INT TERM HUP
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if [ -t 2 ]; then
            printf '\r  %s … %ds%s ' "$name" $((SECONDS - begun)) "${step_count:+$($step_count "$log")}" >&2
        elif [ $((SECONDS - begun)) -ge $((shown + 30)) ]; then
            shown=$((SECONDS - begun))
            say "  $name … ${shown}s${step_count:+$($step_count "$log")}"
        fi
    done
    wait "$pid" || status=$?
    trap - INT TERM HUP
    [ -t 2 ] && printf '\r\033[K' >&2
    if [ "$status" -eq 0 ]; then
        say "  $name: done, $((SECONDS - begun))s${step_count:+$($step_count "$log")}"
    else
        say "  $name: FAILED (exit $status) after $((SECONDS - begun))s; the end of $log:"
        tail -n "${step_tail:-60}" "$log" >&2
    fi
    return "$status"
}

# ---- what the machine must have --------------------------------------------------------------------------------------

needs_dotnet() {
    if ! command -v dotnet >/dev/null; then
        die "the .NET SDK 10 is missing: install dotnet-sdk-10.0 from https://dotnet.microsoft.com/download/dotnet/10.0"
    fi
    dotnet --version >/dev/null 2>&1 || die "this .NET SDK is too old for global.json: $(dotnet --list-sdks | tr '\n' ' '); install dotnet-sdk-10.0"
}

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    done
}

# needs PACKAGE...: installs what is lacking, as root; tells what to install otherwise.
needs() {
    local missing
    command -v dpkg-query >/dev/null || { say "  not a Debian system: assuming that these are there: $*"; return 0; }
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    set -- $missing
    if [ "$(id -u)" -ne 0 ]; then
        die "please install first: sudo apt-get install --no-install-recommends $* (or run this as root, which does it)"
    fi
    # Two runs on one machine take turns; the second finds everything there.
    exec 8>/var/lock/harepd-build-packages.lock
    flock 8
    missing=$(missing_packages "$@")
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        step "installing ${missing% }" "$logs/packages.log" install_packages $missing || die "the packages could not be installed"
    fi
    flock -u 8
}

# Runs in a subshell of `step`, so its traps are its own. No service is started and no cluster is made by the installation:
# the tests start their own servers in their own folders.
install_packages() {
    local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.conf
    local apt=(apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold)
    export DEBIAN_FRONTEND=noninteractive
    made_policy= kept_clusters=
    put_back() {
        [ -z "$made_policy" ] || rm -f "$policy"
        [ -z "$kept_clusters" ] || mv -f "$kept_clusters" "$clusters"
    }
    trap put_back EXIT
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made_policy=yes
    fi
    apt-get -q update
    case " $* " in
        *" postgresql-"*)
            "${apt[@]}" install postgresql-common
            if [ -f "$clusters" ]; then
                kept_clusters=$clusters.harepd-build
                cp -p "$clusters" "$kept_clusters"
                printf '\ncreate_main_cluster = false\n' >>"$clusters"
            fi
            ;;
    esac
    "${apt[@]}" install "$@"
}

needs_for_test() {
    local packages=("${build_packages[@]}" "${server_packages[@]}" "${test_packages[@]}")
    # The unit files are checked by systemd-analyze; a container without systemd gets the package but never runs it.
    command -v systemd-analyze >/dev/null || packages+=(systemd)
    needs "${packages[@]}"
}

# ---- verbs -----------------------------------------------------------------------------------------------------------

# One build at a time in one working copy; other copies are not concerned.
lock_build() {
    mkdir -p "$out"
    exec 9>"$out/.lock"
    flock -n 9 || { say "  waiting for another build in this folder"; flock 9; }
}

unlock_build() { flock -u 9; }

# The daemon as native code, one file: out/harepd (ADR 0012). Compiling while it decides is what would make a promotion and a restart slow, so where the
# native compiler cannot be had it is compiled ahead as far as that goes, or else published as it is; the log says which, and out/lib holds what it needs.
# HAREPD_PUBLISH=ahead or =plain begins there, for a build that is quicker than the daemon.
publish() {
    local fresh=$out/lib.new kind=${HAREPD_PUBLISH:-native}
    local common=(src/Harepd/Harepd.csproj -c Release --use-current-runtime -o "$fresh")
    rm -rf "$fresh"
    if [ "$kind" = native ]; then
        if dotnet publish "${common[@]}" -p:PublishAot=true; then
            mv "$fresh/harepd.dbg" "$out/harepd.dbg"
            mv "$fresh/harepd" "$out/harepd.new"
            mv "$out/harepd.new" "$out/harepd"
            rm -rf "$fresh" "$out/lib"
            return
        fi
        echo "NOT native: it decides slower while it is young"
        kind=ahead
        rm -rf "$fresh"
    fi
    if [ "$kind" = plain ] || ! dotnet publish "${common[@]}" --no-self-contained -p:PublishReadyToRun=true; then
        echo "NOT compiled ahead: it starts slower"
        rm -rf "$fresh"
        dotnet publish src/Harepd/Harepd.csproj -c Release --no-self-contained -o "$fresh"
    fi
    # Made aside and swapped in, so that a daemon which runs from there is not pulled from under itself.
    rm -rf "$out/lib.old"
    [ ! -d "$out/lib" ] || mv "$out/lib" "$out/lib.old"
    mv "$fresh" "$out/lib"
    rm -rf "$out/lib.old"
    cat >"$out/harepd.new" <<'LAUNCHER'
#!/bin/sh
# Starts the daemon beside this file; exec keeps the process id that systemd and scripts know.
here=$(dirname "$(readlink -f "$0")")
if [ -z "${DOTNET_ROOT:-}" ] && command -v dotnet >/dev/null; then
    DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
    export DOTNET_ROOT
fi
exec "$here/lib/harepd" "$@"
LAUNCHER
    chmod 755 "$out/harepd.new"
    mv "$out/harepd.new" "$out/harepd"
}

verb_build() {
    needs_dotnet
    needs "${build_packages[@]}"
    lock_build
    step "building the daemon" "$logs/build.log" publish
    unlock_build
    say "  out/harepd is ready"
}

build_everything() {
    needs_dotnet
    lock_build
    step "building everything" "$logs/build.log" dotnet build Harepd.sln -c Release
    step "publishing the daemon" "$logs/publish.log" publish
    unlock_build
}

passed_so_far() { printf ', %d passed' "$(grep -c '^  Passed ' "$1" 2>/dev/null || true)"; }

# counter NAME TRX: one number of the <Counters …/> element of a result file; 0 without a file.
counter() { sed -n "s/.*<Counters [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" 2>/dev/null | head -n 1; }

verb_test() {
    local project name trx status passed=0 failed=0 skipped=0 n bad options=()
    [ $# -eq 0 ] || options=(--filter "$1")
    needs_for_test
    # Sources that do not build count as one failure, so that the closing line is always there.
    (build_everything) || { echo "0 passed, 1 failed"; exit 1; }
    export HAREPD_BINARY=$out/harepd
    for project in tests/*.Tests/*.csproj; do
        name=$(basename "$project" .csproj)
        trx=$logs/$name.trx
        rm -f "$trx"
        status=0
        step_count=passed_so_far step_tail=0 step "$name" "$logs/$name.log" \
            timeout --kill-after=60 3600 dotnet test "$project" -c Release --no-build "${options[@]}" \
            --logger "console;verbosity=normal" --logger "trx;LogFileName=$trx" \
            --blame-hang-timeout 10min --blame-hang-dump-type none || status=$?
        n=$(counter passed "$trx"); passed=$((passed + ${n:-0}))
        bad=$(counter failed "$trx"); bad=${bad:-0}
        # The result file counts skipped tests in its total alone.
        n=$(counter total "$trx"); skipped=$((skipped + ${n:-0}))
        n=$(counter executed "$trx"); skipped=$((skipped - ${n:-0}))
        # A run that failed without a failed test (a crash, a hang, nothing to load) is a failure that must show in the sum.
        if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
            bad=1
            say "$name ended with exit $status and no failed test; the end of its log:"
            tail -n 60 "$logs/$name.log" >&2
        elif [ "$status" -ne 0 ]; then
            failures "$logs/$name.log"
        fi
        failed=$((failed + bad))
    done
    if [ "$((passed + failed))" -eq 0 ]; then
        say "no test was run"
        failed=1
    fi
    if [ "$skipped" -gt 0 ]; then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ]
}

# The failed tests of a log with what they said, without the passed ones between.
failures() {
    awk '/^  (Passed|Skipped) /{show=0} /^  Failed /{show=1} /^(Total tests|Test Run)/{show=0} show' "$1" | head -n 400 >&2
}

verb_demo() {
    needs "${build_packages[@]}" "${server_packages[@]}"
    needs_dotnet
    lock_build
    step "building the demo" "$logs/build.log" dotnet build tests/Harepd.Demo/Harepd.Demo.csproj -c Release
    step "publishing the daemon" "$logs/publish.log" publish
    unlock_build
    HAREPD_BINARY=$out/harepd exec dotnet artifacts/bin/Harepd.Demo/release/Harepd.Demo.dll "$@"
}

verb_sim() {
    local seeds=2000
    while [ $# -gt 0 ]; do
        case $1 in
            --seeds) seeds=${2:?--seeds wants a number}; shift 2 ;;
            --seed) export HAREPD_SIM_SEED=${2:?--seed wants a seed}; shift 2 ;;
            --minutes) export HAREPD_SIM_MINUTES=${2:?--minutes wants a number}; shift 2 ;;
            *) usage >&2; die "sim: unknown option $1" ;;
        esac
    done
    export HAREPD_SIM_SEEDS=$seeds
    needs_dotnet
    lock_build
    step "building the simulator" "$logs/build.log" dotnet build tests/Harepd.Core.Tests/Harepd.Core.Tests.csproj -c Release
    unlock_build
    dotnet test tests/Harepd.Core.Tests/Harepd.Core.Tests.csproj -c Release --no-build \
        --filter "FullyQualifiedName~Simulation.SimulationTests" --logger "console;verbosity=detailed"
}

verb_bench() {
    needs "${build_packages[@]}" "${server_packages[@]}"
    needs_dotnet
    lock_build
    step "building the benchmarks" "$logs/build.log" dotnet build tests/Harepd.Bench/Harepd.Bench.csproj -c Release
    step "publishing the daemon" "$logs/publish.log" publish
    unlock_build
    HAREPD_BINARY=$out/harepd exec dotnet artifacts/bin/Harepd.Bench/release/Harepd.Bench.dll "$@"
}

verb_fmt() {
    local options=()
    case ${1:-} in
        '') ;;
        --check) options=(--verify-no-changes) ;;
        *) usage >&2; die "fmt: unknown option $1" ;;
    esac
    needs_dotnet
    step "laying out the sources" "$logs/fmt.log" dotnet format whitespace Harepd.sln "${options[@]}"
}

verb=${1:-build}
[ $# -eq 0 ] || shift
case $verb in
    build | test | demo | sim | bench | fmt) "verb_$verb" "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; die "unknown verb: $verb" ;;
esac
