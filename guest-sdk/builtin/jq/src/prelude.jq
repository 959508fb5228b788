# What jq defines and jaq does not, or not in the same way. Later definitions take the place of earlier ones of the
# same name and number of arguments.

# Surroundings: there are none.
def input: error("No more inputs");
def inputs: empty;
def input_filename: null;
def input_line_number: 0;
def get_search_list: [];
def halt_error: halt_error(5);
def localtime: gmtime;
def strflocaltime($format): strftime($format);

# Types
def toboolean:
  if isboolean then . elif . == "true" then true elif . == "false" then false
  else error("\(type) (\(.)) cannot be parsed as a boolean") end;
def toarray: if isarray then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;
def isvalid(f): try (f | true) catch false;

# Paths
def delpaths($paths): reduce ($paths | sort | reverse | .[]) as $path (.; if $path == [] then null else getpath($path) |= empty end);
def del(f): delpaths([path(f)]);
def leaf_paths: paths(scalars);
def in(xs): . as $key | xs | has($key);
def inside(xs): . as $part | xs | contains($part);
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1];
def to_entries: [keys_unsorted[] as $key | {$key, value: .[$key]}];
def from_entries:
  reduce .[] as $entry ({};
    . + { ($entry
            | if isobject then [.key, .k, .name, .Name, .K, .Key] | map(select(. != null and . != false)) + [$entry.key] | .[0]
              else .key end
            | if isstring then . else tojson end):
          ($entry | if has("value") then .value elif has("v") then .v else .Value end) });
def with_entries(f): to_entries | map(f) | from_entries;

# Arrays
def transpose: (map(length) | max // 0) as $width | . as $rows | [range($width) as $at | [$rows[] | .[$at]]];
def flatten($depth):
  if $depth < 0 then error("flatten depth must not be negative")
  else [.[] | if isarray then (if $depth > 0 then flatten($depth - 1)[] else . end) else . end] end;
def flatten: flatten(1e9);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def IN(stream): . as $item | any(stream; . == $item);
def IN(items; stream): any(items; IN(stream));
def ascii: [.] | implode;
def recurse_down: recurse;

# Streams
def tostream:
  def events($path):
    if (isarray or isobject) and length > 0
    then (keys_unsorted[] as $key | .[$key] | events($path + [$key])), [$path + [keys_unsorted | last]]
    else [$path, .] end;
  events([]);
def fromstream(stream):
  foreach stream as $event ({};
    (if .complete then {} else . end)
    | if ($event | length) == 2
      then setpath(["value"] + $event[0]; $event[1]) | .complete = ($event[0] == [])
      else .complete = ($event[0] | length == 1) end;
    if .complete then .value else empty end);
def truncate_stream(depth; stream):
  depth as $depth | stream | if (.[0] | length) > $depth then .[0] |= .[$depth:] else empty end;
def truncate_stream(stream): . as $depth | truncate_stream($depth; stream);

# Regular expressions: flags may be null, and both may come as one array.
def test(re; flags): matches(re; flags // "") | any;
def match(re; flags): matches(re; flags // "")[] | .[0] + { captures: .[1:] };
def capture(re; flags): matches(re; flags // "")[] | capture_of_match;
def test($re): if ($re | isarray) then test($re[0]; $re[1]) else test($re; "") end;
def match($re): if ($re | isarray) then match($re[0]; $re[1]) else match($re; "") end;
def capture($re): if ($re | isarray) then capture($re[0]; $re[1]) else capture($re; "") end;

def scan_(re; flags): matches(re; flags)[] | [.[].string] | if length > 1 then .[1:] else .[0] end;

# Time
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: todateiso8601;
def date: todate;
def dateadd(unit; n): . + n;
def datesub(unit; n): . - n;

# Formats
def @json: tojson;
def @csv: format_csv;
def @tsv: format_tsv;
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;

# jq's own, which starts from null: paths may go through arrays.
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
