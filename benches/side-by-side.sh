#!/usr/bin/env bash
# Runs dehusk side by side with tools that drop repeated lines: see --help.
set -euo pipefail
# Bytes, not letters: sort and gawk are several times slower in a UTF-8 locale, and dehusk compares bytes here.
export LC_ALL=C

readonly RUNIQ_VERSION=2.1.0
readonly HUNIQ_VERSION=2.7.0

usage() {
    cat <<'END'
Usage: side-by-side.sh [--size SIZE] [--runs N] [--seed N] [--input FILE]

Measures dehusk against sort -u, awk, runiq and huniq on the same lines of one plain file, which is in the page cache.
The commands take turns. Prints the median CPU seconds (user and system), wall seconds, peak memory, MB of input per
CPU-second (1 MB is 1,000,000 bytes), and that speed as a multiple of the first row's.

  --size SIZE   how much text make_corpus writes, such as 64MiB or 1GiB [default: 256MiB]
  --runs N      how many timed runs of each [default: 5, or $RUNS]
  --seed N      which corpus [default: 1]
  --input FILE  measure on this file instead of one from make_corpus
  -h, --help    print this

"dehusk exact" does what the others do: it drops lines that equal an earlier one, and nothing else. Its answer and
theirs are compared with awk's before anything is timed ("same"); blank lines, which dehusk keeps, do not count. Lines
that end in \r\n are to dehusk those that end in \n, to the others they are not.
"dehusk defaults" does more, so its answer is another: packs, folding. Neither minds how much goes.

Needs cargo, GNU time and a built dehusk: target/release/dehusk (cargo build --release), or the file that $DEHUSK names.
runiq and huniq are installed into target/side-by-side if they are not there yet; one that cannot be installed is
skipped. Temporary files go to target/side-by-side too and are removed at the end.

Exit code: 0; 1 when something failed or an answer differs; 2 for wrong arguments.
END
}

die() {
    echo "side-by-side: $*" >&2
    exit 1
}

wrong_arguments() {
    echo "side-by-side: $*; see --help" >&2
    exit 2
}

note() {
    echo "side-by-side: $*" >&2
}

size=256MiB
runs=${RUNS:-5}
seed=1
input=
while (($# > 0)); do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --size | --runs | --seed | --input)
            (($# > 1)) || wrong_arguments "$1: value is missing"
            case $1 in
                --size) size=$2 ;;
                --runs) runs=$2 ;;
                --seed) seed=$2 ;;
                --input) input=$2 ;;
            esac
            shift 2
            ;;
        *) wrong_arguments "$1: unknown argument" ;;
    esac
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || wrong_arguments "--runs $runs: not a whole number from 1"
[[ -z $input || -f $input ]] || wrong_arguments "--input $input: no such file"
# Made absolute, for what follows runs in the project's folder.
[[ -z $input ]] || input=$(realpath -- "$input")
[[ -z ${DEHUSK:-} ]] || DEHUSK=$(realpath -m -- "$DEHUSK")

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
dehusk=${DEHUSK:-$target/release/dehusk}
tools=$target/side-by-side
time=/usr/bin/time

[[ -x $dehusk ]] || die "$dehusk: not there; run cargo build --release first, or name the file with DEHUSK=FILE"
[[ -x $time ]] || die "$time: not there; install GNU time (Debian: apt-get install time)"
"$time" -f %M true 2>/dev/null || die "$time: does not know -f; install GNU time (Debian: apt-get install time)"

