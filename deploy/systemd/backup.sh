#!/bin/sh
# Dump the database into a folder, a file a day, and delete dumps that are older than so many days.
# backup.sh FOLDER DAYS; the database is DATABASE_URL, else the embedded one. PG_BIN_DIR names the folder of pg_dump.
set -eu
folder=$1 days=$2
python=$(dirname "$0")/../../.venv/bin/python
if [ -n "${DATABASE_URL:-}" ]; then
  url=$DATABASE_URL programs=${PG_BIN_DIR:-$(dirname "$(command -v pg_dump)")}
else
  url=$("$python" -m sql.embedded_postgres url)
  programs=${PG_BIN_DIR:-$("$python" -c 'from sql.embedded_postgres import *; print(EmbeddedPostgres(default_root()).bin_dir)')}
fi
file=$folder/lowcap-$(date -u +%F).dump
mkdir -p "$folder"
"$programs/pg_dump" --format=custom --no-password --file="$file.partial" --dbname="$url"
mv "$file.partial" "$file"
find "$folder" -name 'lowcap-*.dump' -mtime "+$days" -delete
echo "$file: $(du -h "$file" | cut -f1)"
