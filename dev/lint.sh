#!/usr/bin/env bash
# What the formatter does not see: no unfinished work in the sources, no test that sleeps, no broken link in the docs, no
# public type that the pages leave out.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
complain() { printf 'lint: %s\n%s\n' "$1" "$2" >&2; status=1; }

unfinished=$(grep -rnE 'TODO|FIXME|XXX' --include='*.swift' --include='*.c' --include='*.h' Sources Examples/Sources Benchmarks/Sources || true)
[ -z "$unfinished" ] || complain 'unfinished work' "$unfinished"

sleeping=$(grep -rnE 'Task\.sleep|Thread\.sleep|usleep\(' --include='*.swift' Tests Examples/Tests || true)
[ -z "$sleeping" ] || complain 'a test waits on the wall clock' "$sleeping"

while IFS=: read -r file link; do
    target=$(dirname "$file")/$link
    [ -e "$target" ] || complain 'a link leads nowhere' "$file: $link"
done < <(grep -oE '\]\([^)#]+' README.md CONTRIBUTING.md docs/*.md | sed 's/](//' | grep -vE ':(https?|mailto):' )

for module in Sources/*/; do
    name=$(basename "$module")
    case "$name" in CXXHash | CHiredis | CSpillway) continue ;; esac
    page=$module$name.docc/$name.md
    [ -e "$page" ] || { complain 'a module without a page' "$module"; continue; }
    public=$(grep -rhoE --include='*.swift' '^(public|open) ([a-z]+ )*(struct|class|enum|actor|protocol) \w+' "$module" || true)
    for type in $(awk '{ print $NF }' <<<"$public"); do
        grep -q "^- \`\`$type\`\`$" "$page" || complain 'a public type that the page of its module does not list' "$name: $type"
    done
done
[ "$status" -eq 0 ] && echo 'lint: clean'
exit "$status"