mkdir -p -- "$tools"
work=$(mktemp -d -- "$tools/run.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM

# Installs a crate's command once. Returns 1, having said why, if that is not possible.
install_tool() {
    local name=$1 version=$2
    [[ ! -x $tools/bin/$name ]] || return 0
    note "installing $name $version into $tools"
    if ! CARGO_TARGET_DIR=$tools/build cargo install --quiet --locked --root "$tools" --version "$version" "$name" \
        >"$work/install.log" 2>&1; then
        note "skipping $name: cargo install failed: $(grep -m 1 '^error' "$work/install.log" || tail -n 1 "$work/install.log")"
        return 1
    fi
}

# Each contender is a name here, a command in `run`, and a version in `version_of`.
contenders=("dehusk exact" "dehusk defaults" "sort -u")
for awk in gawk mawk; do
    if command -v "$awk" >/dev/null; then
        contenders+=("$awk")
        reference_awk=${reference_awk:-$awk}
    else
        note "skipping $awk: not installed"
    fi
done
[[ -n ${reference_awk:-} ]] || die "neither gawk nor mawk is installed; install one, for its answer is the reference"
if install_tool runiq "$RUNIQ_VERSION"; then contenders+=(runiq); fi
if install_tool huniq "$HUNIQ_VERSION"; then contenders+=(huniq); fi

if [[ -z $input ]]; then
    input=$work/corpus.txt
    note "making $size of text, seed $seed"
    cargo run --quiet --release --example make_corpus -- --bytes "$size" --seed "$seed" --form one "$input" \
        >"$work/statistics"
    sed 's/^/  /' "$work/statistics" >&2
fi
n_bytes=$(stat -c %s -- "$input")
((n_bytes > 0)) || die "$input: is empty; give a file with lines"

# Runs a contender into $work/out, with its cost in $work/cost: wall, user and system seconds, peak kB.
run() {
    local timed=("$time" -f '%e %U %S %M' -o "$work/cost" --)
    rm -rf -- "$work/out"
    case $1 in
        "dehusk exact")
            "${timed[@]}" "$dehusk" clean "$input" -o "$work/out" --force --max-removed-run 1 --level rules \
                --no-default-packs --fold exact --min-chars 1 >"$work/talk" 2>&1
            ;;
        "dehusk defaults")
            "${timed[@]}" "$dehusk" clean "$input" -o "$work/out" --force --max-removed-run 1 >"$work/talk" 2>&1
            ;;
        "sort -u") "${timed[@]}" sort -u -T "$work" -- "$input" >"$work/out" 2>"$work/talk" ;;
        gawk | mawk)
            # shellcheck disable=SC2016  # The dollar is awk's.
            "${timed[@]}" "$1" '!seen[$0]++' "$input" >"$work/out" 2>"$work/talk"
            ;;
        runiq) "${timed[@]}" "$tools/bin/runiq" "$input" >"$work/out" 2>"$work/talk" ;;
        huniq) "${timed[@]}" "$tools/bin/huniq" <"$input" >"$work/out" 2>"$work/talk" ;;
    esac || {
        tail -n 5 -- "$work/talk" >&2
        die "$1: failed (its last words stand above)"
    }
}

version_of() {
    case $1 in
        "dehusk exact") "$dehusk" --version ;;
        "dehusk defaults") ;;
        "sort -u") sort --version ;;
        gawk) gawk --version ;;
        mawk) mawk -W version 2>&1 ;;
        runiq) echo "runiq $RUNIQ_VERSION" ;;
        huniq) echo "huniq $HUNIQ_VERSION" ;;
    esac | sed -n 1p
}

# The lines of an answer that count, in order.
answer() {
    local out=$work/out
    # A folder as output holds the file under its own name.
    [[ ! -d $out ]] || out=$out/$(basename -- "$input")
    # With -a, a zero byte does not make it a binary file, whose lines grep does not print.
    grep -av '^[[:space:]]*$' -- "$out" || true
}

# The middle one of the numbers on stdin, or the mean of the two in the middle.
median() {
    sort -n | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

cat -- "$input" >/dev/null
note "comparing the answers"
run "$reference_awk"
answer >"$work/reference"
sort -- "$work/reference" >"$work/reference.sorted"
declare -A same
all_same=yes
for contender in "${contenders[@]}"; do
    run "$contender"
    case $contender in
        "dehusk defaults")
            same[$contender]=-
            continue
            ;;
        "sort -u") expected=$work/reference.sorted ;;
        *) expected=$work/reference ;;
    esac
    if answer | cmp -s -- - "$expected"; then
        same[$contender]=yes
    else
        same[$contender]=NO
        all_same=no
    fi
done
rm -f -- "$work/reference" "$work/reference.sorted"

for ((run_number = 1; run_number <= runs; run_number++)); do
    note "run $run_number of $runs"
    for contender in "${contenders[@]}"; do
        run "$contender"
        cat -- "$work/cost" >>"$work/costs of $contender"
    done
done

n_lines=$(wc -l <"$input")
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | sed -n 1p || true)
echo "$n_bytes bytes, $n_lines lines; medians of $runs runs; $(nproc) x ${processor:-unknown processor}"
for contender in "${contenders[@]}"; do
    version_of "$contender"
done | sed 's/^/  /'
echo
printf '%-16s %8s %8s %9s %12s %8s  %s\n' command "CPU s" "wall s" "peak MB" "MB/CPU s" ratio same
first_speed=
for contender in "${contenders[@]}"; do
    costs="$work/costs of $contender"
    cpu=$(awk '{ print $2 + $3 }' "$costs" | median)
    wall=$(awk '{ print $1 }' "$costs" | median)
    peak=$(awk '{ print $4 * 1024 / 1e6 }' "$costs" | median)
    # The clock counts hundredths of a second: on a tiny input it may not have moved.
    speed=$(awk -v bytes="$n_bytes" -v cpu="$cpu" 'BEGIN { print bytes / 1e6 / (cpu > 0.01 ? cpu : 0.01) }')
    first_speed=${first_speed:-$speed}
    ratio=$(awk -v speed="$speed" -v first="$first_speed" 'BEGIN { print speed / first }')
    printf '%-16s %8.2f %8.2f %9.0f %12.0f %8.2f  %s\n' \
        "$contender" "$cpu" "$wall" "$peak" "$speed" "$ratio" "${same[$contender]}"
done
[[ $all_same == yes ]] || die "an answer differs from that of $reference_awk (column \"same\")"
